/* SPDX-License-Identifier: Apache-2.0 */
#include "report/series.h"

#include <math.h>

#include "run/payload-result.h"

static MfResult *
new_result(void)
{
    MfResult *result = mf_result_new();

    result->payloads = g_ptr_array_new_with_free_func((GDestroyNotify)mf_payload_result_free);
    result->metrics = mf_metrics_new();
    return result;
}

static MfPayloadResult *
add_payload(MfResult *result, const char *name, guint index, guint repetition)
{
    MfPayloadResult *payload = mf_payload_result_new(name, index, repetition);

    g_ptr_array_add(result->payloads, payload);
    return payload;
}

static void
add_metric(GPtrArray *metrics, const char *name, double value)
{
    g_ptr_array_add(metrics, mf_metric_new(name, value, 1));
}

/* "label=value,value" of each, with a space between. */
static void
assert_series(const MfResult *result, const char *expected)
{
    g_autoptr(GPtrArray) all = mf_series_of(result);
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint i = 0; i < all->len; i++) {
        const MfSeries *series = all->pdata[i];
        g_autofree char *label = mf_series_label(series);

        g_string_append_printf(text, "%s%s", i ? " " : "", label);
        for (guint j = 0; j < series->values->len; j++) {
            g_autofree char *value = mf_series_round(g_array_index(series->values, double, j));

            g_string_append_printf(text, "%s%s", j ? "," : "=", value);
        }
    }
    g_assert_cmpstr(text->str, ==, expected);
}

static void
test_values_of_repetitions_come_together(void)
{
    g_autoptr(MfResult) result = new_result();

    /* In the order in which they ended, which is another. */
    add_metric(add_payload(result, "fio", 2, 1)->metrics, "iops", 20);
    add_metric(add_payload(result, "fio", 0, 0)->metrics, "iops", 10);
    add_metric(add_payload(result, "hog", 1, 0)->metrics, "iops", 1);
    add_metric(add_payload(result, "hog", 3, 1)->metrics, "iops", 2);
    add_metric(result->metrics, "iops", 5);
    assert_series(result, "fio.iops=10,20 hog.iops=1,2 iops=5");
}

static void
test_invocations_within_the_steps_are_kept_apart(void)
{
    g_autoptr(MfResult) result = new_result();

    for (guint repetition = 0; repetition < 2; repetition++) {
        add_metric(add_payload(result, "fio", 2 * repetition, repetition)->metrics, "iops",
                   10 + repetition);
        add_metric(add_payload(result, "fio", 2 * repetition + 1, repetition)->metrics, "iops",
                   500 + repetition);
    }
    assert_series(result, "fio.iops=10,11 fio (2).iops=500,501");
}

static void
test_metrics_of_one_name_are_kept_apart(void)
{
    g_autoptr(MfResult) result = new_result();
    GPtrArray *metrics = add_payload(result, "fio", 0, 0)->metrics;

    add_metric(metrics, "iops", 1);
    add_metric(metrics, "iops", 2);
    assert_series(result, "fio.iops=1 fio.iops (2)=2");
}

static void
test_what_is_no_number_has_no_series(void)
{
    g_autoptr(MfResult) result = new_result();
    g_autoptr(MfResult) nothing = mf_result_new();

    add_metric(result->metrics, "nan", NAN);
    add_metric(result->metrics, "infinite", INFINITY);
    add_metric(result->metrics, MF_METRIC_TRUNCATED, 65);
    add_metric(result->metrics, "good", 1);
    assert_series(result, "good=1");
    assert_series(nothing, "");
    assert_series(NULL, "");
}

static void
test_those_that_somebody_named_are_picked(void)
{
    g_autoptr(MfResult) result = new_result();
    guint left_out;

    for (guint i = 0; i < 5; i++)
        add_metric(result->metrics, i % 2 ? "odd" : "even", i);
    g_autoptr(GPtrArray) all = mf_series_of(result);
    g_autoptr(GPtrArray) some = mf_series_pick(all, 3, &left_out);
    g_assert_cmpuint(all->len, ==, 5);
    g_assert_cmpuint(some->len, ==, 3);
    g_assert_cmpuint(left_out, ==, 2);

    ((MfSeries *)all->pdata[4])->polarity = MF_POLARITY_LOWER;
    g_autoptr(GPtrArray) named = mf_series_pick(all, 3, &left_out);
    g_assert_cmpuint(named->len, ==, 1);
    g_assert_true(named->pdata[0] == all->pdata[4]);
    g_assert_cmpuint(left_out, ==, 4);
}

typedef struct {
    double values[12];
    guint count;
    double median, spread;
} Sample;

static void
test_median_and_spread_of_samples(void)
{
    static const Sample samples[] = {
        {{7}, 1, 7, 0},
        {{1, 3}, 2, 2, 1},
        {{3, 1, 2}, 3, 2, 1},
        {{9, 10, 50}, 3, 10, 40},
        /* Of five, the farthest does not count; of ten, two do not. */
        {{10, 11, 12, 13, 1000}, 5, 12, 2},
        {{10, 10, 10, 10, 10, 10, 10, 11, 500, 900}, 10, 10, 1},
        {{1e308, 1.5e308}, 2, 1.25e308, 0.25e308},
        {{-5, -5, -5, 5}, 4, -5, 10},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(samples); i++) {
        g_autoptr(MfResult) result = new_result();

        for (guint j = 0; j < samples[i].count; j++)
            add_metric(add_payload(result, "p", j, j)->metrics, "m", samples[i].values[j]);
        g_autoptr(GPtrArray) all = mf_series_of(result);
        g_assert_cmpuint(all->len, ==, 1);
        g_assert_cmpfloat(mf_series_median(all->pdata[0]), ==, samples[i].median);
        g_assert_cmpfloat(mf_series_spread(all->pdata[0]), ==, samples[i].spread);
    }
}

static void
test_people_read_rounded_numbers(void)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {200, "200"},         {1.0 / 3, "0.333333"},
        {123456.7, "123457"}, {123456789.4, "123456789"},
        {1e20, "1e+20"},      {-0.00001234, "-1.234e-05"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = mf_series_round(cases[i].value);

        g_assert_cmpstr(text, ==, cases[i].text);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/report-series/values-of-repetitions-come-together",
                    test_values_of_repetitions_come_together);
    g_test_add_func("/report-series/invocations-within-the-steps-are-kept-apart",
                    test_invocations_within_the_steps_are_kept_apart);
    g_test_add_func("/report-series/metrics-of-one-name-are-kept-apart",
                    test_metrics_of_one_name_are_kept_apart);
    g_test_add_func("/report-series/what-is-no-number-has-no-series",
                    test_what_is_no_number_has_no_series);
    g_test_add_func("/report-series/those-that-somebody-named-are-picked",
                    test_those_that_somebody_named_are_picked);
    g_test_add_func("/report-series/median-and-spread-of-samples",
                    test_median_and_spread_of_samples);
    g_test_add_func("/report-series/people-read-rounded-numbers", test_people_read_rounded_numbers);
    return g_test_run();
}
