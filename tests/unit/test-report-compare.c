/* SPDX-License-Identifier: Apache-2.0 */
#include "report/compare.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "report/compare-text.h"
#include "report/json.h"
#include "run/payload-result.h"
#include "wire/json.h"

/* A result that is made of one target after the other. */
typedef struct {
    GPtrArray *cases, *outcomes;
} Suite;

static Suite *
suite_new(void)
{
    Suite *self = g_new0(Suite, 1);

    self->cases = g_ptr_array_new_with_free_func((GDestroyNotify)mf_case_free);
    self->outcomes = g_ptr_array_new_with_free_func((GDestroyNotify)mf_outcome_report_free);
    return self;
}

static void
suite_free(Suite *self)
{
    g_ptr_array_unref(self->cases);
    g_ptr_array_unref(self->outcomes);
    g_free(self);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Suite, suite_free)

static MfResult *
add_target(Suite *self, const char *name, MfOutcome outcome)
{
    MfCase *kase = g_new0(MfCase, 1);
    MfOutcomeReport *report = g_new0(MfOutcomeReport, 1);

    kase->name = g_strdup(name);
    kase->id = mf_case_make_id(name);
    kase->target = mf_target_new();
    report->outcome = outcome;
    report->attempts = 1;
    report->result = mf_result_new();
    report->result->payloads =
        g_ptr_array_new_with_free_func((GDestroyNotify)mf_payload_result_free);
    g_ptr_array_add(self->cases, kase);
    g_ptr_array_add(self->outcomes, report);
    return report->result;
}

/* Values of repetitions, up to one that is NAN. */
static void
add_values(MfResult *result, const char *name, MfPolarity polarity, const double *values)
{
    for (guint i = 0; !isnan(values[i]); i++) {
        MfMetric *metric = mf_metric_new(name, values[i], 1);

        metric->polarity = polarity;
        while (result->payloads->len <= i)
            g_ptr_array_add(result->payloads, mf_payload_result_new("fio", result->payloads->len,
                                                                    result->payloads->len));
        g_ptr_array_add(((MfPayloadResult *)result->payloads->pdata[i])->metrics, metric);
    }
}

/* Through the file, as it is written and read. */
static MfMerge *
to_merge(const Suite *self)
{
    static const MfReportHost host;
    MfEvent finished = {.kind = MF_EVENT_SUITE_FINISHED,
                        .cases = self->cases,
                        .outcomes = self->outcomes,
                        .jobs = 1};
    g_autoptr(json_object) document = mf_report_json_suite(&host, 0, &finished);
    MfMerge *merge = mf_merge_new();
    g_autoptr(GError) error = NULL;

    mf_merge_add_document(merge, "result.json", document, &error);
    g_assert_no_error(error);
    mf_merge_check(merge, &error);
    g_assert_no_error(error);
    return merge;
}

static MfComparison *
compare_suites(const Suite *before, const Suite *after, double threshold)
{
    g_autoptr(MfMerge) old_merge = to_merge(before);
    g_autoptr(MfMerge) new_merge = to_merge(after);
    g_autoptr(GError) error = NULL;
    MfComparison *comparison = mf_compare(old_merge, new_merge, threshold, &error);

    g_assert_no_error(error);
    return comparison;
}

/* One metric whose higher values are better. */
static MfChangeKind
judge(const double *before, const double *after, double threshold)
{
    g_autoptr(Suite) old_suite = suite_new();
    g_autoptr(Suite) new_suite = suite_new();

    add_values(add_target(old_suite, "t", MF_OUTCOME_PASS), "m", MF_POLARITY_HIGHER, before);
    add_values(add_target(new_suite, "t", MF_OUTCOME_PASS), "m", MF_POLARITY_HIGHER, after);
    g_autoptr(MfComparison) comparison = compare_suites(old_suite, new_suite, threshold);
    const GArray *changes = mf_comparison_get_changes(comparison);
    g_assert_cmpuint(changes->len, ==, 1);
    g_assert_cmpint(mf_comparison_is_worse(comparison), ==,
                    g_array_index(changes, MfChange, 0).kind == MF_CHANGE_WORSE);
    return g_array_index(changes, MfChange, 0).kind;
}

