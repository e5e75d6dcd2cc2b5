/* SPDX-License-Identifier: Apache-2.0 */
#include "base/argv.h"

static void
test_commas_in_values_are_doubled(void)
{
    g_autoptr(MfArgv) argv = mf_argv_new("qemu");

    mf_argv_add_option(argv, "-fsdev", "local", "id", "root", "path", "/a, b,,c", "readonly", NULL,
                       "security_model", "none", NULL);
    g_assert_cmpstr(mf_argv_get(argv)[1], ==, "-fsdev");
    g_assert_cmpstr(mf_argv_get(argv)[2], ==, "local,id=root,path=/a,, b,,,,c,security_model=none");
    g_assert_null(mf_argv_get(argv)[3]);
}

static void
test_props_without_head_start_with_a_name(void)
{
    g_autoptr(MfArgv) argv = mf_argv_new("qemu");

    mf_argv_add_option(argv, "-object", NULL, "id", "a", "size", "1M", NULL);
    g_assert_cmpstr(mf_argv_get(argv)[2], ==, "id=a,size=1M");
}

static void
test_the_lines_read_back_as_the_same_words(void)
{
    g_autoptr(MfArgv) argv = mf_argv_new("/opt/my qemu");
    g_autofree char **words = NULL;
    int n;

    mf_argv_add_many(argv, "-append", "a=b 'c' \"d\" $e `f` \\", "", NULL);
    mf_argv_addf(argv, "%d", 42);

    g_autofree char *lines = mf_argv_to_lines(argv);
    g_assert_true(g_shell_parse_argv(lines, &n, &words, NULL));
    g_assert_cmpint(n, ==, 5);
    for (int i = 0; i < n; i++) {
        g_assert_cmpstr(words[i], ==, mf_argv_get(argv)[i]);
        g_free(words[i]);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/argv/T-6-commas-in-values-are-doubled", test_commas_in_values_are_doubled);
    g_test_add_func("/argv/props-without-head-start-with-a-name",
                    test_props_without_head_start_with_a_name);
    g_test_add_func("/argv/the-lines-read-back-as-the-same-words",
                    test_the_lines_read_back_as_the_same_words);
    return g_test_run();
}
