/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

static void
test_the_exit_status_tells_how_it_ended(void)
{
    const struct {
        MfResult result;
        int cancel_signal, status;
    } cases[] = {
        {{.verdict = MF_VERDICT_EXITED, .passed = TRUE}, 0, 0},
        {{.verdict = MF_VERDICT_EXITED, .status = 42}, 0, 42},
        {{.verdict = MF_VERDICT_SIGNALLED, .signal_number = 11}, 0, 139},
        {{.verdict = MF_VERDICT_TIMEOUT}, 0, 124},
        {{.verdict = MF_VERDICT_CRASHED}, 0, 125},
        {{.verdict = MF_VERDICT_FAILED}, 0, 69},
        {{.verdict = MF_VERDICT_CONFIG}, 0, 69},
        {{.verdict = MF_VERDICT_CANCELLED}, 2, 130},
        {{.verdict = MF_VERDICT_CANCELLED}, 0, 69},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpint(mf_cli_exit_status(&cases[i].result, cases[i].cancel_signal), ==,
                        cases[i].status);
}

static void
test_what_was_expected_is_a_success(void)
{
    const MfResult status = {.verdict = MF_VERDICT_EXITED, .status = 3, .passed = TRUE};
    const MfResult killed = {.verdict = MF_VERDICT_SIGNALLED, .signal_number = 9, .passed = TRUE};

    g_assert_cmpint(mf_cli_exit_status(&status, 0), ==, 0);
    g_assert_cmpint(mf_cli_exit_status(&killed, 0), ==, 0);
}

static void
test_a_status_of_0_that_was_not_expected_is_1(void)
{
    const MfResult result = {.verdict = MF_VERDICT_EXITED};

    g_assert_cmpint(mf_cli_exit_status(&result, 0), ==, 1);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cli/the-exit-status-tells-how-it-ended",
                    test_the_exit_status_tells_how_it_ended);
    g_test_add_func("/cli/what-was-expected-is-a-success", test_what_was_expected_is_a_success);
    g_test_add_func("/cli/a-status-of-0-that-was-not-expected-is-1",
                    test_a_status_of_0_that_was_not_expected_is_1);
    return g_test_run();
}
