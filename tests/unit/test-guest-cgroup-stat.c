/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/cgroup-stat.h"

#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <unistd.h>

static void
assert_parsed(const char *text, const char *expected)
{
    json_object *object = mfg_cgroup_stat_parse(text);

    g_test_message("%s", text);
    g_assert_cmpstr(object ? json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN) : NULL,
                    ==, expected);
    json_object_put(object);
}

static void
test_the_kernels_three_forms_are_numbers_and_objects(void)
{
    assert_parsed("12345678\n", "12345678");
    assert_parsed("0", "0");
    assert_parsed("18446744073709551615\n", "18446744073709551615");
    assert_parsed("usage_usec 120\nuser_usec 100\nsystem_usec 20\n",
                  "{\"usage_usec\":120,\"user_usec\":100,\"system_usec\":20}");
    assert_parsed("some avg10=0.00 avg60=1.25 avg300=0.00 total=77\n"
                  "full avg10=0.00 avg60=0.00 avg300=0.00 total=5\n",
                  "{\"some\":{\"avg10\":0.00,\"avg60\":1.25,\"avg300\":0.00,\"total\":77},"
                  "\"full\":{\"avg10\":0.00,\"avg60\":0.00,\"avg300\":0.00,\"total\":5}}");
    assert_parsed("8:0 rbytes=10 wbytes=20\n254:16 rbytes=1\n",
                  "{\"8:0\":{\"rbytes\":10,\"wbytes\":20},\"254:16\":{\"rbytes\":1}}");
}

static void
test_what_is_no_number_is_left_out(void)
{
    assert_parsed("max\n", NULL);
    assert_parsed("", NULL);
    assert_parsed("\n\n", NULL);
    assert_parsed("nan\n", NULL);
    assert_parsed("-5\n", NULL);
    assert_parsed("1.2.3\n", NULL);
    assert_parsed("low max\nhigh 3\nodd \nword\n", "{\"high\":3}");
    assert_parsed("low max\n", NULL);
    assert_parsed("8:0 rbytes=max wbytes= =7 plain rios=4\n", "{\"8:0\":{\"\":7,\"rios\":4}}");
}

static void
write_file(const char *directory, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(directory, name, NULL);

    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void
test_files_that_the_kernel_lacks_are_left_out_and_long_ones_are_cut_at_a_line(void)
{
    g_autofree char *directory = g_dir_make_tmp("mayfly-XXXXXX", NULL);
    g_autoptr(GString) disks = g_string_new(NULL);
    json_object *stat, *cpu, *io;
    int fd;

    for (guint i = 0; i < 1000; i++)
        g_string_append_printf(disks, "8:%u rbytes=%u\n", i, i);
    write_file(directory, "cpu.stat", "usage_usec 7\n");
    write_file(directory, "memory.peak", "99\n");
    write_file(directory, "memory.max", "100\n");
    write_file(directory, "io.stat", disks->str);
    fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    stat = mfg_cgroup_stat_read(fd);
    close(fd);

    g_assert_cmpint(json_object_object_length(stat), ==, 3);
    g_assert_true(json_object_object_get_ex(stat, "cpu.stat", &cpu));
    g_assert_cmpint(json_object_get_int(json_object_object_get(cpu, "usage_usec")), ==, 7);
    g_assert_cmpint(json_object_get_int(json_object_object_get(stat, "memory.peak")), ==, 99);
    g_assert_true(json_object_object_get_ex(stat, "io.stat", &io));
    g_assert_cmpint(json_object_object_length(io), >, 100);
    json_object_object_foreach (io, key, value) {
        g_autofree char *device =
            g_strdup_printf("8:%d", json_object_get_int(json_object_object_get(value, "rbytes")));
        g_assert_cmpstr(key, ==, device);
    }
    json_object_put(stat);
    for (guint i = 0; i < 4; i++) {
        static const char *const names[] = {"cpu.stat", "memory.peak", "memory.max", "io.stat"};
        g_autofree char *path = g_build_filename(directory, names[i], NULL);

        g_unlink(path);
    }
    g_rmdir(directory);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/guest-cgroup-stat/forms",
                    test_the_kernels_three_forms_are_numbers_and_objects);
    g_test_add_func("/guest-cgroup-stat/no-number", test_what_is_no_number_is_left_out);
    g_test_add_func("/guest-cgroup-stat/files",
                    test_files_that_the_kernel_lacks_are_left_out_and_long_ones_are_cut_at_a_line);
    return g_test_run();
}
