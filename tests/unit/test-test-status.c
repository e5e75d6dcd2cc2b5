/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/test-status.h"

#include "cli/cli.h"
#include "suite/outcome.h"

static void
free_report(gpointer data)
{
    mf_outcome_report_free(data);
}

static GPtrArray *
outcomes_new(void)
{
    return g_ptr_array_new_with_free_func(free_report);
}

static MfOutcomeReport *
add(GPtrArray *outcomes, MfOutcome outcome)
{
    MfOutcomeReport *report = g_new0(MfOutcomeReport, 1);

    report->outcome = outcome;
    if (outcome != MF_OUTCOME_SKIP) {
        report->result = mf_result_new();
        report->result->passed = outcome == MF_OUTCOME_PASS;
        report->result->status = report->result->passed ? 0 : 1;
    }
    g_ptr_array_add(outcomes, report);
    return report;
}

static void
test_one_target_gives_its_own_status(void)
{
    g_autoptr(GPtrArray) outcomes = outcomes_new();
    MfResult *result = add(outcomes, MF_OUTCOME_FAIL)->result;

    result->status = 12;
    g_assert_cmpint(mf_test_exit_status(outcomes, FALSE, 0), ==, 12);
    result->verdict = MF_VERDICT_SIGNALLED;
    result->signal_number = 11;
    g_assert_cmpint(mf_test_exit_status(outcomes, FALSE, 0), ==, 139);
    result->verdict = MF_VERDICT_FAILED;
    g_assert_cmpint(mf_test_exit_status(outcomes, FALSE, 0), ==, 69);
}

static void
test_one_target_that_was_to_fail_and_did_is_a_success(void)
{
    g_autoptr(GPtrArray) outcomes = outcomes_new();

    add(outcomes, MF_OUTCOME_PASS)->result->status = 3;
    g_assert_cmpint(mf_test_exit_status(outcomes, FALSE, 0), ==, 0);
}

static void
test_several_give_how_many_did_not_pass(void)
{
    g_autoptr(GPtrArray) outcomes = outcomes_new();

    add(outcomes, MF_OUTCOME_PASS);
    g_ptr_array_add(outcomes, NULL);
    g_assert_cmpint(mf_test_exit_status(outcomes, FALSE, 0), ==, 0);
    add(outcomes, MF_OUTCOME_FAIL)->result->status = 42;
    add(outcomes, MF_OUTCOME_SKIP);
    add(outcomes, MF_OUTCOME_ERROR);
    g_assert_cmpint(mf_test_exit_status(outcomes, FALSE, 0), ==, 2);
}

static void
test_failures_are_counted_up_to_a_hundred(void)
{
    g_autoptr(GPtrArray) outcomes = outcomes_new();

    for (int i = 0; i < 100; i++)
        add(outcomes, MF_OUTCOME_FAIL);
    g_assert_cmpint(mf_test_exit_status(outcomes, FALSE, 0), ==, 100);
    for (int i = 0; i < 156; i++)
        add(outcomes, MF_OUTCOME_FAIL);
    g_assert_cmpint(mf_test_exit_status(outcomes, FALSE, 0), ==, 100);
}

static void
test_a_skip_shows_only_when_asked_for_and_when_nothing_ran(void)
{
    g_autoptr(GPtrArray) outcomes = outcomes_new();

    add(outcomes, MF_OUTCOME_SKIP);
    g_assert_cmpint(mf_test_exit_status(outcomes, FALSE, 0), ==, 0);
    g_assert_cmpint(mf_test_exit_status(outcomes, TRUE, 0), ==, MF_EXIT_SKIPPED);
    add(outcomes, MF_OUTCOME_SKIP);
    g_assert_cmpint(mf_test_exit_status(outcomes, TRUE, 0), ==, MF_EXIT_SKIPPED);
    add(outcomes, MF_OUTCOME_PASS);
    g_assert_cmpint(mf_test_exit_status(outcomes, TRUE, 0), ==, 0);
}

static void
test_a_signal_goes_before_what_was_found_out(void)
{
    g_autoptr(GPtrArray) outcomes = outcomes_new();

    add(outcomes, MF_OUTCOME_PASS);
    g_assert_cmpint(mf_test_exit_status(outcomes, FALSE, 2), ==, 130);
    add(outcomes, MF_OUTCOME_FAIL);
    g_assert_cmpint(mf_test_exit_status(outcomes, FALSE, 15), ==, 143);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/status/one-target-gives-its-own", test_one_target_gives_its_own_status);
    g_test_add_func("/status/one-target-that-was-to-fail-and-did-is-a-success",
                    test_one_target_that_was_to_fail_and_did_is_a_success);
    g_test_add_func("/status/several-give-how-many-did-not-pass",
                    test_several_give_how_many_did_not_pass);
    g_test_add_func("/status/failures-are-counted-up-to-a-hundred",
                    test_failures_are_counted_up_to_a_hundred);
    g_test_add_func("/status/a-skip-shows-only-when-asked-for-and-when-nothing-ran",
                    test_a_skip_shows_only_when_asked_for_and_when_nothing_ran);
    g_test_add_func("/status/a-signal-goes-before-what-was-found-out",
                    test_a_signal_goes_before_what_was_found_out);
    return g_test_run();
}
