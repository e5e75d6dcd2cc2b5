/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/cgroup-name.h"

#include <glib.h>
#include <string.h>

/* What is wrong with a name given as a literal, which may have a NUL in it. */
#define PROBLEM(literal) mf_cgroup_name_problem(literal, sizeof(literal) - 1, NULL)

static const char *
stripped(const char *name)
{
    const char *start = NULL;

    g_assert_null(mf_cgroup_name_problem(name, strlen(name), &start));
    return start;
}

static void
test_a_nul_is_refused_and_named(void)
{
    g_assert_nonnull(strstr(PROBLEM("bad\0name"), "NUL"));
    g_assert_nonnull(strstr(PROBLEM("\0"), "NUL"));
}

static void
test_all_leading_slashes_are_stripped(void)
{
    g_assert_cmpstr(stripped("workload"), ==, "workload");
    g_assert_cmpstr(stripped("/workload"), ==, "workload");
    g_assert_cmpstr(stripped("///a/b"), ==, "a/b");
}

static void
test_a_name_of_slashes_or_nothing_is_empty(void)
{
    g_assert_nonnull(strstr(PROBLEM(""), "empty"));
    g_assert_nonnull(strstr(PROBLEM("/"), "empty"));
    g_assert_nonnull(strstr(PROBLEM("///"), "empty"));
}

static void
test_a_parent_among_the_parts_is_refused_and_only_that(void)
{
    static const char *const bad[] = {"..", "../escape", "a/../b", "b/..", "/..", "a//../b"};
    static const char *const good[] = {"..foo", "foo..", "a/b", "a..b", "...", "a/..b/c"};

    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_nonnull(strstr(mf_cgroup_name_problem(bad[i], strlen(bad[i]), NULL), ".."));
    for (gsize i = 0; i < G_N_ELEMENTS(good); i++)
        g_assert_cmpstr(stripped(good[i]), ==, good[i]);
}

static void
test_problems_are_looked_for_in_order(void)
{
    const char *untouched = "untouched", *start = untouched;

    g_assert_nonnull(strstr(PROBLEM("/\0/.."), "NUL"));
    g_assert_nonnull(mf_cgroup_name_problem("..", 2, &start));
    g_assert_true(start == untouched);
}

static void
test_a_name_is_allowed_to_its_cap_and_refused_past_it(void)
{
    g_autofree char *name = g_strnfill(MF_CGROUP_NAME_MAX + 1, 'x');

    g_assert_null(mf_cgroup_name_problem(name, MF_CGROUP_NAME_MAX, NULL));
    g_assert_nonnull(
        strstr(mf_cgroup_name_problem(name, MF_CGROUP_NAME_MAX + 1, NULL), "longer than 1024"));
}

static void
test_the_limits_are_six_files_and_no_others(void)
{
    static const char *const known[] = {"cpu.max", "cpu.weight", "cpuset.cpus",
                                        "io.max",  "memory.max", "pids.max"};
    static const char *const unknown[] = {"",           "cpu",          "cpu.maxx",
                                          "cpu.ma",     "cgroup.procs", "../cpu.max",
                                          "memory.low", "cgroup.kill",  "CPU.MAX"};

    for (gsize i = 0; i < G_N_ELEMENTS(known); i++)
        g_assert_true(mf_cgroup_limit_is_known(known[i], strlen(known[i])));
    for (gsize i = 0; i < G_N_ELEMENTS(unknown); i++)
        g_assert_false(mf_cgroup_limit_is_known(unknown[i], strlen(unknown[i])));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cgroup-name/P-6-nul", test_a_nul_is_refused_and_named);
    g_test_add_func("/cgroup-name/P-7-slashes", test_all_leading_slashes_are_stripped);
    g_test_add_func("/cgroup-name/P-8-empty", test_a_name_of_slashes_or_nothing_is_empty);
    g_test_add_func("/cgroup-name/P-9-parent",
                    test_a_parent_among_the_parts_is_refused_and_only_that);
    g_test_add_func("/cgroup-name/P-11-order", test_problems_are_looked_for_in_order);
    g_test_add_func("/cgroup-name/cap", test_a_name_is_allowed_to_its_cap_and_refused_past_it);
    g_test_add_func("/cgroup-name/limits", test_the_limits_are_six_files_and_no_others);
    return g_test_run();
}
