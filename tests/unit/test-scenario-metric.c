/* SPDX-License-Identifier: Apache-2.0 */
#include "run/scenario-metric.h"

#include <string.h>

#include "base/error.h"

static MfMetric *
parse(const char *json)
{
    g_autoptr(GError) error = NULL;
    MfMetric *metric = mf_scenario_metric_parse(json, strlen(json), &error);

    g_assert_true((metric == NULL) == (error != NULL));
    if (error)
        g_assert_error(error, MF_ERROR, MF_ERROR_PROTOCOL);
    return metric;
}

static void
test_a_metric_has_all_that_the_guest_said(void)
{
    g_autoptr(MfMetric) full = parse("{\"metric\": {\"name\": \"p99\", \"value\": 1.5, \"unit\": "
                                     "\"us\", \"polarity\": \"lower\"}}");
    g_autoptr(MfMetric) bare =
        parse("{\"metric\": {\"name\": \"n\", \"value\": -3, \"unit\": \"\", "
              "\"polarity\": \"\"}}");

    g_assert_cmpstr(full->name, ==, "p99");
    g_assert_cmpfloat(full->value, ==, 1.5);
    g_assert_cmpstr(full->unit, ==, "us");
    g_assert_cmpint(full->polarity, ==, MF_POLARITY_LOWER);
    g_assert_cmpint(full->fd, ==, 0);
    g_assert_cmpfloat(bare->value, ==, -3);
    g_assert_null(bare->unit);
    g_assert_cmpint(bare->polarity, ==, MF_POLARITY_UNKNOWN);
}

static void
test_hostile_text_becomes_plain(void)
{
    g_autoptr(MfMetric) metric =
        parse("{\"metric\": {\"name\": \"a\\nb\\u001b[31mc\", \"value\": 1, \"unit\": \"u\\ts\", "
              "\"polarity\": \"sideways\"}}");

    g_assert_null(strpbrk(metric->name, "\n\x1b"));
    g_assert_cmpstr(metric->unit, ==, "u s");
    g_assert_cmpint(metric->polarity, ==, MF_POLARITY_UNKNOWN);
}

static void
test_what_is_no_metric_is_an_error(void)
{
    static const char *const bad[] = {
        "",
        "x",
        "null",
        "[]",
        "{}",
        "{\"metric\": []}",
        "{\"metric\": {\"value\": 1, \"unit\": \"\", \"polarity\": \"\"}}",
        "{\"metric\": {\"name\": \"\", \"value\": 1, \"unit\": \"\", \"polarity\": \"\"}}",
        "{\"metric\": {\"name\": 1, \"value\": 1, \"unit\": \"\", \"polarity\": \"\"}}",
        "{\"metric\": {\"name\": \"n\", \"value\": \"1\", \"unit\": \"\", \"polarity\": \"\"}}",
        "{\"metric\": {\"name\": \"n\", \"value\": NaN, \"unit\": \"\", \"polarity\": \"\"}}",
        "{\"metric\": {\"name\": \"n\", \"value\": 1e999, \"unit\": \"\", \"polarity\": \"\"}}",
        "{\"metric\": {\"name\": \"n\", \"value\": 1, \"polarity\": \"\"}}",
        "{\"metric\": {\"name\": \"n\", \"value\": 1, \"unit\": \"\", \"polarity\": \"\"}",
        "{\"metric\": {\"name\": \"n\", \"value\": 1, \"unit\": \"\", \"polarity\": \"\"}} x",
    };
    g_autofree char *unit = g_strnfill(MF_METRIC_UNIT_MAX + 1, 'u');
    g_autofree char *long_unit = g_strdup_printf(
        "{\"metric\": {\"name\": \"n\", \"value\": 1, \"unit\": \"%s\", \"polarity\": \"\"}}",
        unit);

    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_null(parse(bad[i]));
    g_assert_null(parse(long_unit));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/scenario-metric/has-all-that-the-guest-said",
                    test_a_metric_has_all_that_the_guest_said);
    g_test_add_func("/scenario-metric/hostile-text-becomes-plain", test_hostile_text_becomes_plain);
    g_test_add_func("/scenario-metric/what-is-no-metric-is-an-error",
                    test_what_is_no_metric_is_an_error);
    return g_test_run();
}