#define VALUES(...) ((const double[]){__VA_ARGS__, NAN})

static void
test_without_repetition_five_percent_are_noise(void)
{
    g_assert_cmpint(judge(VALUES(100), VALUES(95), -1), ==, MF_CHANGE_SAME);
    g_assert_cmpint(judge(VALUES(100), VALUES(94.9), -1), ==, MF_CHANGE_WORSE);
    g_assert_cmpint(judge(VALUES(100), VALUES(105), -1), ==, MF_CHANGE_SAME);
    g_assert_cmpint(judge(VALUES(100), VALUES(105.1), -1), ==, MF_CHANGE_BETTER);
    /* On one side alone it does not help. */
    g_assert_cmpint(judge(VALUES(100, 100, 100), VALUES(96), -1), ==, MF_CHANGE_SAME);
    g_assert_cmpint(judge(VALUES(100, 100), VALUES(96, 96), -1), ==, MF_CHANGE_SAME);
}

static void
test_with_repetitions_their_spreads_are_noise(void)
{
    /* 3 + 2 apart at most. */
    g_assert_cmpint(judge(VALUES(97, 100, 102), VALUES(104, 105, 107), -1), ==, MF_CHANGE_SAME);
    g_assert_cmpint(judge(VALUES(97, 100, 102), VALUES(104, 105.1, 107), -1), ==, MF_CHANGE_BETTER);
    g_assert_cmpint(judge(VALUES(100, 100, 100), VALUES(98, 98, 98), -1), ==, MF_CHANGE_WORSE);
    g_assert_cmpint(judge(VALUES(100, 100, 100), VALUES(99, 99, 99), -1), ==, MF_CHANGE_SAME);
    /* A noisy metric may not be called worse for 20 %. */
    g_assert_cmpint(judge(VALUES(80, 100, 120), VALUES(70, 80, 90), -1), ==, MF_CHANGE_SAME);
}

static void
test_of_five_an_outlier_hides_nothing(void)
{
    g_assert_cmpint(judge(VALUES(100, 101, 99, 100, 10), VALUES(90, 91, 89, 90, 90), -1), ==,
                    MF_CHANGE_WORSE);
    g_assert_cmpint(judge(VALUES(100, 101, 99, 10), VALUES(90, 91, 89, 90), -1), ==,
                    MF_CHANGE_SAME);
}

static void
test_a_threshold_is_the_least_noise(void)
{
    g_assert_cmpint(judge(VALUES(100), VALUES(99.9), 0), ==, MF_CHANGE_WORSE);
    g_assert_cmpint(judge(VALUES(100), VALUES(100), 0), ==, MF_CHANGE_SAME);
    g_assert_cmpint(judge(VALUES(100), VALUES(80), 0.2), ==, MF_CHANGE_SAME);
    g_assert_cmpint(judge(VALUES(100, 100, 100), VALUES(80, 80, 80), 0.2), ==, MF_CHANGE_SAME);
    g_assert_cmpint(judge(VALUES(97, 100, 103), VALUES(99, 95, 97), 0), ==, MF_CHANGE_SAME);
}

static void
test_zero_and_negative_medians(void)
{
    g_assert_cmpint(judge(VALUES(0), VALUES(0), -1), ==, MF_CHANGE_SAME);
    g_assert_cmpint(judge(VALUES(0), VALUES(1), -1), ==, MF_CHANGE_BETTER);
    g_assert_cmpint(judge(VALUES(-100), VALUES(-90), -1), ==, MF_CHANGE_BETTER);
    g_assert_cmpint(judge(VALUES(-100), VALUES(-110), -1), ==, MF_CHANGE_WORSE);
    g_assert_cmpint(judge(VALUES(1e308), VALUES(-1e308), -1), ==, MF_CHANGE_WORSE);
}

static const MfChange *
find_change(const MfComparison *self, const char *label)
{
    const GArray *changes = mf_comparison_get_changes(self);

    for (guint i = 0; i < changes->len; i++) {
        const MfChange *change = &g_array_index(changes, MfChange, i);
        g_autofree char *name = mf_series_label(change->after ? change->after : change->before);

        if (g_str_equal(name, label))
            return change;
    }
    return NULL;
}

