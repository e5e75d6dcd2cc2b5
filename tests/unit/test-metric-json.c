/* SPDX-License-Identifier: Apache-2.0 */
#include "run/metric-json.h"

#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/parse.h"
#include "run/metric.h"

/* In CPU time of this process. */
#ifdef __SANITIZE_ADDRESS__
#define LIMIT_US (100 * 1000) /* with it all takes several times as long */
#else
#define LIMIT_US (10 * 1000)
#endif

/* "name=value" of each metric, with a space between. Owned by the caller. */
static char *
show(const GPtrArray *metrics)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < metrics->len; i++) {
        const MfMetric *metric = metrics->pdata[i];
        g_autofree char *value = mf_format_number(metric->value);

        g_string_append_printf(text, "%s%s=%s", i ? " " : "", metric->name, value);
    }
    return g_string_free(text, FALSE);
}

/* What an output gives, and nothing is wrong with it. */
static void
assert_extracts(const char *text, const char *expected)
{
    g_autoptr(GPtrArray) metrics = mf_metrics_new();
    g_autoptr(GError) error = NULL;

    g_assert_true(mf_metric_json_extract(text, strlen(text), 1, metrics, &error));
    g_assert_no_error(error);
    g_autofree char *shown = show(metrics);
    g_assert_cmpstr(shown, ==, expected);
}

