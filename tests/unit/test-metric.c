/* SPDX-License-Identifier: Apache-2.0 */
#include "run/metric.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/parse.h"

/* "fd:name=value" of each metric, and "! problem". Owned by the caller. */
static char *
read_output(const char *out, const char *err)
{
    g_autoptr(GBytes) out_bytes = out ? g_bytes_new(out, strlen(out)) : NULL;
    g_autoptr(GBytes) err_bytes = err ? g_bytes_new(err, strlen(err)) : NULL;
    g_autofree char *problem = NULL;
    g_autoptr(GPtrArray) metrics = mf_metrics_from_output(out_bytes, err_bytes, &problem);
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < metrics->len; i++) {
        const MfMetric *metric = metrics->pdata[i];
        g_autofree char *value = mf_format_number(metric->value);

        g_assert_cmpint(metric->polarity, ==, MF_POLARITY_UNKNOWN);
        g_assert_null(metric->unit);
        g_string_append_printf(text, "%d:%s=%s ", metric->fd, metric->name, value);
    }
    if (problem)
        g_string_append_printf(text, "! %s", problem);
    return g_string_free(text, FALSE);
}

static void
assert_reads(const char *out, const char *err, const char *expected)
{
    g_autofree char *text = read_output(out, err);

    g_assert_cmpstr(text, ==, expected);
}

static void
test_p33_stdout_comes_first_and_is_tagged(void)
{
    assert_reads("{\"iops\": 500}", "fio-3.36 starting", "1:iops=500 ");
    assert_reads("{\"iops\": 500}", "{\"iops\": 9, \"other\": 1}", "1:iops=500 ");
    assert_reads("{\"iops\": 500}", NULL, "1:iops=500 ");
}

static void
test_p33_stderr_is_read_only_where_stdout_gives_none(void)
{
    const char *const without[] = {
        NULL,
        "",
        "prose, no JSON\n",
        "{\"status\":\"ok\",\"ready\":true,\"note\":null}",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(without); i++)
        assert_reads(without[i], "{\"iops\":9001}", "2:iops=9001 ");
}

static void
test_p33_two_streams_without_numbers_have_none(void)
{
    assert_reads("{\"a\": \"x\"}", "[true]", "");
    assert_reads("", "", "");
    assert_reads(NULL, NULL, "");
}

static void
test_a_stdout_that_cannot_be_read_is_a_problem(void)
{
    assert_reads("{\"iops\": 5", "",
                 "! The payload's stdout has JSON that cannot be used. ',' or '}' is expected, but "
                 "the text ends after 10 bytes.");
    assert_reads("{\"iops\": 5", "[warn] late",
                 "! The payload's stdout has JSON that cannot be used. ',' or '}' is expected, but "
                 "the text ends after 10 bytes.");
}

static void
test_a_problem_of_stdout_stays_whatever_stderr_gives(void)
{
    g_autofree char *open = g_strnfill(65, '[');
    g_autofree char *close = g_strnfill(65, ']');
    g_autofree char *deep = g_strdup_printf("{\"a\": 1, \"b\": %s1%s}", open, close);
    const char *problem =
        "! The payload's stdout has JSON that cannot be used. A value is expected "
        "at byte 1, not 'x'.";
    g_autofree char *with_one = g_strconcat("2:iops=1 ", problem, NULL);
    g_autofree char *with_deep =
        g_strconcat("2:a=1 2:__walk_json_leaves_truncated=65 ", problem, NULL);

    assert_reads("[x", "{\"iops\": 1}", with_one);
    assert_reads("[x", deep, with_deep);
    assert_reads("done", "[warn] late", "");
    assert_reads("", deep,
                 "2:a=1 2:__walk_json_leaves_truncated=65 ! The payload's stderr has JSON that "
                 "cannot be used. It is nested deeper than 64 levels, and what is below them was "
                 "left out.");
}

static void
assert_hinted(const GPtrArray *metrics, guint index, const char *unit, MfPolarity polarity)
{
    const MfMetric *metric = metrics->pdata[index];

    g_assert_cmpstr(metric->unit, ==, unit);
    g_assert_cmpint(metric->polarity, ==, polarity);
}

static GPtrArray *
new_hints(void)
{
    return g_ptr_array_new_with_free_func((GDestroyNotify)mf_metric_hint_free);
}