static void
test_polarity_says_which_is_better(void)
{
    g_autoptr(Suite) before = suite_new();
    g_autoptr(Suite) after = suite_new();
    MfResult *left = add_target(before, "t", MF_OUTCOME_PASS);
    MfResult *right = add_target(after, "t", MF_OUTCOME_PASS);

    add_values(left, "lat", MF_POLARITY_LOWER, VALUES(100));
    add_values(right, "lat", MF_POLARITY_LOWER, VALUES(50));
    add_values(left, "count", MF_POLARITY_UNKNOWN, VALUES(100));
    add_values(right, "count", MF_POLARITY_UNKNOWN, VALUES(50));
    /* Said on one side only. */
    add_values(left, "iops", MF_POLARITY_HIGHER, VALUES(100));
    add_values(right, "iops", MF_POLARITY_UNKNOWN, VALUES(200));
    g_autoptr(MfComparison) comparison = compare_suites(before, after, -1);
    const MfChange *lat = find_change(comparison, "fio.lat");
    g_assert_cmpint(lat->kind, ==, MF_CHANGE_BETTER);
    g_assert_cmpfloat(lat->ratio, ==, -0.5);
    g_assert_cmpfloat(lat->noise, ==, 5);
    g_assert_cmpint(find_change(comparison, "fio.count")->kind, ==, MF_CHANGE_DIFFERENT);
    g_assert_cmpint(find_change(comparison, "fio.iops")->kind, ==, MF_CHANGE_BETTER);
    g_assert_false(mf_comparison_is_worse(comparison));
}

static MfMetric *
get_metric(MfResult *result)
{
    return ((MfPayloadResult *)result->payloads->pdata[0])->metrics->pdata[0];
}

static void
test_numbers_of_different_units_are_not_compared(void)
{
    g_autoptr(Suite) old_suite = suite_new();
    g_autoptr(Suite) new_suite = suite_new();
    MfResult *before = add_target(old_suite, "t", MF_OUTCOME_PASS);
    MfResult *after = add_target(new_suite, "t", MF_OUTCOME_PASS);

    add_values(before, "m", MF_POLARITY_LOWER, VALUES(1000));
    add_values(after, "m", MF_POLARITY_LOWER, VALUES(1));
    get_metric(before)->unit = g_strdup("ms");
    get_metric(after)->unit = g_strdup("s");
    g_autoptr(MfComparison) comparison = compare_suites(old_suite, new_suite, -1);
    const MfChange *change = &g_array_index(mf_comparison_get_changes(comparison), MfChange, 0);
    g_autofree char *text = mf_comparison_to_text(comparison, FALSE);

    g_assert_cmpint(change->kind, ==, MF_CHANGE_DIFFERENT);
    g_assert_true(mf_comparison_is_worse(comparison));
    g_assert_nonnull(strstr(text, "1000 ms"));
    g_assert_nonnull(strstr(text, "1 s"));
}

static void
test_what_a_side_lacks_is_said(void)
{
    g_autoptr(Suite) before = suite_new();
    g_autoptr(Suite) after = suite_new();
    MfResult *left = add_target(before, "kept", MF_OUTCOME_FAIL);
    MfResult *right = add_target(after, "kept", MF_OUTCOME_PASS);

    add_values(left, "unnamed", MF_POLARITY_UNKNOWN, VALUES(1));
    add_values(right, "fresh", MF_POLARITY_HIGHER, VALUES(2));
    add_target(after, "fresh", MF_OUTCOME_FAIL);
    g_autoptr(MfComparison) better = compare_suites(before, after, -1);
    g_assert_cmpint(find_change(better, "fio.unnamed")->kind, ==, MF_CHANGE_MISSING);
    g_assert_cmpint(find_change(better, "fio.fresh")->kind, ==, MF_CHANGE_NEW);
    g_assert_false(mf_comparison_is_worse(better));
    g_autofree char *text = mf_comparison_to_text(better, FALSE);
    g_assert_cmpstr(text, ==,
                    "The target 'kept' was 'fail' and is 'pass'.\n"
                    "Only the new result has the target 'fresh'.\n"
                    "Target  Metric     Old  New  Change  Verdict\n"
                    "kept    fio.fresh    -    2          new\n"
                    "1 metric: 1 new. 1 more has neither unit nor polarity (--all shows it).\n");

    g_autoptr(MfComparison) worse = compare_suites(after, before, -1);
    g_assert_true(mf_comparison_is_worse(worse));
    g_assert_cmpint(find_change(worse, "fio.fresh")->kind, ==, MF_CHANGE_MISSING);
}

