/* SPDX-License-Identifier: Apache-2.0 */
#include "run/bare.h"

static void
test_a_guest_that_has_said_all_passes_however_it_ends(void)
{
    static const MfMachineEnd ends[] = {MF_MACHINE_END_POWEROFF, MF_MACHINE_END_RESET};

    for (gsize i = 0; i < G_N_ELEMENTS(ends); i++) {
        g_auto(MfBareEnd) end = {.status = 9};

        mf_bare_judge_end(ends[i], NULL, &end);
        g_assert_true(end.passed);
        g_assert_cmpint(end.verdict, ==, MF_VERDICT_EXITED);
        g_assert_cmpint(end.status, ==, 0);
        g_assert_null(end.message);
    }
}

static void
test_a_guest_that_has_not_said_all_fails_and_is_told_how(void)
{
    static const struct {
        MfMachineEnd end;
        const char *message;
    } cases[] = {
        {MF_MACHINE_END_POWEROFF,
         "The guest powered itself off, and its console had not said 'x' (landmark 1 of 1)."},
        {MF_MACHINE_END_RESET,
         "The guest rebooted, and its console had not said 'x' (landmark 1 of 1)."},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(MfBareEnd) end = {0};

        mf_bare_judge_end(cases[i].end, "'x' (landmark 1 of 1)", &end);
        g_assert_false(end.passed);
        g_assert_cmpint(end.verdict, ==, MF_VERDICT_EXITED);
        g_assert_cmpint(end.status, !=, 0);
        g_assert_cmpstr(end.message, ==, cases[i].message);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bare/a-guest-that-has-said-all-passes-however-it-ends",
                    test_a_guest_that_has_said_all_passes_however_it_ends);
    g_test_add_func("/bare/a-guest-that-has-not-said-all-fails-and-is-told-how",
                    test_a_guest_that_has_not_said_all_fails_and_is_told_how);
    return g_test_run();
}
