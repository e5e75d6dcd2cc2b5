/* SPDX-License-Identifier: Apache-2.0 */
#include "run/check.h"

#include <math.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "run/metric.h"

/* In CPU time of this process. */
#ifdef __SANITIZE_ADDRESS__
#define LIMIT_US (100 * 1000) /* with it all takes several times as long */
#else
#define LIMIT_US (10 * 1000)
#endif

typedef struct {
    GPtrArray *checks;
    GPtrArray *metrics;
    MfCheckFacts facts;
} Fixture;

static void
set_up(Fixture *self, gconstpointer data)
{
    self->checks = g_ptr_array_new_with_free_func((GDestroyNotify)mf_check_free);
    self->metrics = mf_metrics_new();
    self->facts = (MfCheckFacts){.metrics = self->metrics};
}

static void
tear_down(Fixture *self, gconstpointer data)
{
    g_ptr_array_unref(self->checks);
    g_ptr_array_unref(self->metrics);
    g_clear_pointer(&self->facts.stderr_tail, g_bytes_unref);
}

static void
add_metric(Fixture *self, const char *name, double value)
{
    g_ptr_array_add(self->metrics, mf_metric_new(name, value, 1));
}

/* Takes the check. */
static void
add_check(Fixture *self, MfCheck *check)
{
    g_assert_nonnull(check);
    g_ptr_array_add(self->checks, check);
}

static void
set_stderr(Fixture *self, const char *text)
{
    g_clear_pointer(&self->facts.stderr_tail, g_bytes_unref);
    self->facts.stderr_tail = g_bytes_new(text, strlen(text));
}

/* The failures, with " | " between. */
static void
assert_judged(Fixture *self, const char *expected)
{
    g_autoptr(GPtrArray) details = mf_checks_judge(self->checks, &self->facts);

    g_ptr_array_add(details, NULL);
    g_autofree char *text = g_strjoinv(" | ", (char **)details->pdata);
    g_assert_cmpstr(text, ==, expected);
}

/*
 * Exit codes
 */

static void
test_p35_a_wrong_exit_code_is_the_only_failure(Fixture *self, gconstpointer data)
{
    self->facts.exit_code = 42;
    self->facts.problem = "The payload's stdout has JSON that cannot be used.";
    add_check(self, mf_check_new_min("iops", 100, NULL));
    add_check(self, mf_check_new_exit_code(0));
    assert_judged(self, "The payload exited with code 42, expected 0.");
}

static void
test_t8_a_signal_is_named_not_its_exit_code(Fixture *self, gconstpointer data)
{
    self->facts.exit_code = 139;
    self->facts.signal_number = 11;
    assert_judged(self, "The payload was killed by signal 11 (Segmentation fault), expected exit "
                        "code 0.");
    set_stderr(self, "going down");
    assert_judged(self, "The payload was killed by signal 11 (Segmentation fault), expected exit "
                        "code 0; stderr:\ngoing down");
    add_check(self, mf_check_new_exit_code(139));
    assert_judged(self, "");
}

static void
test_p35_of_two_exit_codes_the_first_mismatch_counts(Fixture *self, gconstpointer data)
{
    add_check(self, mf_check_new_exit_code(0));
    add_check(self, mf_check_new_exit_code(3));
    add_check(self, mf_check_new_exit_code(4));
    assert_judged(self, "The payload exited with code 0, expected 3.");
    self->facts.exit_code = 3;
    assert_judged(self, "The payload exited with code 3, expected 0.");
}

static void
test_p35_minus_one_is_a_code_like_others(Fixture *self, gconstpointer data)
{
    add_check(self, mf_check_new_exit_code(-1));
    self->facts.exit_code = -1;
    assert_judged(self, "");
    self->facts.exit_code = 0;
    assert_judged(self, "The payload exited with code 0, expected -1.");
}

static void
test_p37_without_a_check_of_it_the_exit_code_has_to_be_0(Fixture *self, gconstpointer data)
{
    g_autoptr(GPtrArray) details = mf_checks_judge(NULL, &self->facts);

    g_assert_cmpuint(details->len, ==, 0);
    assert_judged(self, "");
    self->facts.exit_code = 1;
    assert_judged(self, "The payload exited with code 1, expected 0.");
    add_metric(self, "iops", 1);
    add_check(self, mf_check_new_exists("iops"));
    assert_judged(self, "The payload exited with code 1, expected 0.");
    add_check(self, mf_check_new_exit_code(1));
    assert_judged(self, "");
}

static void
test_p39_an_exit_code_comes_with_the_end_of_stderr(Fixture *self, gconstpointer data)
{
    self->facts.exit_code = 1;
    add_check(self, mf_check_new_exit_code(0));
    set_stderr(self, "\nfatal: config missing\n");
    assert_judged(self, "The payload exited with code 1, expected 0; stderr:\n"
                        "fatal: config missing");
    set_stderr(self, " \n\t");
    assert_judged(self, "The payload exited with code 1, expected 0.");
    set_stderr(self, "");
    assert_judged(self, "The payload exited with code 1, expected 0.");
}

