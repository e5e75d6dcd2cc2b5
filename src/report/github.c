/* SPDX-License-Identifier: Apache-2.0 */
#include "report/github.h"

#include <string.h>

#include "report/crashes.h"
#include "report/live.h"
#include "report/markdown.h"
#include "report/metric-table.h"
#include "report/prose.h"
#include "report/tally.h"
#include "report/text.h"

/* GitHub shows no summary of more than 1 MiB. What details would go beyond this are left out. */
#define SUMMARY_MAX (512u << 10)

/* GitHub shows ten annotations of a kind and step; more only make the log longer. */
#define SUBTESTS_ANNOTATED 50

struct _MfReportGithub {
    MfOutputPolicy policy;
    MfSink *log;     /* borrowed */
    MfSink *summary; /* borrowed; or NULL */
    char *workspace; /* owned; or NULL */
    char *token;     /* owned */
    MfLive *live;    /* owned */
    guint finished;
};

/* The value of a command; within its properties two more characters have a meaning. */
static void
append_escaped(GString *to, const char *text, gboolean property)
{
    g_autofree char *clean = mf_text_clean(text, strlen(text));

    for (const char *at = clean; *at; at++) {
        if (*at == '%' || *at == '\n' || (property && (*at == ':' || *at == ',')))
            g_string_append_printf(to, "%%%02X", (guint)*at);
        else
            g_string_append_c(to, *at);
    }
}

/* 'text' is whole lines. The runner takes a command wherever a line of the log has one, unless it
 * was told to wait for the token. */
static void
append_text(const MfReportGithub *self, GString *to, const GString *text)
{
    if (text->len > 0)
        g_string_append_printf(to, "::stop-commands::%s\n%s::%s::\n", self->token, text->str,
                               self->token);
}

/* An annotation is found only by a path within the workspace. */
static const char *
path_in_workspace(const MfReportGithub *self, const char *path)
{
    const char *workspace = self->workspace;
    gsize length = workspace ? strlen(workspace) : 0;

    if (length > 0 && g_str_has_prefix(path, workspace) && path[length] == '/')
        return path + length + 1;
    return path;
}

/* 'subtest' is the name of one of the case's, or NULL for the case itself. */
static void
append_annotation(const MfReportGithub *self, GString *to, const char *command, const MfCase *kase,
                  const char *subtest, const char *message)
{
    g_string_append_printf(to, "::%s ", command);
    if (kase->file) {
        g_string_append(to, "file=");
        append_escaped(to, path_in_workspace(self, kase->file), TRUE);
        g_string_append_printf(to, ",line=%u,", kase->line);
    }
    g_string_append(to, "title=");
    append_escaped(to, kase->name, TRUE);
    if (subtest) {
        g_string_append(to, MF_SUBTEST_SEPARATOR);
        append_escaped(to, subtest, TRUE);
    }
    g_string_append(to, "::");
    append_escaped(to, message, FALSE);
    g_string_append_c(to, '\n');
}

static void
append_subtest_annotations(const MfReportGithub *self, GString *to, const MfCase *kase,
                           const MfResult *result)
{
    const MfSubtests *subtests = result ? result->subtests : NULL;
    guint annotated = 0;

    for (guint i = 0; subtests && i < subtests->tests->len && annotated < SUBTESTS_ANNOTATED; i++) {
        const MfSubtest *test = g_ptr_array_index(subtests->tests, i);

        if (test->status != MF_SUBTEST_FAIL)
            continue;
        append_annotation(self, to, "error", kase, test->name,
                          test->message ? test->message : "The sub-test failed.");
        annotated++;
    }
}

