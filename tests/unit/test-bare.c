/* SPDX-License-Identifier: Apache-2.0 */
#include "run/bare.h"

#include <signal.h>

#define AWAITED "'x' (landmark 1 of 1)"

/* Wait statuses, as waitpid() makes them. */
#define EXITED(status) ((status) << 8)
#define KILLED(signal) (signal)

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

        mf_bare_judge_end(cases[i].end, AWAITED, &end);
        g_assert_false(end.passed);
        g_assert_cmpint(end.verdict, ==, MF_VERDICT_EXITED);
        g_assert_cmpint(end.status, !=, 0);
        g_assert_cmpstr(end.message, ==, cases[i].message);
    }
}

static void
test_q_3_the_exit_status_that_was_named_passes(void)
{
    g_auto(MfBareEnd) end = {.status = 9};

    mf_bare_judge_code(33, EXITED(33), NULL, NULL, &end);
    g_assert_true(end.passed);
    g_assert_cmpint(end.verdict, ==, MF_VERDICT_EXITED);
    g_assert_cmpint(end.status, ==, 0);
    g_assert_null(end.message);
}

static void
test_q_3_no_other_end_passes(void)
{
    static const struct {
        int wait_status;
        const char *complaint, *awaited;
        MfVerdict verdict;
        int status;
        const char *message;
    } cases[] = {
        {EXITED(35), NULL, NULL, MF_VERDICT_EXITED, 35, "*status 35 (it wrote 0x11), where 33*"},
        {EXITED(0), NULL, NULL, MF_VERDICT_EXITED, 1, "*status 0 and without a value*"},
        {EXITED(1), NULL, NULL, MF_VERDICT_EXITED, 1, "*status 1 (it wrote 0), where 33*"},
        {EXITED(33), NULL, AWAITED, MF_VERDICT_EXITED, 1, "*33, as it was to, *not said 'x'*"},
        {KILLED(SIGSEGV), NULL, NULL, MF_VERDICT_FAILED, 0, "QEMU was killed by signal 11*"},
        {KILLED(SIGABRT), "QEMU said why.", NULL, MF_VERDICT_FAILED, 0, "QEMU said why."},
        {EXITED(1), "QEMU failed.", NULL, MF_VERDICT_FAILED, 0, "QEMU failed."},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(MfBareEnd) end = {.passed = TRUE};

        mf_bare_judge_code(33, cases[i].wait_status, cases[i].complaint, cases[i].awaited, &end);
        g_assert_false(end.passed);
        g_assert_cmpint(end.verdict, ==, cases[i].verdict);
        g_assert_cmpint(end.status, ==, cases[i].status);
        if (!g_pattern_match_simple(cases[i].message, end.message))
            g_error("'%s' does not match '%s'", end.message, cases[i].message);
    }
}

static void
test_a_failure_of_qemu_is_no_guest_that_wrote_0(void)
{
    g_auto(MfBareEnd) quiet = {0}, loud = {0};

    mf_bare_judge_code(1, EXITED(1), NULL, NULL, &quiet);
    g_assert_true(quiet.passed);
    mf_bare_judge_code(1, EXITED(1), "QEMU failed.", NULL, &loud);
    g_assert_false(loud.passed);
    g_assert_cmpint(loud.verdict, ==, MF_VERDICT_FAILED);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bare/a-guest-that-has-said-all-passes-however-it-ends",
                    test_a_guest_that_has_said_all_passes_however_it_ends);
    g_test_add_func("/bare/a-guest-that-has-not-said-all-fails-and-is-told-how",
                    test_a_guest_that_has_not_said_all_fails_and_is_told_how);
    g_test_add_func("/bare/q-3-the-exit-status-that-was-named-passes",
                    test_q_3_the_exit_status_that_was_named_passes);
    g_test_add_func("/bare/q-3-no-other-end-passes", test_q_3_no_other_end_passes);
    g_test_add_func("/bare/a-failure-of-qemu-is-no-guest-that-wrote-0",
                    test_a_failure_of_qemu_is_no_guest_that_wrote_0);
    return g_test_run();
}