static void
test_p39_stderr_is_cut_in_front_and_fit_to_be_shown(Fixture *self, gconstpointer data)
{
    g_autofree char *filler = g_strnfill(MF_CHECK_STDERR_MAX + 500, 'A');
    g_autofree char *kept = g_strnfill(MF_CHECK_STDERR_MAX, 'A');
    g_autofree char *expected =
        g_strdup_printf("The payload exited with code 1, expected 0; stderr:\n...%s", kept);

    self->facts.exit_code = 1;
    set_stderr(self, filler);
    assert_judged(self, expected);

    /* 16 MiB of it are not looked at from the beginning. */
    g_autofree char *most = g_strnfill(16u << 20, 'A');
    set_stderr(self, most);
    assert_judged(self, expected);
    set_stderr(self, "\033[31mred\033[0m \xff");
    assert_judged(self, "The payload exited with code 1, expected 0; stderr:\nred \357\277\275");
}

static void
assert_tail(const char *text, gsize max, const char *expected)
{
    g_autofree char *tail = mf_check_tail(text, max);

    g_assert_cmpstr(tail, ==, expected);
}

static void
test_p39_a_tail_is_a_suffix_of_whole_characters(void)
{
    g_autofree char *filler = g_strnfill(1524, 'A');
    g_autofree char *tail = mf_check_tail(filler, 1024);

    g_assert_cmpuint(strlen(tail), ==, 1027);
    g_assert_true(g_str_has_prefix(tail, "..."));
    assert_tail("abc", 3, "abc");
    assert_tail("abcd", 3, "...bcd");
    assert_tail("", 3, "");
    assert_tail("a\303\251bc", 4, "...\303\251bc");
    assert_tail("a\303\251bc", 3, "...bc");
    assert_tail("\360\237\230\200", 3, "...");
}

/*
 * Metrics
 */

static void
test_p36_bounds_are_allowed_values(Fixture *self, gconstpointer data)
{
    add_metric(self, "iops", 100);
    add_check(self, mf_check_new_min("iops", 100, NULL));
    add_check(self, mf_check_new_max("iops", 100, NULL));
    add_check(self, mf_check_new_range("iops", 100, 100, NULL));
    add_check(self, mf_check_new_range("iops", 0, 100, NULL));
    add_check(self, mf_check_new_exists("iops"));
    assert_judged(self, "");
}

static void
test_p36_the_stricter_of_two_minima_fails(Fixture *self, gconstpointer data)
{
    add_metric(self, "iops", 100);
    add_check(self, mf_check_new_min("iops", 50, NULL));
    add_check(self, mf_check_new_min("iops", 200, NULL));
    assert_judged(self, "The metric 'iops' = 100 is below minimum 200.");
}

static void
test_p36_a_missing_metric_fails_every_kind(Fixture *self, gconstpointer data)
{
    MfCheck *checks[] = {
        mf_check_new_exists("a"),
        mf_check_new_min("b", 0, NULL),
        mf_check_new_max("c", 0, NULL),
        mf_check_new_range("d", 0, 1, NULL),
    };

    for (gsize i = 0; i < G_N_ELEMENTS(checks); i++)
        add_check(self, checks[i]);
    assert_judged(self, "The metric 'a' was not found in payload output. | "
                        "The metric 'b' was not found in payload output. | "
                        "The metric 'c' was not found in payload output. | "
                        "The metric 'd' was not found in payload output.");
    self->facts.metrics = NULL;
    g_ptr_array_set_size(self->checks, 1);
    assert_judged(self, "The metric 'a' was not found in payload output.");
}

/* By the same rules: bounds included, each of the checks, and a missing one fails. */
static void
test_the_metrics_of_a_scenario_are_judged_alone(Fixture *self, gconstpointer data)
{
    g_autoptr(GPtrArray) details = NULL;

    add_metric(self, "ops", 10);
    add_metric(self, "lat", NAN);
    add_check(self, mf_check_new_min("ops", 10, NULL));
    add_check(self, mf_check_new_max("ops", 9, NULL));
    add_check(self, mf_check_new_max("lat", 9, NULL));
    add_check(self, mf_check_new_exists("hits"));
    details = mf_checks_judge_scenario(self->checks, self->metrics);
    g_assert_cmpuint(details->len, ==, 3);
    g_assert_cmpstr(details->pdata[0], ==, "The metric 'ops' = 10 exceeds maximum 9.");
    g_assert_cmpstr(details->pdata[1], ==, "The metric 'lat' cannot be judged: its value is NaN.");
    g_assert_cmpstr(details->pdata[2], ==, "The metric 'hits' was not told of by the scenario.");
}

