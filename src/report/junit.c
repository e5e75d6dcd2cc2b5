/* SPDX-License-Identifier: Apache-2.0 */
#include "report/junit.h"

#include "base/parse.h"
#include "report/prose.h"
#include "report/series.h"
#include "report/tally.h"
#include "report/text.h"
#include "report/xml.h"

/* Metrics of a target: what shows these files shows each of them. */
#define METRICS_MAX 1000

struct _MfReportJunit {
    MfSink *sink;             /* borrowed */
    const MfReportHost *host; /* borrowed */
    gint64 wall_time_us;
};

static void
append_number(GString *to, const char *name, guint64 number)
{
    g_string_append_printf(to, " %s=\"%" G_GUINT64_FORMAT "\"", name, number);
}

/* In seconds, whatever the locale's decimal point is. */
static void
append_time(GString *to, gint64 duration_us)
{
    g_string_append_printf(to, " time=\"%" G_GINT64_FORMAT ".%03d\"", duration_us / G_USEC_PER_SEC,
                           (int)(duration_us % G_USEC_PER_SEC / 1000));
}

static void
append_property(GString *to, const char *name, const char *value)
{
    g_string_append(to, "<property");
    mf_xml_append_attribute(to, "name", name);
    mf_xml_append_attribute(to, "value", value);
    g_string_append(to, "/>\n");
}

static void
append_number_property(GString *to, const char *name, gint64 value)
{
    g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, value);

    append_property(to, name, text);
}

/* "metric.fio.iops" with its value, their median when there are several; then those, and the unit.
 */
static void
append_metric_properties(GString *to, const MfSeries *series)
{
    g_autofree char *label = mf_series_label(series);
    g_autofree char *name = g_strconcat("metric.", label, NULL);
    g_autofree char *median = mf_format_number(mf_series_median(series));
    g_autoptr(GString) values = g_string_new(NULL);

    append_property(to, name, median);
    for (guint i = 0; i < series->values->len; i++) {
        g_autofree char *value = mf_format_number(g_array_index(series->values, double, i));

        g_string_append_printf(values, "%s%s", i > 0 ? " " : "", value);
    }
    if (series->values->len > 1) {
        g_autofree char *of_values = g_strconcat(name, ".values", NULL);

        append_property(to, of_values, values->str);
    }
    if (series->unit) {
        g_autofree char *of_unit = g_strconcat(name, ".unit", NULL);

        append_property(to, of_unit, series->unit);
    }
}

static void
append_all_metrics(GString *to, const MfResult *result)
{
    g_autoptr(GPtrArray) all = mf_series_of(result);

    for (guint i = 0; i < MIN(all->len, METRICS_MAX); i++)
        append_metric_properties(to, all->pdata[i]);
    if (all->len > METRICS_MAX)
        append_number_property(to, "metrics.left_out", all->len - METRICS_MAX);
}

static void
append_result_properties(GString *to, const MfResult *result)
{
    append_property(to, "verdict", mf_verdict_name(result->verdict));
    append_property(to, "phase", mf_phase_name(result->phase));
    if (result->accel != MF_ACCEL_AUTO)
        append_property(to, "accel", mf_accel_name(result->accel));
    for (guint i = 0; i < result->notes->len; i++)
        append_property(to, "note", g_ptr_array_index(result->notes, i));
    if (result->verdict == MF_VERDICT_EXITED)
        append_number_property(to, "status", result->status);
    if (result->verdict == MF_VERDICT_SIGNALLED)
        append_number_property(to, "signal", result->signal_number);
    for (MfPhase phase = 0; phase < MF_N_PHASES; phase++) {
        g_autofree char *name = g_strdup_printf("phase.%s.us", mf_phase_name(phase));

        append_number_property(to, name, result->phase_us[phase]);
    }
    append_all_metrics(to, result);
}

static void
append_properties(GString *to, const MfCase *kase, const MfOutcomeReport *outcome)
{
    g_string_append(to, "<properties>\n");
    append_property(to, "outcome", mf_tally_outcome_name(outcome));
    append_property(to, "id", kase->id);
    for (char *const *tag = kase->tags; tag && *tag; tag++)
        append_property(to, "tag", *tag);
    if (outcome) {
        append_number_property(to, "attempts", outcome->attempts);
        if (outcome->run_dir)
            append_property(to, "run_dir", outcome->run_dir);
        if (outcome->result)
            append_result_properties(to, outcome->result);
    }
    g_string_append(to, "</properties>\n");
}

