/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/disk.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

typedef struct {
    char *directory, *path;
} Fixture;

static void
set_up(Fixture *fixture, gconstpointer data)
{
    fixture->directory = g_dir_make_tmp("mayfly-test-XXXXXX", NULL);
    fixture->path = g_build_filename(fixture->directory, "an image", NULL);
}

static void
tear_down(Fixture *fixture, gconstpointer data)
{
    g_remove(fixture->path);
    g_rmdir(fixture->directory);
    g_free(fixture->path);
    g_free(fixture->directory);
}

static void
write_image(const Fixture *fixture, const void *head, gsize size)
{
    g_autofree char *bytes = g_malloc0(4096);

    memcpy(bytes, head, size);
    g_assert_true(g_file_set_contents(fixture->path, bytes, 4096, NULL));
}

/* The format found, or NULL with the error. */
static char *
resolve(const Fixture *fixture, GError **error)
{
    g_autoptr(MfDisk) disk = mf_disk_new(fixture->path, NULL, FALSE);

    return mf_disk_resolve(disk, error) ? g_steal_pointer(&disk->format) : NULL;
}

static void
test_a_disk_is_read_as_documented(void)
{
    g_autoptr(MfDisk) plain = mf_disk_parse("/a,b c", NULL);
    g_autoptr(MfDisk) writable = mf_disk_parse("/a/../b,writable", NULL);
    g_autoptr(GError) error = NULL;

    g_assert_cmpstr(plain->path, ==, "/a,b c");
    g_assert_false(plain->writable);
    g_assert_cmpstr(writable->path, ==, "/b");
    g_assert_true(writable->writable);
    g_assert_null(mf_disk_parse(",writable", &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    g_assert_null(mf_disk_parse("", NULL));
}

static void
test_the_format_is_told_by_the_first_bytes(Fixture *fixture, gconstpointer data)
{
    write_image(fixture, "QFI\xfb\0\0\0\3", 8);
    g_autofree char *qcow2 = resolve(fixture, NULL);
    write_image(fixture, "QFI", 3);
    g_autofree char *raw = resolve(fixture, NULL);

    g_assert_cmpstr(qcow2, ==, "qcow2");
    g_assert_cmpstr(raw, ==, "raw");
}

static void
test_a_format_that_was_given_is_kept(Fixture *fixture, gconstpointer data)
{
    g_autoptr(MfDisk) disk = mf_disk_new(fixture->path, "raw", FALSE);

    write_image(fixture, "QFI\xfb\0\0\0\3", 8);
    g_assert_true(mf_disk_resolve(disk, NULL));
    g_assert_cmpstr(disk->format, ==, "raw");
}

static void
test_other_formats_are_named(Fixture *fixture, gconstpointer data)
{
    static const struct {
        const char *head, *name;
    } formats[] = {
        {"KDMV", "VMDK"},
        {"vhdxfile", "VHDX"},
        {"<<< Oracle VM", "VDI"},
        {"\x28\xb5\x2f\xfd", "zstd"},
        {"\xfd"
         "7zXZ",
         "xz"},
        {"\x1f\x8b\x08", "gzip"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(formats); i++) {
        g_autoptr(GError) error = NULL;

        write_image(fixture, formats[i].head, strlen(formats[i].head));
        g_assert_null(resolve(fixture, &error));
        g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
        g_assert_nonnull(strstr(error->message, formats[i].name));
        g_assert_nonnull(strstr(error->message, fixture->path));
    }
}

static void
test_what_is_no_image_is_refused(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GError) missing = NULL, empty = NULL, directory = NULL;
    g_autoptr(MfDisk) disk = mf_disk_new(fixture->directory, NULL, FALSE);

    g_assert_null(resolve(fixture, &missing));
    g_assert_error(missing, MF_ERROR, MF_ERROR_CONFIG);
    g_assert_nonnull(strstr(missing->message, "No such file"));
    g_assert_true(g_file_set_contents(fixture->path, "", 0, NULL));
    g_assert_null(resolve(fixture, &empty));
    g_assert_nonnull(strstr(empty->message, "is empty"));
    g_assert_false(mf_disk_resolve(disk, &directory));
    g_assert_nonnull(strstr(directory->message, "directory"));
}

static void
test_a_disk_to_be_written_has_to_be_writable(Fixture *fixture, gconstpointer data)
{
    g_autoptr(MfDisk) disk = mf_disk_new(fixture->path, NULL, TRUE);
    g_autoptr(GError) error = NULL;

    if (geteuid() == 0) {
        g_test_skip("root may write everything");
        return;
    }
    write_image(fixture, "", 0);
    g_assert_true(mf_disk_resolve(disk, NULL));
    g_assert_cmpint(g_chmod(fixture->path, 0400), ==, 0);
    g_assert_false(mf_disk_resolve(disk, &error));
    g_assert_nonnull(strstr(error->message, "cannot be written to"));
}

static void
test_an_image_without_boot_code_is_known(Fixture *fixture, gconstpointer data)
{
    g_autoptr(MfDisk) disk = mf_disk_new(fixture->path, "raw", FALSE);
    guint8 sector[512] = {0};

    write_image(fixture, sector, sizeof(sector));
    g_assert_false(mf_disk_lacks_boot_code(disk)); /* nor partitions: a plain file system */
    sector[510] = 0x55;
    sector[511] = 0xaa;
    write_image(fixture, sector, sizeof(sector));
    g_assert_true(mf_disk_lacks_boot_code(disk));
    sector[0] = 0xeb;
    write_image(fixture, sector, sizeof(sector));
    g_assert_false(mf_disk_lacks_boot_code(disk));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/disk/a-disk-is-read-as-documented", test_a_disk_is_read_as_documented);
    g_test_add("/disk/the-format-is-told-by-the-first-bytes", Fixture, NULL, set_up,
               test_the_format_is_told_by_the_first_bytes, tear_down);
    g_test_add("/disk/a-format-that-was-given-is-kept", Fixture, NULL, set_up,
               test_a_format_that_was_given_is_kept, tear_down);
    g_test_add("/disk/other-formats-are-named", Fixture, NULL, set_up, test_other_formats_are_named,
               tear_down);
    g_test_add("/disk/what-is-no-image-is-refused", Fixture, NULL, set_up,
               test_what_is_no_image_is_refused, tear_down);
    g_test_add("/disk/a-disk-to-be-written-has-to-be-writable", Fixture, NULL, set_up,
               test_a_disk_to_be_written_has_to_be_writable, tear_down);
    g_test_add("/disk/an-image-without-boot-code-is-known", Fixture, NULL, set_up,
               test_an_image_without_boot_code_is_known, tear_down);
    return g_test_run();
}