static void
test_p36_nan_exists_and_is_within_no_bound(Fixture *self, gconstpointer data)
{
    const char *expected = "The metric 'x' cannot be judged: its value is NaN.";

    add_metric(self, "x", NAN);
    add_check(self, mf_check_new_exists("x"));
    assert_judged(self, "");

    MfCheck *checks[] = {
        mf_check_new_min("x", -INFINITY, NULL),
        mf_check_new_max("x", INFINITY, NULL),
        mf_check_new_range("x", -INFINITY, INFINITY, NULL),
    };
    for (gsize i = 0; i < G_N_ELEMENTS(checks); i++) {
        g_ptr_array_set_size(self->checks, 0);
        add_check(self, checks[i]);
        assert_judged(self, expected);
    }
}

static void
test_p36_zero_of_either_sign_exists(Fixture *self, gconstpointer data)
{
    add_metric(self, "errors", 0.0);
    add_metric(self, "drift", -0.0);
    add_check(self, mf_check_new_exists("errors"));
    add_check(self, mf_check_new_exists("drift"));
    add_check(self, mf_check_new_min("drift", 0, NULL));
    assert_judged(self, "");
}

static void
test_p37_every_check_is_judged(Fixture *self, gconstpointer data)
{
    add_metric(self, "iops", 10);
    add_metric(self, "lat", 900);
    add_metric(self, "cpu", 200);
    add_check(self, mf_check_new_min("iops", 1000, NULL));
    add_check(self, mf_check_new_exit_code(0));
    add_check(self, mf_check_new_max("lat", 100, NULL));
    add_check(self, mf_check_new_range("cpu", 0, 100, NULL));
    assert_judged(self, "The metric 'iops' = 10 is below minimum 1000. | "
                        "The metric 'lat' = 900 exceeds maximum 100. | "
                        "The metric 'cpu' = 200 is outside [0, 100].");
}

static void
test_p37_equal_and_conflicting_checks_fail_each(Fixture *self, gconstpointer data)
{
    add_metric(self, "x", 75);
    add_check(self, mf_check_new_min("x", 100, NULL));
    add_check(self, mf_check_new_max("x", 50, NULL));
    add_check(self, mf_check_new_max("x", 50, NULL));
    assert_judged(self, "The metric 'x' = 75 is below minimum 100. | "
                        "The metric 'x' = 75 exceeds maximum 50. | "
                        "The metric 'x' = 75 exceeds maximum 50.");
}

static void
test_a_check_has_to_hold_for_each_metric_of_its_name(Fixture *self, gconstpointer data)
{
    add_metric(self, "iops", 500);
    add_metric(self, "iops", 50);
    add_metric(self, "iops", 5);
    add_check(self, mf_check_new_min("iops", 100, NULL));
    add_check(self, mf_check_new_exists("iops"));
    assert_judged(self, "The metric 'iops' = 50 is below minimum 100.");
}

static void
test_a_problem_of_the_output_fails_without_any_check(Fixture *self, gconstpointer data)
{
    self->facts.problem = "The payload's stdout has JSON that cannot be used.";
    assert_judged(self, "The payload's stdout has JSON that cannot be used.");
    add_check(self, mf_check_new_exists("iops"));
    assert_judged(self, "The payload's stdout has JSON that cannot be used. | "
                        "The metric 'iops' was not found in payload output.");
}

static void
test_p38_numbers_are_shown_in_their_shortest_form(Fixture *self, gconstpointer data)
{
    add_metric(self, "x", 0.1);
    add_check(self, mf_check_new_min("x", 200.0, NULL));
    add_check(self, mf_check_new_range("x", 0.2, 1e300, NULL));
    add_check(self, mf_check_new_max("x", -2.50, NULL));
    assert_judged(self, "The metric 'x' = 0.1 is below minimum 200. | "
                        "The metric 'x' = 0.1 is outside [0.2, 1e+300]. | "
                        "The metric 'x' = 0.1 exceeds maximum -2.5.");
}

static void
assert_refused(MfCheck *check, GError *error, const char *message)
{
    g_assert_null(check);
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    g_assert_nonnull(strstr(error->message, message));
    g_error_free(error);
}

static void
test_p40_a_range_upside_down_cannot_be_made(void)
{
    GError *error = NULL;
    MfCheck *check = mf_check_new_range("lat", 2, 1.5, &error);

    assert_refused(check, error, "'lat' is [2, 1.5], but lo must be <= hi.");
    g_autoptr(MfCheck) point = mf_check_new_range("lat", 2, 2, NULL);
    g_assert_cmpstr(point->metric, ==, "lat");
    g_assert_cmpfloat(point->high, ==, 2);
}