static void
append_verdict(GString *to, const MfCase *kase, const MfOutcomeReport *outcome,
               const char *interrupted)
{
    gboolean skipped = !outcome || outcome->outcome == MF_OUTCOME_SKIP;
    const char *element = skipped                                ? "skipped"
                          : outcome->outcome == MF_OUTCOME_ERROR ? "error"
                                                                 : "failure";
    const char *reason = outcome ? outcome->reason : interrupted;
    g_autoptr(GString) detail = g_string_new(NULL);

    if (outcome && outcome->outcome == MF_OUTCOME_PASS)
        return;
    g_string_append_printf(to, "<%s", element);
    mf_xml_append_attribute(to, "message", reason ? reason : mf_tally_outcome_name(outcome));
    if (skipped) {
        g_string_append(to, "/>\n");
        return;
    }
    mf_xml_append_attribute(to, "type",
                            outcome->result ? mf_verdict_name(outcome->result->verdict) : element);
    g_string_append_c(to, '>');
    /* What the command wrote is in elements of its own. */
    mf_prose_append_detail(detail, kase, outcome, MF_OUTPUT_LIVE);
    mf_xml_append_escaped(to, detail->str);
    g_string_append_printf(to, "</%s>\n", element);
}

static void
append_output(GString *to, const char *element, const MfOutcomeReport *outcome, int stream)
{
    gsize size;

    if (!outcome || !outcome->tail[stream])
        return;

    const char *data = g_bytes_get_data(outcome->tail[stream], &size);
    g_autofree char *text = mf_text_clean(data, size);
    g_string_append_printf(to, "<%s>", element);
    if (size < outcome->bytes[stream]) {
        g_autofree char *shown = mf_format_size(size);
        g_autofree char *all = mf_format_size(outcome->bytes[stream]);

        g_string_append_printf(to, "[the last %s of %s]\n", shown, all);
    }
    mf_xml_append_escaped(to, text);
    g_string_append_printf(to, "</%s>\n", element);
}

static void
append_case(GString *to, const MfCase *kase, const MfOutcomeReport *outcome,
            const char *interrupted)
{
    g_string_append(to, "<testcase");
    mf_xml_append_attribute(to, "name", kase->name);
    mf_xml_append_attribute(to, "classname", "mayfly");
    append_time(to, outcome ? outcome->duration_us : 0);
    if (kase->file)
        mf_xml_append_attribute(to, "file", kase->file);
    if (kase->line)
        append_number(to, "line", kase->line);
    g_string_append(to, ">\n");
    append_properties(to, kase, outcome);
    append_verdict(to, kase, outcome, interrupted);
    append_output(to, "system-out", outcome, 1);
    append_output(to, "system-err", outcome, 2);
    g_string_append(to, "</testcase>\n");
}

/* Nobody knows what its targets came to: that is an error, whatever those of others did. */
static void
append_missing(GString *to, const MfShard *shard)
{
    g_autofree char *name = g_strdup_printf("shard %u of %u", shard->index, shard->count);
    g_autofree char *message = g_strdup_printf("The result of %s is missing.", name);

    g_string_append(to, "<testcase");
    mf_xml_append_attribute(to, "name", name);
    mf_xml_append_attribute(to, "classname", "mayfly");
    append_time(to, 0);
    g_string_append(to, ">\n<error");
    mf_xml_append_attribute(to, "message", message);
    mf_xml_append_attribute(to, "type", "missing");
    g_string_append(to, "/>\n</testcase>\n");
}

/* Of test cases. */
typedef struct {
    guint tests, failures, errors, skipped;
} Counts;

static void
append_counts(GString *to, const Counts *counts, gint64 duration_us)
{
    append_number(to, "tests", counts->tests);
    append_number(to, "failures", counts->failures);
    append_number(to, "errors", counts->errors);
    append_number(to, "skipped", counts->skipped);
    append_time(to, duration_us);
}

static Counts
count_targets(const MfEvent *finished)
{
    MfTally tally = mf_tally_of(finished);
    guint missing = finished->missing ? finished->missing->len : 0;

    return (Counts){
        .tests = tally.total + missing,
        .failures = tally.outcomes[MF_OUTCOME_FAIL],
        .errors = tally.outcomes[MF_OUTCOME_ERROR] + missing,
        .skipped = tally.outcomes[MF_OUTCOME_SKIP] + tally.not_run,
    };
}

/* The sub-tests of a target that are listed; NULL for none. */
static const GPtrArray *
get_subtests(const MfEvent *finished, guint index)
{
    const MfOutcomeReport *outcome = g_ptr_array_index(finished->outcomes, index);
    const MfResult *result = outcome ? outcome->result : NULL;

    return result && result->subtests && result->subtests->tests->len > 0 ? result->subtests->tests
                                                                          : NULL;
}

static Counts
count_subtests(const GPtrArray *tests)
{
    Counts counts = {.tests = tests->len};

    for (guint i = 0; i < tests->len; i++) {
        const MfSubtest *test = g_ptr_array_index(tests, i);

        counts.failures += test->status == MF_SUBTEST_FAIL;
        counts.skipped += test->status == MF_SUBTEST_SKIP || test->status == MF_SUBTEST_TODO;
    }
    return counts;
}

