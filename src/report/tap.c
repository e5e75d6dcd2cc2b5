/* SPDX-License-Identifier: Apache-2.0 */
#include "report/tap.h"

#include <string.h>

#include "report/json.h"
#include "report/text.h"
#include "wire/json.h"

/* Of each stream of a case that did not pass. */
#define OUTPUT_LINES 40

struct _MfReportTap {
    MfSink *sink; /* borrowed */
    guint points;
};

/* One line, in which '#' would begin a directive. */
static void
append_description(GString *to, const char *text)
{
    g_autofree char *line = mf_text_clean_line(text);

    for (const char *at = line; *at; at++) {
        if (*at == '#' || *at == '\\')
            g_string_append_c(to, '\\');
        g_string_append_c(to, *at);
    }
}

/* JSON is YAML; a value is one line of it. */
static void
append_yaml(GString *to, const char *key, json_object *value)
{
    g_string_append_printf(to, "  %s: %s\n", key,
                           json_object_to_json_string_ext(
                               value, JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE));
}

/* Nested as TAP 14 has it, which a reader of TAP 13 passes over. */
static void
append_subtests(GString *to, const MfCase *kase, const MfSubtests *subtests)
{
    if (!subtests || subtests->tests->len == 0)
        return;
    g_string_append(to, "    # Subtest: ");
    append_description(to, kase->name);
    g_string_append_printf(to, "\n    1..%u\n", subtests->tests->len);
    for (guint i = 0; i < subtests->tests->len; i++) {
        const MfSubtest *test = g_ptr_array_index(subtests->tests, i);
        gboolean bad = test->status == MF_SUBTEST_FAIL || test->status == MF_SUBTEST_TODO;

        g_string_append_printf(to, "    %s %u - ", bad ? "not ok" : "ok", i + 1);
        append_description(to, test->name);
        if (test->status == MF_SUBTEST_SKIP || test->status == MF_SUBTEST_TODO) {
            g_autofree char *directive = g_ascii_strup(mf_subtest_status_name(test->status), -1);

            g_string_append_printf(to, " # %s%s", directive, test->message ? " " : "");
            append_description(to, test->message ? test->message : "");
        }
        g_string_append_c(to, '\n');
        if (test->status == MF_SUBTEST_FAIL && test->message) {
            g_autoptr(json_object) message = json_object_new_string(test->message);

            g_string_append(to, "      ---\n    ");
            append_yaml(to, "message", message);
            g_string_append(to, "      ...\n");
        }
    }
}

/* The same values as in the JSON report. */
static void
append_facts(GString *to, const MfCase *kase, const MfOutcomeReport *outcome)
{
    static const char *const keys[] = {
        "name",   "id",     "outcome", "reason", "file",        "line",      "attempts", "verdict",
        "status", "signal", "phase",   "accel",  "duration_us", "phases_us", "run_dir",
    };
    g_autoptr(json_object) facts = mf_report_json_case(kase, outcome);

    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
        json_object *value = json_object_object_get(facts, keys[i]);

        if (value)
            append_yaml(to, keys[i], value);
    }
}

static void
append_text(GString *to, const char *key, const void *data, gsize size)
{
    g_autofree char *clean = mf_text_clean(data, size);
    g_autoptr(json_object) value = json_object_new_string(mf_text_last_lines(clean, OUTPUT_LINES));

    append_yaml(to, key, value);
}

/* The first of what the kernel said that failed the case. */
static void
append_splat(GString *to, const MfResult *result)
{
    for (guint i = 0; result && i < result->splats->len; i++) {
        const MfSplat *splat = g_ptr_array_index(result->splats, i);

        if (!splat->fails)
            continue;
        append_text(to, mf_splat_kind_name(splat->kind), splat->report, strlen(splat->report));
        return;
    }
}

static void
append_output(GString *to, const MfOutcomeReport *outcome)
{
    static const char *const names[] = {NULL, "stdout", "stderr"};
    const char *console = outcome->result ? outcome->result->console_tail : NULL;

    for (int stream = 1; stream <= 2; stream++) {
        gsize size;
        const char *data =
            outcome->tail[stream] ? g_bytes_get_data(outcome->tail[stream], &size) : NULL;

        if (data)
            append_text(to, names[stream], data, size);
    }
    append_splat(to, outcome->result);
    if (console)
        append_text(to, "console", console, strlen(console));
}

/* For people: a harness shows them and looks at nothing in them. */
static void
append_notes(GString *to, const MfResult *result)
{
    for (guint i = 0; i < result->notes->len; i++) {
        g_autofree char *note = mf_text_clean_line(g_ptr_array_index(result->notes, i));

        g_string_append_printf(to, "# %s\n", note);
    }
}

static void
append_point(MfReportTap *self, GString *to, const MfCase *kase, const MfOutcomeReport *outcome,
             const char *interrupted)
{
    gboolean skipped = !outcome || outcome->outcome == MF_OUTCOME_SKIP;
    gboolean passed = outcome && outcome->outcome == MF_OUTCOME_PASS;
    const char *reason = outcome ? outcome->reason : interrupted;

    append_subtests(to, kase, outcome && outcome->result ? outcome->result->subtests : NULL);
    g_string_append_printf(to, "%s %u - ", passed || skipped ? "ok" : "not ok", ++self->points);
    append_description(to, kase->name);
    if (skipped) {
        g_string_append(to, " # SKIP ");
        append_description(to, reason ? reason : "");
    }
    g_string_append(to, "\n  ---\n");
    append_facts(to, kase, outcome);
    if (outcome && !passed)
        append_output(to, outcome);
    g_string_append(to, "  ...\n");
    if (outcome && outcome->result)
        append_notes(to, outcome->result);
}

static void
append_end(MfReportTap *self, GString *to, const MfEvent *finished)
{
    for (guint i = 0; i < finished->cases->len; i++)
        if (!finished->outcomes->pdata[i])
            append_point(self, to, finished->cases->pdata[i], NULL, finished->interrupted);
    if (finished->interrupted) {
        g_autofree char *reason = mf_text_clean_line(finished->interrupted);

        g_string_append_printf(to, "Bail out! %s\n", reason);
    }
}

MfReportTap *
mf_report_tap_new(MfSink *sink)
{
    MfReportTap *self = g_new0(MfReportTap, 1);

    self->sink = sink;
    return self;
}

void
mf_report_tap_free(MfReportTap *self)
{
    g_free(self);
}

void
mf_report_tap_feed(const MfEvent *event, gpointer data)
{
    MfReportTap *self = data;
    g_autoptr(GString) text = g_string_new(NULL);

    if (event->kind == MF_EVENT_SUITE_STARTED)
        g_string_append_printf(text, "TAP version 13\n1..%u\n", event->cases->len);
    else if (event->kind == MF_EVENT_CASE_FINISHED)
        append_point(self, text, event->cases->pdata[event->index], event->outcome, NULL);
    else if (event->kind == MF_EVENT_SUITE_FINISHED)
        append_end(self, text, event);
    if (text->len > 0)
        mf_sink_write(self->sink, text->str, text->len);
}