/* The case's lines and, unless it just passed, an annotation. 'headline' is used up. */
static void
append_verdict(const MfReportGithub *self, GString *to, const MfCase *kase,
               const MfOutcomeReport *outcome, GString *headline, const GString *detail)
{
    if (outcome->outcome == MF_OUTCOME_FAIL || outcome->outcome == MF_OUTCOME_ERROR) {
        g_string_truncate(headline, headline->len - 1);
        g_string_append(to, "::group::");
        append_escaped(to, headline->str, FALSE);
        g_string_append_c(to, '\n');
        append_text(self, to, detail);
        g_string_append(to, "::endgroup::\n");
        append_annotation(self, to, "error", kase, NULL, outcome->reason ? outcome->reason : "");
        append_subtest_annotations(self, to, kase, outcome->result);
        return;
    }
    g_string_append(headline, detail->str);
    append_text(self, to, headline);
    if (outcome->outcome == MF_OUTCOME_PASS && outcome->attempts > 1) {
        g_autofree char *message =
            g_strdup_printf("It passed only at attempt %u.", outcome->attempts);

        append_annotation(self, to, "warning", kase, NULL, message);
    }
}

/* That the guest's kernel complained is more than a notice, though its target lets it pass. */
static const char *
get_note_command(const MfResult *result, const char *note)
{
    for (guint i = 0; i < result->splats->len; i++) {
        const MfSplat *splat = g_ptr_array_index(result->splats, i);

        if (!splat->fails && g_str_has_suffix(note, splat->title))
            return "warning";
    }
    return "notice";
}

/* What ended the suite early is of no case, and of no file. */
static void
append_interrupted(GString *to, const char *interrupted)
{
    g_string_append(to, "::error title=mayfly::");
    append_escaped(to, interrupted, FALSE);
    g_string_append_c(to, '\n');
}

static void
append_finished(MfReportGithub *self, GString *to, const MfEvent *event)
{
    const MfCase *kase = g_ptr_array_index(event->cases, event->index);
    const MfOutcomeReport *outcome = event->outcome;
    g_autoptr(GString) headline = g_string_new(NULL);
    g_autoptr(GString) detail = g_string_new(NULL);

    mf_prose_append_headline(headline, event, ++self->finished, FALSE);
    mf_prose_append_detail(detail, kase, outcome, self->policy);
    append_verdict(self, to, kase, outcome, headline, detail);
    for (guint i = 0; outcome->result && i < outcome->result->notes->len; i++) {
        const char *note = g_ptr_array_index(outcome->result->notes, i);

        append_annotation(self, to, get_note_command(outcome->result, note), kase, NULL, note);
    }
}

/* Why it did not pass, or what else is worth a look. */
static void
append_remark(GString *to, const MfOutcomeReport *outcome)
{
    g_autofree char *subtests = mf_prose_subtests(outcome);

    if (outcome->reason) {
        mf_markdown_append(to, outcome->reason);
        return;
    }
    if (outcome->attempts > 1)
        g_string_append_printf(to, "passed only at attempt %u%s", outcome->attempts,
                               subtests ? ", " : "");
    g_string_append(to, subtests ? subtests : "");
}

static void
append_row(GString *to, const MfCase *kase, const MfOutcomeReport *outcome)
{
    gboolean bad =
        outcome && (outcome->outcome == MF_OUTCOME_FAIL || outcome->outcome == MF_OUTCOME_ERROR);
    const char *mark = bad ? "**" : "";
    gboolean ran = outcome && outcome->attempts > 0;
    g_autofree char *duration = ran ? mf_prose_duration(outcome->duration_us) : g_strdup("");

    g_string_append_printf(to, "| %s%s%s | ", mark, mf_tally_outcome_name(outcome), mark);
    mf_markdown_append(to, kase->name);
    g_string_append_printf(to, " | %s | ", duration);
    if (outcome)
        append_remark(to, outcome);
    g_string_append(to, " |\n");
}

static void
append_summary_detail(GString *to, const MfCase *kase, const MfOutcomeReport *outcome)
{
    g_autoptr(GString) detail = g_string_new(NULL);

    mf_prose_append_detail(detail, kase, outcome, MF_OUTPUT_ON_FAILURE);
    g_autofree char *escaped = g_markup_escape_text(detail->str, -1);
    g_string_append(to, "\n<details><summary>");
    mf_markdown_append(to, kase->name);
    g_string_append_printf(to, "</summary>\n\n<pre>\n%s</pre>\n\n</details>\n", escaped);
}