static void
append_subtest(GString *to, const MfCase *kase, const MfSubtest *test)
{
    const char *name = mf_subtest_status_name(test->status);

    g_string_append(to, "<testcase");
    mf_xml_append_attribute(to, "name", test->name);
    mf_xml_append_attribute(to, "classname", kase->name);
    append_time(to, 0);
    g_string_append(to, ">\n");
    if (test->status == MF_SUBTEST_FAIL) {
        g_string_append(to, "<failure");
        mf_xml_append_attribute(to, "message", test->message ? test->message : name);
        mf_xml_append_attribute(to, "type", "subtest");
        g_string_append(to, "/>\n");
    } else if (test->status != MF_SUBTEST_PASS) {
        g_string_append(to, "<skipped");
        mf_xml_append_attribute(to, "message", test->message ? test->message : name);
        g_string_append(to, "/>\n");
    }
    g_string_append(to, "</testcase>\n");
}

/* A suite of its own for each target that has sub-tests: what shows these files groups by suites,
 * and shows test cases only. */
static void
append_subtest_suite(GString *to, const MfReportJunit *self, const MfEvent *finished, guint index,
                     const char *timestamp)
{
    const MfCase *kase = g_ptr_array_index(finished->cases, index);
    const MfOutcomeReport *outcome = g_ptr_array_index(finished->outcomes, index);
    const GPtrArray *tests = get_subtests(finished, index);

    if (!tests)
        return;

    const Counts counts = count_subtests(tests);
    g_string_append(to, "<testsuite");
    mf_xml_append_attribute(to, "name", kase->name);
    append_counts(to, &counts, outcome->duration_us);
    mf_xml_append_attribute(to, "timestamp", timestamp);
    mf_xml_append_attribute(to, "hostname", self->host->name);
    g_string_append(to, ">\n");
    for (guint i = 0; i < tests->len; i++)
        append_subtest(to, kase, g_ptr_array_index(tests, i));
    g_string_append(to, "</testsuite>\n");
}

static Counts
count_all(const MfEvent *finished)
{
    Counts all = count_targets(finished);

    for (guint i = 0; i < finished->cases->len; i++) {
        const GPtrArray *tests = get_subtests(finished, i);

        if (!tests)
            continue;

        const Counts counts = count_subtests(tests);
        all.tests += counts.tests;
        all.failures += counts.failures;
        all.skipped += counts.skipped;
    }
    return all;
}

static void
append_suite_properties(GString *to, const MfReportJunit *self, const MfEvent *finished)
{
    g_string_append(to, "<properties>\n");
    append_property(to, "mayfly", self->host->mayfly);
    append_property(to, "host.kernel", self->host->kernel);
    append_property(to, "host.arch", self->host->arch);
    append_number_property(to, "host.cpus", self->host->cpus);
    append_number_property(to, "jobs", finished->jobs);
    if (finished->shard.index > 0) {
        g_autofree char *shard =
            g_strdup_printf("%u/%u", finished->shard.index, finished->shard.count);

        append_property(to, "shard", shard);
    }
    if (finished->interrupted)
        append_property(to, "interrupted", finished->interrupted);
    g_string_append(to, "</properties>\n");
}

static char *
document(const MfReportJunit *self, const MfEvent *finished)
{
    GString *text = g_string_new("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    const Counts all = count_all(finished);
    const Counts targets = count_targets(finished);
    /* The dialect has no place for a zone or for less than a second. */
    g_autofree char *started = mf_text_time(self->wall_time_us);
    g_autofree char *timestamp = g_strndup(started, sizeof("2026-11-21T14:00:00") - 1);

    g_string_append(text, "<testsuites name=\"mayfly\"");
    append_counts(text, &all, finished->time_us);
    g_string_append(text, ">\n<testsuite name=\"mayfly\"");
    append_counts(text, &targets, finished->time_us);
    mf_xml_append_attribute(text, "timestamp", timestamp);
    mf_xml_append_attribute(text, "hostname", self->host->name);
    g_string_append(text, ">\n");
    append_suite_properties(text, self, finished);
    for (guint i = 0; i < finished->cases->len; i++)
        append_case(text, g_ptr_array_index(finished->cases, i),
                    g_ptr_array_index(finished->outcomes, i), finished->interrupted);
    for (guint i = 0; finished->missing && i < finished->missing->len; i++)
        append_missing(text, &g_array_index(finished->missing, MfShard, i));
    g_string_append(text, "</testsuite>\n");
    for (guint i = 0; i < finished->cases->len; i++)
        append_subtest_suite(text, self, finished, i, timestamp);
    g_string_append(text, "</testsuites>\n");
    return g_string_free(text, FALSE);
}

MfReportJunit *
mf_report_junit_new(MfSink *sink, const MfReportHost *host)
{
    MfReportJunit *self = g_new0(MfReportJunit, 1);

    self->sink = sink;
    self->host = host;
    return self;
}

void
mf_report_junit_free(MfReportJunit *self)
{
    g_free(self);
}

void
mf_report_junit_feed(const MfEvent *event, gpointer data)
{
    MfReportJunit *self = data;

    if (event->kind == MF_EVENT_SUITE_STARTED) {
        self->wall_time_us = event->wall_time_us;
    } else if (event->kind == MF_EVENT_SUITE_FINISHED) {
        g_autofree char *text = document(self, event);

        mf_sink_write_text(self->sink, text);
    }
}