static void
assert_refuses_bytes(const char *text, gsize size, const char *message)
{
    g_autoptr(GPtrArray) metrics = mf_metrics_new();
    g_autoptr(GError) error = NULL;

    g_assert_false(mf_metric_json_extract(text, size, 1, metrics, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_PROTOCOL);
    g_assert_cmpstr(error->message, ==, message);
    g_assert_cmpuint(metrics->len, ==, 0);
}

static void
assert_refuses(const char *text, const char *message)
{
    assert_refuses_bytes(text, strlen(text), message);
}

/*
 * Where the document is
 */

static void
test_p30_takes_the_whole_output_first(void)
{
    assert_extracts("{\"iops\": 500}", "iops=500");
    assert_extracts(" \r\n\t{\"iops\": 500}\n \n", "iops=500");
    assert_extracts("[3, 4]\n", "0=3 1=4");
}

static void
test_p30_takes_the_first_region_from_its_first_bracket(void)
{
    assert_extracts("fio-3.36 starting up\n{\"iops\": 500}", "iops=500");
    assert_extracts("{\"iops\": 500}\nbye\n", "iops=500");
    assert_extracts("{\"first\":1} x {\"second\":2}", "first=1");
    assert_extracts("[1] {\"second\":2}", "0=1");
    /* A time stamp is an array too: a known limit. */
    assert_extracts("[   0.001234] banner\n{\"iops\": 100}", "0=0.001234");
}

static void
test_p30_a_region_knows_strings_and_escapes(void)
{
    assert_extracts("x {\"}\": 1, \"\\\"}\": 2, \"\\\\\": 3} }", "}=1 \"}=2 \\=3");
    assert_extracts("x [[1], \"]\", [2]] ]", "0.0=1 2.0=2");
}

static void
assert_region(const char *text, const char *expected)
{
    gsize start;
    gsize length;

    if (!mf_metric_json_find(text, strlen(text), &start, &length)) {
        g_assert_null(expected);
        return;
    }
    g_autofree char *region = g_strndup(text + start, length);
    g_assert_cmpstr(region, ==, expected);
}

static void
test_p30_only_brackets_of_one_kind_nest(void)
{
    assert_region("a {[}] b", "{[}");
    assert_region("a [{]} b", "[{]");
    assert_region("a {{}} b", "{{}}");
    assert_region("[   0.001234] banner\n{\"iops\": 100}", "[   0.001234]");
}

static void
test_p30_what_does_not_close_is_no_region(void)
{
    assert_region("[FAIL stress-ng: x\n{\"iops\": 200}", NULL);
    assert_region("{\"a\": \"}", NULL);
    assert_region("{\"a\": \"\\", NULL);
    assert_region("no bracket", NULL);
    assert_region("", NULL);
    assert_refuses("[FAIL stress-ng: x\n{\"iops\": 200}",
                   "A value is expected at byte 1, not 'FAIL stress-ng: '.");
}

static void
test_p30_output_without_brackets_has_no_metrics_and_no_fault(void)
{
    assert_extracts("", "");
    assert_extracts(" \n", "");
    assert_extracts("all 12 tests passed: 100 %\n", "");
    assert_extracts("}]", "");
}

/*
 * The numbers
 */

static void
test_p31_numbers_have_the_way_to_them_as_name(void)
{
    assert_extracts(
        "{\"jobs\": [{\"read\": {\"iops\": 1.5, \"bw\": 20}}, {\"read\": {\"iops\": 2}}]}",
        "jobs.0.read.iops=1.5 jobs.0.read.bw=20 jobs.1.read.iops=2");
    assert_extracts("[10, [20, 30], {\"a\": 40}]", "0=10 1.0=20 1.1=30 2.a=40");
    assert_extracts("{\"a\": {}, \"b\": [], \"c\": 1}", "c=1");
}

static void
test_p31_what_is_no_number_is_skipped(void)
{
    assert_extracts("{\"status\":\"ok\",\"ready\":true,\"bad\":false,\"note\":null,\"n\":1}",
                    "n=1");
    assert_extracts("[\"x\", 1, null, 2]", "1=1 3=2");
    assert_extracts("42", "");
}

static void
test_p31_zero_keeps_its_sign(void)
{
    g_autoptr(GPtrArray) metrics = mf_metrics_new();
    const char *text = "{\"errors\": 0.0, \"drift\": -0.0, \"zero\": -0}";

    assert_extracts(text, "errors=0 drift=-0 zero=-0");
    g_assert_true(mf_metric_json_extract(text, strlen(text), 2, metrics, NULL));
    g_assert_cmpint(((MfMetric *)metrics->pdata[0])->fd, ==, 2);
}

static void
test_p31_integers_beyond_2_to_the_53_lose_precision(void)
{
    assert_extracts("[9007199254740993, 18446744073709551615, 1e300, -12.5E-1, 0e0]",
                    "0=9007199254740992 1=1.8446744073709552e+19 2=1e+300 3=-1.25 4=0");
}

static void
test_a_member_that_occurs_twice_is_two_metrics(void)
{
    assert_extracts("{\"iops\": 1, \"iops\": 2, \"a.b\": 3, \"a\": {\"b\": 4}}",
                    "iops=1 iops=2 a.b=3 a.b=4");
}

static void
test_names_are_decoded_and_fit_to_be_shown(void)
{
    assert_extracts("{\"\\u0041\\u00e9\\n\\ud83d\\ude00\": 1}", "A\303\251 \360\237\230\200=1");
    assert_extracts("{\"\\ud83d\": 1, \"\\ud83d\\u0041\": 2, \"\\u0000\": 3}",
                    "\357\277\275=1 \357\277\275A=2 \357\277\275=3");
    assert_extracts("{\"\xff\": 1, \"\\u001b[31mred\": 2}", "\357\277\275=1 red=2");
}

static void
test_numbers_below_a_prefix(void)
{
    g_autoptr(GPtrArray) metrics = mf_metrics_new();
    const char *text = "{\"cpu.stat\": {\"usage_usec\": 7}}";
    gboolean truncated;

    g_assert_true(mf_metric_json_read(text, strlen(text), "cgroup", 0, metrics, &truncated, NULL));
    g_assert_false(truncated);
    g_autofree char *shown = show(metrics);
    g_assert_cmpstr(shown, ==, "cgroup.cpu.stat.usage_usec=7");
}

/*
 * Depth
 */

/* 'depth' arrays around a number. Owned by the caller. */
static char *
nest(gsize depth)
{
    GString *text = g_string_new(NULL);

    for (gsize i = 0; i < depth; i++)
        g_string_append_c(text, '[');
    g_string_append_c(text, '7');
    for (gsize i = 0; i < depth; i++)
        g_string_append_c(text, ']');
    return g_string_free(text, FALSE);
}

static void
test_p32_a_number_at_depth_64_is_kept(void)
{
    g_autofree char *text = nest(MF_METRIC_DEPTH_MAX);
    g_autoptr(GPtrArray) metrics = mf_metrics_new();

    g_assert_true(mf_metric_json_extract(text, strlen(text), 1, metrics, NULL));
    g_assert_cmpuint(metrics->len, ==, 1);
    g_assert_cmpfloat(((MfMetric *)metrics->pdata[0])->value, ==, 7);
}

static void
test_p32_a_deeper_one_is_left_out_and_marked(void)
{
    g_autofree char *deep = nest(MF_METRIC_DEPTH_MAX);
    g_autofree char *text = g_strdup_printf("{\"a\": 1, \"deep\": %s, \"z\": [2]}", deep);
    g_autoptr(GPtrArray) metrics = mf_metrics_new();
    g_autoptr(GError) error = NULL;

    g_assert_false(mf_metric_json_extract(text, strlen(text), 1, metrics, &error));
    g_assert_cmpstr(error->message, ==,
                    "It is nested deeper than 64 levels, and what is below them was left out.");
    g_autofree char *shown = show(metrics);
    g_assert_cmpstr(shown, ==, "a=1 z.0=2 __walk_json_leaves_truncated=65");
}

static void
test_p32_a_thousand_levels_and_a_million_are_a_clear_fault(void)
{
    const gsize depths[] = {1000, 1000 * 1000};

    for (gsize i = 0; i < G_N_ELEMENTS(depths); i++) {
        g_autofree char *text = nest(depths[i]);
        g_autofree char *open = g_strndup(text, depths[i]);
        g_autoptr(GPtrArray) metrics = mf_metrics_new();
        g_autoptr(GError) error = NULL;

        g_assert_false(mf_metric_json_extract(text, strlen(text), 1, metrics, &error));
        g_assert_error(error, MF_ERROR, MF_ERROR_PROTOCOL);
        g_autofree char *shown = show(metrics);
        g_assert_cmpstr(shown, ==, "__walk_json_leaves_truncated=65");

        g_autofree char *message =
            g_strdup_printf("A value is expected, but the text ends after %zu bytes.", depths[i]);
        assert_refuses(open, message);
    }
}

/*
 * What is no JSON
 */

static void
test_malformed_json_is_refused_with_the_place(void)
{
    assert_refuses("{\"a\": nan, \"b\": 1}",
                   "A value is expected at byte 6, not 'nan, \"b\": 1}'.");
    assert_refuses("{\"a\": NaN}", "A value is expected at byte 6, not 'NaN}'.");
    assert_refuses("{\"a\": -Infinity}", "A digit is expected at byte 7, not 'Infinity}'.");
    assert_refuses("{\"a\" 1}", "':' is expected at byte 5, not '1}'.");
    assert_refuses("{a: 1}", "The name of a member is expected at byte 1, not 'a: 1}'.");
    assert_refuses("{\"a\": 1,}", "The name of a member is expected at byte 8, not '}'.");
    assert_refuses("[1,]", "A value is expected at byte 3, not ']'.");
    assert_refuses("[1 2]", "',' or ']' is expected at byte 3, not '2]'.");
    assert_refuses("{\"a\": 01}", "',' or '}' is expected at byte 7, not '1}'.");
    assert_refuses("[+1]", "A value is expected at byte 1, not '+1]'.");
    assert_refuses("[1.]", "A digit is expected at byte 3, not ']'.");
    assert_refuses("[1e]", "A digit is expected at byte 3, not ']'.");
    assert_refuses("[\"\\x\"]", "An escape of JSON is expected at byte 3, not 'x\"]'.");
    assert_refuses("[\"\\u12g4\"]", "A hexadecimal digit is expected at byte 6, not 'g4\"]'.");
    assert_refuses("[\"a\nb\"]", "The end of a string is expected at byte 3, not '\\nb\"]'.");
    assert_refuses("[1}]", "',' or ']' is expected at byte 2, not '}]'.");
    assert_refuses("[1, // no\n 2]", "A value is expected at byte 4, not '// no\\n 2]'.");
    assert_refuses_bytes("[1\0]", 4, "',' or ']' is expected at byte 2, not ''.");
}

static void
test_bytes_are_counted_from_the_start_of_the_output(void)
{
    assert_refuses("banner\n{\"a\": x}", "A value is expected at byte 13, not 'x}'.");
}

static void
test_truncated_json_is_refused_wherever_it_ends(void)
{
    const char *text =
        "{\"jobs\": [{\"read\": {\"iops\": -1.5e+3, \"\\u00e9\": true}}, null, \"x\"]}";
    g_autoptr(GPtrArray) whole = mf_metrics_new();

    g_assert_true(mf_metric_json_extract(text, strlen(text), 1, whole, NULL));
    g_assert_cmpuint(whole->len, ==, 1);
    for (gsize size = 1; size < strlen(text); size++) {
        g_autoptr(GPtrArray) metrics = mf_metrics_new();
        g_autoptr(GError) error = NULL;

        g_assert_false(mf_metric_json_extract(text, size, 1, metrics, &error));
        g_assert_error(error, MF_ERROR, MF_ERROR_PROTOCOL);
        g_assert_cmpuint(metrics->len, ==, 0);
    }
    assert_refuses("{\"iops\": 5", "',' or '}' is expected, but the text ends after 10 bytes.");
}

static void
test_numbers_beyond_a_double_are_refused(void)
{
    g_autofree char *digits = g_strnfill(100 * 1000, '9');
    g_autofree char *integer = g_strdup_printf("{\"n\": %s}", digits);
    g_autofree char *fraction = g_strdup_printf("[0.%s]", digits);

    assert_refuses("{\"a\": 1, \"n\": 1e999}",
                   "A number that a double can hold is expected at byte 14, not '1e999}'.");
    assert_refuses("[-1e400]",
                   "A number that a double can hold is expected at byte 1, not '-1e400]'.");
    assert_refuses(integer, "A number that a double can hold is expected at byte 6, not "
                            "'9999999999999999'.");
    assert_refuses(fraction, "A number that a double can hold is expected at byte 1, not "
                             "'0.99999999999999'.");
    assert_extracts("[1e-999, 1.7976931348623157e308]", "0=0 1=1.7976931348623157e+308");
}

/*
 * Limits
 */

/* An array of that many zeros. Owned by the caller. */
static GString *
zeros(guint count)
{
    GString *text = g_string_new("[0");

    for (guint i = 1; i < count; i++)
        g_string_append(text, ",0");
    return g_string_append_c(text, ']');
}

static void
test_numbers_are_taken_up_to_the_limit_and_refused_beyond(void)
{
    g_autoptr(GPtrArray) metrics = mf_metrics_new();
    GString *most = zeros(MF_METRICS_MAX);
    GString *more = zeros(MF_METRICS_MAX + 1);

    g_assert_true(mf_metric_json_extract(most->str, most->len, 1, metrics, NULL));
    g_assert_cmpuint(metrics->len, ==, MF_METRICS_MAX);
    assert_refuses(more->str,
                   "The end, after that many numbers, is expected at byte 200002, not ']'.");
    g_string_free(most, TRUE);
    g_string_free(more, TRUE);
}

static void
test_names_are_taken_up_to_their_limit_and_refused_beyond(void)
{
    g_autoptr(GPtrArray) metrics = mf_metrics_new();
    g_autofree char *name = g_strnfill(MF_METRIC_NAME_MAX, 'n');
    g_autofree char *most = g_strdup_printf("{\"%s\": 1}", name);
    g_autofree char *more = g_strdup_printf("{\"%sn\": 1}", name);

    g_assert_true(mf_metric_json_extract(most, strlen(most), 1, metrics, NULL));
    g_assert_cmpstr(((MfMetric *)metrics->pdata[0])->name, ==, name);
    assert_refuses(more, "A number whose name is shorter is expected at byte 1031, not '}'.");
}

static void
test_names_in_all_are_refused_beyond_their_limit(void)
{
    g_autofree char *name = g_strnfill(MF_METRIC_NAME_MAX - 10, 'n');
    GString *zero = zeros(MF_METRICS_MAX / 2);
    g_autofree char *text = g_strdup_printf("{\"%s\": %s}", name, zero->str);
    g_autoptr(GPtrArray) metrics = mf_metrics_new();

    g_assert_false(mf_metric_json_extract(text, strlen(text), 1, metrics, NULL));
    g_assert_cmpuint(metrics->len, ==, 0);
    g_string_free(zero, TRUE);
}

/*
 * Speed and hostile input
 */

/* What fio writes has thousands of numbers: a job after the other, each with its percentiles. */
static GString *
write_like_fio(guint n_jobs)
{
    GString *text = g_string_new("fio: this may take a while\n{\"fio version\": \"fio-3.33\", "
                                 "\"jobs\": [");

    for (guint job = 0; job < n_jobs; job++) {
        g_string_append_printf(text, "%s{\"jobname\": \"job%u\", \"error\": 0, \"read\": {",
                               job ? "," : "", job);
        for (guint i = 0; i < 200; i++)
            g_string_append_printf(text, "\"%u.000000\": %u.%06u,\n        ", i, i * job, i);
        g_string_append(text, "\"iops\": 1234.5678}}");
    }
    return g_string_append(text, "]}\n");
}

static void
test_ten_thousand_numbers_take_less_than_ten_milliseconds(void)
{
    GString *text = write_like_fio(50);
    gint64 best = G_MAXINT64;

    /* CPU time of this process, the best of some: others may be using the caches. */
    for (int i = 0; i < 10; i++) {
        g_autoptr(GPtrArray) metrics = mf_metrics_new();
        clock_t start = clock();

        g_assert_true(mf_metric_json_extract(text->str, text->len, 1, metrics, NULL));
        best = MIN(best, (gint64)(clock() - start) * G_USEC_PER_SEC / CLOCKS_PER_SEC);
        g_assert_cmpuint(metrics->len, ==, 50 * 202);
    }
    g_test_message("%" G_GINT64_FORMAT " us for %zu bytes", best, text->len);
    g_assert_cmpint(best, <, LIMIT_US);
    g_string_free(text, TRUE);
}

static void
test_sixteen_hostile_mebibytes_take_the_time_of_their_bytes(void)
{
    const char *const hostile[] = {"[", "{\"", "[\"\\\"", "{\"a\":", "[[],", "\"", "[1e", "{} "};
    const gsize size = 16u << 20;
    g_autofree char *text = g_malloc(size);

    for (gsize i = 0; i < G_N_ELEMENTS(hostile); i++) {
        gsize length = strlen(hostile[i]);
        g_autoptr(GPtrArray) metrics = mf_metrics_new();

        for (gsize at = 0; at + length <= size; at += length)
            memcpy(text + at, hostile[i], length);
        clock_t start = clock();
        mf_metric_json_extract(text, size - size % length, 1, metrics, NULL);
        g_assert_cmpint(clock() - start, <, 5 * CLOCKS_PER_SEC);
        g_assert_cmpuint(metrics->len, ==, 0);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/metric-json/p-30-takes-the-whole-output-first",
                    test_p30_takes_the_whole_output_first);
    g_test_add_func("/metric-json/p-30-takes-the-first-region-from-its-first-bracket",
                    test_p30_takes_the_first_region_from_its_first_bracket);
    g_test_add_func("/metric-json/p-30-a-region-knows-strings-and-escapes",
                    test_p30_a_region_knows_strings_and_escapes);
    g_test_add_func("/metric-json/p-30-only-brackets-of-one-kind-nest",
                    test_p30_only_brackets_of_one_kind_nest);
    g_test_add_func("/metric-json/p-30-what-does-not-close-is-no-region",
                    test_p30_what_does_not_close_is_no_region);
    g_test_add_func("/metric-json/p-30-output-without-brackets-has-no-metrics-and-no-fault",
                    test_p30_output_without_brackets_has_no_metrics_and_no_fault);
    g_test_add_func("/metric-json/p-31-numbers-have-the-way-to-them-as-name",
                    test_p31_numbers_have_the_way_to_them_as_name);
    g_test_add_func("/metric-json/p-31-what-is-no-number-is-skipped",
                    test_p31_what_is_no_number_is_skipped);
    g_test_add_func("/metric-json/p-31-zero-keeps-its-sign", test_p31_zero_keeps_its_sign);
    g_test_add_func("/metric-json/p-31-integers-beyond-2-to-the-53-lose-precision",
                    test_p31_integers_beyond_2_to_the_53_lose_precision);
    g_test_add_func("/metric-json/a-member-that-occurs-twice-is-two-metrics",
                    test_a_member_that_occurs_twice_is_two_metrics);
    g_test_add_func("/metric-json/names-are-decoded-and-fit-to-be-shown",
                    test_names_are_decoded_and_fit_to_be_shown);
    g_test_add_func("/metric-json/numbers-below-a-prefix", test_numbers_below_a_prefix);
    g_test_add_func("/metric-json/p-32-a-number-at-depth-64-is-kept",
                    test_p32_a_number_at_depth_64_is_kept);
    g_test_add_func("/metric-json/p-32-a-deeper-one-is-left-out-and-marked",
                    test_p32_a_deeper_one_is_left_out_and_marked);
    g_test_add_func("/metric-json/p-32-a-thousand-levels-and-a-million-are-a-clear-fault",
                    test_p32_a_thousand_levels_and_a_million_are_a_clear_fault);
    g_test_add_func("/metric-json/malformed-json-is-refused-with-the-place",
                    test_malformed_json_is_refused_with_the_place);
    g_test_add_func("/metric-json/bytes-are-counted-from-the-start-of-the-output",
                    test_bytes_are_counted_from_the_start_of_the_output);
    g_test_add_func("/metric-json/truncated-json-is-refused-wherever-it-ends",
                    test_truncated_json_is_refused_wherever_it_ends);
    g_test_add_func("/metric-json/numbers-beyond-a-double-are-refused",
                    test_numbers_beyond_a_double_are_refused);
    g_test_add_func("/metric-json/numbers-are-taken-up-to-the-limit-and-refused-beyond",
                    test_numbers_are_taken_up_to_the_limit_and_refused_beyond);
    g_test_add_func("/metric-json/names-are-taken-up-to-their-limit-and-refused-beyond",
                    test_names_are_taken_up_to_their_limit_and_refused_beyond);
    g_test_add_func("/metric-json/names-in-all-are-refused-beyond-their-limit",
                    test_names_in_all_are_refused_beyond_their_limit);
    g_test_add_func("/metric-json/ten-thousand-numbers-take-less-than-ten-milliseconds",
                    test_ten_thousand_numbers_take_less_than_ten_milliseconds);
    g_test_add_func("/metric-json/sixteen-hostile-mebibytes-take-the-time-of-their-bytes",
                    test_sixteen_hostile_mebibytes_take_the_time_of_their_bytes);
    return g_test_run();
}