static void
append_summary_details(GString *to, const MfEvent *finished)
{
    guint left_out = 0;

    for (guint i = 0; i < finished->cases->len; i++) {
        const MfOutcomeReport *outcome = g_ptr_array_index(finished->outcomes, i);
        gsize before = to->len;

        if (!outcome || outcome->outcome == MF_OUTCOME_PASS || outcome->outcome == MF_OUTCOME_SKIP)
            continue;
        append_summary_detail(to, g_ptr_array_index(finished->cases, i), outcome);
        if (to->len > SUMMARY_MAX) {
            g_string_truncate(to, before);
            left_out++;
        }
    }
    if (left_out > 0) {
        g_autofree char *targets = mf_text_count(left_out, "more target");

        g_string_append_printf(to, "\nThe details of %s are in the log.\n", targets);
    }
}

static void
append_summary_crashes(GString *to, const MfEvent *finished)
{
    g_autoptr(GPtrArray) crashes = mf_crashes_of(finished);
    g_autofree char *counts = mf_crashes_describe(crashes);

    if (counts)
        g_string_append_printf(to, "\n%s:\n\n", counts);
    for (guint i = 0; i < crashes->len; i++) {
        g_autofree char *line = mf_crash_describe(g_ptr_array_index(crashes, i));

        g_string_append(to, "- ");
        mf_markdown_append(to, line);
        g_string_append_c(to, '\n');
    }
}

static void
append_summary_metrics(GString *to, const MfEvent *finished)
{
    gsize before = to->len;

    g_string_append_c(to, '\n');
    mf_metric_table_append(to, finished);
    if (to->len == before + 1 || to->len > SUMMARY_MAX)
        g_string_truncate(to, before);
}

static void
write_summary(MfReportGithub *self, const MfEvent *finished)
{
    g_autoptr(GString) text = g_string_new("### mayfly\n\n");
    MfTally tally = mf_tally_of(finished);
    g_autofree char *counts = mf_tally_describe(&tally);
    g_autofree char *duration = mf_prose_duration(finished->time_us);

    g_string_append_printf(text, "%s in %s.\n\n", counts, duration);
    if (finished->interrupted) {
        mf_markdown_append(text, finished->interrupted);
        g_string_append(text, "\n\n");
    }
    g_string_append(text, "| Outcome | Target | Time | Reason |\n|---|---|---:|---|\n");
    for (guint i = 0; i < finished->cases->len; i++)
        append_row(text, g_ptr_array_index(finished->cases, i),
                   g_ptr_array_index(finished->outcomes, i));
    append_summary_crashes(text, finished);
    append_summary_metrics(text, finished);
    append_summary_details(text, finished);
    mf_sink_write(self->summary, text->str, text->len);
}

MfReportGithub *
mf_report_github_new(const MfReportGithubOptions *options)
{
    MfReportGithub *self = g_new0(MfReportGithub, 1);

    self->policy = options->policy;
    self->log = options->log;
    self->summary = options->summary;
    self->workspace = g_strdup(options->workspace);
    self->token = g_strdup(options->token);
    self->live = mf_live_new();
    return self;
}

void
mf_report_github_free(MfReportGithub *self)
{
    if (!self)
        return;
    mf_live_free(self->live);
    g_free(self->workspace);
    g_free(self->token);
    g_free(self);
}

void
mf_report_github_feed(const MfEvent *event, gpointer data)
{
    MfReportGithub *self = data;
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GString) lines = g_string_new(NULL);

    if (self->policy == MF_OUTPUT_LIVE)
        mf_live_feed(self->live, event, lines);
    if (event->kind == MF_EVENT_SUITE_STARTED)
        mf_prose_append_opening(lines, event);
    else if (event->kind == MF_EVENT_SUITE_FINISHED)
        mf_prose_append_closing(lines, event, FALSE);
    append_text(self, text, lines);

    if (event->kind == MF_EVENT_CASE_FINISHED)
        append_finished(self, text, event);
    if (event->kind == MF_EVENT_SUITE_FINISHED && event->interrupted)
        append_interrupted(text, event->interrupted);
    if (text->len > 0)
        mf_sink_write(self->log, text->str, text->len);
    if (event->kind == MF_EVENT_SUITE_FINISHED && self->summary)
        write_summary(self, event);
}