/* A number that is no value is a repetition without one. */
static void
test_a_metric_that_some_repetitions_lost_is_not_the_same(void)
{
    const struct {
        double before[4], after[4];
        MfChangeKind kind;
        gboolean worse;
    } cases[] = {
        {{100, 100, 100, NAN}, {100, 100, INFINITY, NAN}, MF_CHANGE_PARTIAL, TRUE},
        /* What is left of it may be better for that. */
        {{100, 100, 100, NAN}, {200, INFINITY, 200, NAN}, MF_CHANGE_PARTIAL, TRUE},
        {{100, 100, 100, NAN}, {50, INFINITY, 50, NAN}, MF_CHANGE_WORSE, TRUE},
        /* Found again. */
        {{100, 100, INFINITY, NAN}, {100, 100, 100, NAN}, MF_CHANGE_PARTIAL, FALSE},
        {{100, 100, INFINITY, NAN}, {50, 50, 50, NAN}, MF_CHANGE_WORSE, TRUE},
        /* As much is missing on both sides, or fewer repetitions were asked for. */
        {{100, 100, INFINITY, NAN}, {100, INFINITY, 100, NAN}, MF_CHANGE_SAME, FALSE},
        {{100, 100, 100, NAN}, {100, 100, NAN}, MF_CHANGE_SAME, FALSE},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Suite) before = suite_new();
        g_autoptr(Suite) after = suite_new();

        g_test_message("case %zu", i);
        add_values(add_target(before, "t", MF_OUTCOME_PASS), "m", MF_POLARITY_HIGHER,
                   cases[i].before);
        add_values(add_target(after, "t", MF_OUTCOME_PASS), "m", MF_POLARITY_HIGHER,
                   cases[i].after);
        g_autoptr(MfComparison) comparison = compare_suites(before, after, -1);
        g_assert_cmpint(find_change(comparison, "fio.m")->kind, ==, cases[i].kind);
        g_assert_cmpint(mf_comparison_is_worse(comparison), ==, cases[i].worse);
    }
}

static void
test_of_what_some_repetitions_lost_it_is_said_how_many(void)
{
    g_autoptr(Suite) before = suite_new();
    g_autoptr(Suite) after = suite_new();

    add_values(add_target(before, "t", MF_OUTCOME_PASS), "m", MF_POLARITY_HIGHER,
               VALUES(100, 100, 100));
    add_values(add_target(after, "t", MF_OUTCOME_PASS), "m", MF_POLARITY_HIGHER,
               VALUES(100, INFINITY, 100));
    g_autoptr(MfComparison) comparison = compare_suites(before, after, -1);
    g_autofree char *text = mf_comparison_to_text(comparison, FALSE);
    g_autoptr(json_object) json = mf_comparison_to_json(comparison);
    json_object *metric = json_object_array_get_idx(json_object_object_get(json, "metrics"), 0);
    json_object *side = json_object_object_get(metric, "new");

    g_assert_cmpstr(text, ==,
                    "Target  Metric       Old                New  Change  Verdict\n"
                    "t       fio.m   100 +- 0  100 +- 0 (2 of 3)   0.0 %  partial\n"
                    "1 metric: 1 partial.\n");
    g_assert_cmpstr(json_object_get_string(json_object_object_get(metric, "verdict")), ==,
                    "partial");
    g_assert_cmpint(json_object_get_int(json_object_object_get(side, "repetitions")), ==, 3);
    g_assert_cmpuint(json_object_array_length(json_object_object_get(side, "values")), ==, 2);
}