static void
test_a_bound_that_is_nan_cannot_be_made(void)
{
    GError *error = NULL;
    MfCheck *check = mf_check_new_min("a", NAN, &error);

    assert_refused(check, g_steal_pointer(&error), "no number");
    check = mf_check_new_max("a", NAN, &error);
    assert_refused(check, g_steal_pointer(&error), "no number");
    check = mf_check_new_range("a", NAN, 1, &error);
    assert_refused(check, g_steal_pointer(&error), "no number");
    check = mf_check_new_range("a", 1, NAN, &error);
    assert_refused(check, g_steal_pointer(&error), "no number");
}

static void
test_a_hundred_checks_of_ten_thousand_metrics_take_less_than_ten_milliseconds(Fixture *self,
                                                                              gconstpointer data)
{
    gint64 best = G_MAXINT64;

    for (int i = 0; i < 10000; i++) {
        g_autofree char *name = g_strdup_printf("jobs.%d.read.clat_ns.percentile", i);

        add_metric(self, name, i);
    }
    for (int i = 0; i < 100; i++)
        add_check(self, mf_check_new_min("jobs.9999.read.clat_ns.percentile", i, NULL));
    for (int i = 0; i < 10; i++) {
        clock_t start = clock();

        assert_judged(self, "");
        best = MIN(best, (gint64)(clock() - start) * G_USEC_PER_SEC / CLOCKS_PER_SEC);
    }
    g_test_message("%" G_GINT64_FORMAT " us", best);
    g_assert_cmpint(best, <, LIMIT_US);
}

#define ADD(path, test) g_test_add(path, Fixture, NULL, set_up, test, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("/check/p-35-a-wrong-exit-code-is-the-only-failure",
        test_p35_a_wrong_exit_code_is_the_only_failure);
    ADD("/check/p-35-of-two-exit-codes-the-first-mismatch-counts",
        test_p35_of_two_exit_codes_the_first_mismatch_counts);
    ADD("/check/t-8-a-signal-is-named-not-its-exit-code",
        test_t8_a_signal_is_named_not_its_exit_code);
    ADD("/check/p-35-minus-one-is-a-code-like-others", test_p35_minus_one_is_a_code_like_others);
    ADD("/check/p-36-bounds-are-allowed-values", test_p36_bounds_are_allowed_values);
    ADD("/check/p-36-the-stricter-of-two-minima-fails", test_p36_the_stricter_of_two_minima_fails);
    ADD("/check/p-36-a-missing-metric-fails-every-kind",
        test_p36_a_missing_metric_fails_every_kind);
    ADD("/check/the-metrics-of-a-scenario-are-judged-alone",
        test_the_metrics_of_a_scenario_are_judged_alone);
    ADD("/check/p-36-nan-exists-and-is-within-no-bound",
        test_p36_nan_exists_and_is_within_no_bound);
    ADD("/check/p-36-zero-of-either-sign-exists", test_p36_zero_of_either_sign_exists);
    ADD("/check/p-37-without-a-check-of-it-the-exit-code-has-to-be-0",
        test_p37_without_a_check_of_it_the_exit_code_has_to_be_0);
    ADD("/check/p-37-every-check-is-judged", test_p37_every_check_is_judged);
    ADD("/check/p-37-equal-and-conflicting-checks-fail-each",
        test_p37_equal_and_conflicting_checks_fail_each);
    ADD("/check/a-check-has-to-hold-for-each-metric-of-its-name",
        test_a_check_has_to_hold_for_each_metric_of_its_name);
    ADD("/check/a-problem-of-the-output-fails-without-any-check",
        test_a_problem_of_the_output_fails_without_any_check);
    ADD("/check/p-38-numbers-are-shown-in-their-shortest-form",
        test_p38_numbers_are_shown_in_their_shortest_form);
    ADD("/check/p-39-an-exit-code-comes-with-the-end-of-stderr",
        test_p39_an_exit_code_comes_with_the_end_of_stderr);
    ADD("/check/p-39-stderr-is-cut-in-front-and-fit-to-be-shown",
        test_p39_stderr_is_cut_in_front_and_fit_to_be_shown);
    g_test_add_func("/check/p-39-a-tail-is-a-suffix-of-whole-characters",
                    test_p39_a_tail_is_a_suffix_of_whole_characters);
    g_test_add_func("/check/p-40-a-range-upside-down-cannot-be-made",
                    test_p40_a_range_upside_down_cannot_be_made);
    g_test_add_func("/check/a-bound-that-is-nan-cannot-be-made",
                    test_a_bound_that_is_nan_cannot_be_made);
    ADD("/check/a-hundred-checks-of-ten-thousand-metrics-take-less-than-ten-milliseconds",
        test_a_hundred_checks_of_ten_thousand_metrics_take_less_than_ten_milliseconds);
    return g_test_run();
}