static void
test_p34_hints_set_unit_and_polarity_by_name(void)
{
    g_autoptr(GPtrArray) metrics = mf_metrics_new();
    g_autoptr(GPtrArray) hints = new_hints();

    g_ptr_array_add(metrics, mf_metric_new("iops", 1, 1));
    g_ptr_array_add(metrics, mf_metric_new("lat", 2, 1));
    g_ptr_array_add(metrics, mf_metric_new("iops", 3, 1));
    g_ptr_array_add(metrics, mf_metric_new("other", 4, 1));
    g_ptr_array_add(hints, mf_metric_hint_new("iops", "x", MF_POLARITY_LOWER));
    g_ptr_array_add(hints, mf_metric_hint_new("lat", "us", MF_POLARITY_LOWER));
    g_ptr_array_add(hints, mf_metric_hint_new("iops", "1/s", MF_POLARITY_HIGHER));
    g_ptr_array_add(hints, mf_metric_hint_new("absent", "s", MF_POLARITY_HIGHER));
    mf_metrics_apply_hints(metrics, hints);

    /* The last hint of a name, and each metric of it. */
    assert_hinted(metrics, 0, "1/s", MF_POLARITY_HIGHER);
    assert_hinted(metrics, 1, "us", MF_POLARITY_LOWER);
    assert_hinted(metrics, 2, "1/s", MF_POLARITY_HIGHER);
    assert_hinted(metrics, 3, NULL, MF_POLARITY_UNKNOWN);
    g_assert_cmpuint(metrics->len, ==, 4);
}

static void
test_p34_nothing_to_hint_is_nothing_to_do(void)
{
    g_autoptr(GPtrArray) metrics = mf_metrics_new();
    g_autoptr(GPtrArray) hints = new_hints();

    mf_metrics_apply_hints(metrics, NULL);
    mf_metrics_apply_hints(metrics, hints);
    g_ptr_array_add(hints, mf_metric_hint_new("iops", NULL, MF_POLARITY_HIGHER));
    mf_metrics_apply_hints(metrics, hints);
    g_assert_cmpuint(metrics->len, ==, 0);

    g_ptr_array_set_size(hints, 0);
    g_ptr_array_add(metrics, mf_metric_new("iops", 1, 1));
    mf_metrics_apply_hints(metrics, hints);
    assert_hinted(metrics, 0, NULL, MF_POLARITY_UNKNOWN);
}

static void
test_polarities_have_the_names_of_the_config_file(void)
{
    g_autoptr(GError) error = NULL;
    MfPolarity polarity = MF_POLARITY_UNKNOWN;

    g_assert_true(mf_polarity_parse("higher", &polarity, NULL));
    g_assert_cmpint(polarity, ==, MF_POLARITY_HIGHER);
    g_assert_true(mf_polarity_parse("lower", &polarity, NULL));
    g_assert_cmpint(polarity, ==, MF_POLARITY_LOWER);
    g_assert_cmpstr(mf_polarity_name(MF_POLARITY_UNKNOWN), ==, "");
    g_assert_false(mf_polarity_parse("", &polarity, NULL));
    g_assert_false(mf_polarity_parse("up", &polarity, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    g_assert_cmpstr(error->message, ==,
                    "'up' is no polarity; say which is better, 'higher' or 'lower'.");
}

static void
test_names_are_cut_at_the_border_of_a_character(void)
{
    g_autofree char *ascii = g_strnfill(MF_METRIC_NAME_MAX - 1, 'n');
    g_autofree char *name = g_strconcat(ascii, "\303\251", NULL);
    g_autoptr(MfMetric) metric = mf_metric_new(name, 1, 0);

    g_assert_cmpstr(metric->name, ==, ascii);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/metric/p-33-stdout-comes-first-and-is-tagged",
                    test_p33_stdout_comes_first_and_is_tagged);
    g_test_add_func("/metric/p-33-stderr-is-read-only-where-stdout-gives-none",
                    test_p33_stderr_is_read_only_where_stdout_gives_none);
    g_test_add_func("/metric/p-33-two-streams-without-numbers-have-none",
                    test_p33_two_streams_without_numbers_have_none);
    g_test_add_func("/metric/a-stdout-that-cannot-be-read-is-a-problem",
                    test_a_stdout_that_cannot_be_read_is_a_problem);
    g_test_add_func("/metric/a-problem-of-stdout-stays-whatever-stderr-gives",
                    test_a_problem_of_stdout_stays_whatever_stderr_gives);
    g_test_add_func("/metric/p-34-hints-set-unit-and-polarity-by-name",
                    test_p34_hints_set_unit_and_polarity_by_name);
    g_test_add_func("/metric/p-34-nothing-to-hint-is-nothing-to-do",
                    test_p34_nothing_to_hint_is_nothing_to_do);
    g_test_add_func("/metric/polarities-have-the-names-of-the-config-file",
                    test_polarities_have_the_names_of_the_config_file);
    g_test_add_func("/metric/names-are-cut-at-the-border-of-a-character",
                    test_names_are_cut_at_the_border_of_a_character);
    return g_test_run();
}