static void
test_a_target_that_does_not_pass_any_more_is_worse(void)
{
    const MfOutcome outcomes[] = {MF_OUTCOME_FAIL, MF_OUTCOME_ERROR, MF_OUTCOME_SKIP};
    g_autoptr(Suite) before = suite_new();
    g_autoptr(Suite) nothing = suite_new();

    add_target(before, "t", MF_OUTCOME_PASS);
    for (gsize i = 0; i < G_N_ELEMENTS(outcomes); i++) {
        g_autoptr(Suite) after = suite_new();

        add_target(after, "t", outcomes[i]);
        g_autoptr(MfComparison) worse = compare_suites(before, after, -1);
        g_autoptr(MfComparison) better = compare_suites(after, before, -1);
        g_assert_true(mf_comparison_is_worse(worse));
        g_assert_false(mf_comparison_is_worse(better));
    }
    g_autoptr(MfComparison) missing = compare_suites(before, nothing, -1);
    g_assert_true(mf_comparison_is_worse(missing));
    g_autoptr(MfComparison) same = compare_suites(before, before, -1);
    g_assert_false(mf_comparison_is_worse(same));
    g_assert_cmpuint(mf_comparison_get_targets(same)->len, ==, 0);
}

static void
test_tables_are_aligned_and_disarmed(void)
{
    g_autoptr(Suite) before = suite_new();
    g_autoptr(Suite) after = suite_new();
    MfResult *left = add_target(before, "\346\274\242 | <b>\033[31m", MF_OUTCOME_PASS);
    MfResult *right = add_target(after, "\346\274\242 | <b>\033[31m", MF_OUTCOME_PASS);

    add_values(left, "iops", MF_POLARITY_HIGHER, VALUES(1000, 1010, 990));
    add_values(right, "iops", MF_POLARITY_HIGHER, VALUES(1100.5, 1105, 1090));
    g_autoptr(MfComparison) comparison = compare_suites(before, after, -1);
    g_autofree char *text = mf_comparison_to_text(comparison, FALSE);
    g_assert_cmpstr(text, ==,
                    "Target    Metric           Old             New   Change  Verdict\n"
                    "\346\274\242 | <b>  fio.iops  1000 +- 10  1100.5 +- 10.5  +10.1 %  better\n"
                    "1 metric: 1 better.\n");
    g_autofree char *markdown = mf_comparison_to_markdown(comparison, FALSE);
    g_assert_cmpstr(markdown, ==,
                    "### Comparison\n\n1 metric: 1 better.\n\n"
                    "| Target | Metric | Old | New | Change | Verdict |\n"
                    "|---|---|---:|---:|---:|---|\n"
                    "| \346\274\242 &#124; &#60;b&#62; | fio.iops | 1000 +- 10 | 1100.5 +- 10.5 | "
                    "+10.1 % | better |\n");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/report-compare/without-repetition-five-percent-are-noise",
                    test_without_repetition_five_percent_are_noise);
    g_test_add_func("/report-compare/with-repetitions-their-spreads-are-noise",
                    test_with_repetitions_their_spreads_are_noise);
    g_test_add_func("/report-compare/of-five-an-outlier-hides-nothing",
                    test_of_five_an_outlier_hides_nothing);
    g_test_add_func("/report-compare/a-threshold-is-the-least-noise",
                    test_a_threshold_is_the_least_noise);
    g_test_add_func("/report-compare/zero-and-negative-medians", test_zero_and_negative_medians);
    g_test_add_func("/report-compare/polarity-says-which-is-better",
                    test_polarity_says_which_is_better);
    g_test_add_func("/report-compare/numbers-of-different-units-are-not-compared",
                    test_numbers_of_different_units_are_not_compared);
    g_test_add_func("/report-compare/what-a-side-lacks-is-said", test_what_a_side_lacks_is_said);
    g_test_add_func("/report-compare/a-metric-that-some-repetitions-lost-is-not-the-same",
                    test_a_metric_that_some_repetitions_lost_is_not_the_same);
    g_test_add_func("/report-compare/of-what-some-repetitions-lost-it-is-said-how-many",
                    test_of_what_some_repetitions_lost_it_is_said_how_many);
    g_test_add_func("/report-compare/a-target-that-does-not-pass-any-more-is-worse",
                    test_a_target_that_does_not_pass_any_more_is_worse);
    g_test_add_func("/report-compare/tables-are-aligned-and-disarmed",
                    test_tables_are_aligned_and_disarmed);
    return g_test_run();
}
