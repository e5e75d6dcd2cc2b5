/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/report.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/cli.h"
#include "cli/subverbs.h"
#include "cli/test-status.h"
#include "report/merge.h"
#include "report/report.h"
#include "report/sink.h"
#include "report/tally.h"
#include "wire/json.h"

#define JSON_PREFIX "json="

static const char description[] =
    "Each of the results is of one shard, written by 'mayfly test --shard I/N --report json=FILE'. "
    "In\n"
    "a directory they are found by themselves, also in those below it. A shard that is there "
    "twice,\n"
    "and results that are not of one suite, are refused. Where a shard is missing the reports are\n"
    "written and say so. Results that are no shards are joined too. In a job of GitHub Actions "
    "the\n"
    "whole is in its log, annotations and summary, as that of 'mayfly test' is.\n"
    "\n"
    "Exit status: as of 'mayfly test' for the whole suite; 69 when a shard is missing; 2 for a "
    "usage\n"
    "error and for results that do not belong together.\n"
    "\n"
    "Example: mayfly report merge --report json=all.json --report junit=all.xml results/";

typedef struct {
    char **reports;  /* owned; or NULL */
    char **operands; /* owned; or NULL */
} Arguments;

/* The whole on its way to the reports. */
typedef struct {
    MfMerge *merge;   /* owned */
    MfReport *report; /* owned; those that are not JSON */
    GPtrArray *sinks; /* owned; of MfSink, for JSON */
    gboolean to_stdout;
    gboolean on_screen; /* the report tells all that the last lines would */
    int status;
    char *tally;       /* owned */
    char *interrupted; /* owned; what is not whole; or NULL */
} Merging;

static void
arguments_clear(Arguments *self)
{
    g_strfreev(self->reports);
    g_strfreev(self->operands);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Arguments, arguments_clear)

static void
merging_clear(Merging *self)
{
    mf_merge_free(self->merge);
    mf_report_free(self->report);
    g_ptr_array_unref(self->sinks);
    g_free(self->tally);
    g_free(self->interrupted);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Merging, merging_clear)

static MfVerbOptions *
make_options(const MfSubverb *verb, Arguments *arguments)
{
    const GOptionEntry entries[] = {{"report", 0, 0, G_OPTION_ARG_STRING_ARRAY, &arguments->reports,
                                     "Write a report; '-' is the standard output (default: json=-)",
                                     "json|junit|tap|metrics=FILE"},
                                    {NULL}};
    MfVerbOptions *options = mf_subverb_new_options(verb, &arguments->operands);

    mf_verb_options_add(options, entries);
    return options;
}

static gboolean
add_report(Merging *self, const char *spec, GError **error)
{
    const char *file = g_str_has_prefix(spec, JSON_PREFIX) ? spec + strlen(JSON_PREFIX) : "";
    MfSink *sink;

    /* What is wrong with it, the others say. */
    if (!*file)
        return mf_report_add(self->report, spec, error);
    sink = mf_sink_open(file, MF_SINK_WHOLE, error);
    if (!sink)
        return FALSE;
    g_ptr_array_add(self->sinks, sink);
    self->to_stdout |= g_str_equal(file, "-");
    return TRUE;
}

static gboolean
add_reports(Merging *self, char *const *specs, GError **error)
{
    static char *const defaults[] = {(char *)JSON_PREFIX "-", NULL};

    for (char *const *spec = specs ? specs : defaults; *spec; spec++)
        if (!add_report(self, *spec, error))
            return FALSE;
    if (self->to_stdout && mf_report_takes_stdout(self->report)) {
        g_set_error_literal(error, MF_ERROR, MF_ERROR_CONFIG,
                            "Only one report can go to the standard output.");
        return FALSE;
    }
    self->to_stdout |= mf_report_takes_stdout(self->report);
    return TRUE;
}

/* A job of GitHub Actions has the whole as it has a suite that it ran by itself: in its log, as
 * annotations, and in its summary. Elsewhere there is nothing to watch. */
static void
add_screen(Merging *self)
{
    g_auto(GStrv) environment = g_get_environ();
    MfScreen screen = mf_screen_choose(FALSE, environment);

    if (screen != MF_SCREEN_GITHUB)
        return;
    mf_report_add_screen(self->report, screen, self->to_stdout ? STDERR_FILENO : STDOUT_FILENO,
                         MF_OUTPUT_ON_FAILURE, environment);
    self->on_screen = TRUE;
}

static void
on_event(const MfEvent *event, gpointer data)
{
    Merging *self = data;
    MfTally tally;

    mf_report_feed(event, self->report);
    if (event->kind != MF_EVENT_SUITE_FINISHED)
        return;
    self->status =
        event->interrupted ? MF_EXIT_UNAVAILABLE : mf_test_exit_status(event->outcomes, FALSE, 0);
    self->interrupted = g_strdup(event->interrupted);
    tally = mf_tally_of(event);
    self->tally = mf_tally_describe(&tally);
}

static gboolean
write_json(Merging *self, GError **error)
{
    g_autoptr(json_object) whole = mf_merge_to_json(self->merge, error);
    g_autofree char *text = whole ? mf_json_to_text(whole) : NULL;

    if (!whole)
        return FALSE;
    for (guint i = 0; i < self->sinks->len; i++) {
        mf_sink_write_text(self->sinks->pdata[i], text);
        if (!mf_sink_close(self->sinks->pdata[i], error))
            return FALSE;
    }
    return TRUE;
}

/* A wrong report is told before anything of the suite is. */
static gboolean
write_reports(Merging *self, char *const *specs, GError **error)
{
    if (!add_reports(self, specs, error))
        return FALSE;
    add_screen(self);
    return mf_merge_play(self->merge, on_event, self, error) && write_json(self, error) &&
           mf_report_close(self->report, error);
}

static int
merge(const MfSubverb *verb, int argc, char **argv)
{
    g_auto(Arguments) arguments = {0};
    g_autoptr(MfVerbOptions) options = make_options(verb, &arguments);
    g_autoptr(GError) error = NULL;

    if (!mf_verb_options_parse(options, argc, argv))
        return MF_EXIT_USAGE;

    g_auto(Merging) self = {
        .merge = mf_merge_new(),
        .report = mf_report_new(),
        .sinks = g_ptr_array_new_with_free_func((GDestroyNotify)mf_sink_free),
    };
    for (char **path = arguments.operands; *path; path++)
        if (!mf_merge_add(self.merge, *path, &error))
            return mf_cli_fail(error, MF_EXIT_USAGE);
    if (!mf_merge_check(self.merge, &error) || !write_reports(&self, arguments.reports, &error))
        return mf_cli_fail(error, MF_EXIT_USAGE);
    if (self.on_screen)
        return self.status;
    if (!self.to_stdout)
        puts(self.tally);
    if (self.interrupted)
        mf_cli_complain("%s", self.interrupted);
    return self.status;
}

static const MfSubverb verbs[] = {
    {.program = "mayfly report merge",
     .operands = {"FILE|DIRECTORY...", "the results, or the directory that they are in", 1,
                  G_MAXUINT},
     .summary = "join the results of a suite's shards into that of the whole",
     .description = description,
     .run = merge},
    {NULL},
};

int
mf_cli_report(int argc, char **argv)
{
    return mf_subverbs_run(verbs, NULL, argc, argv);
}

void
mf_cli_report_describe(GPtrArray *syntax)
{
    Arguments arguments = {0};
    g_autoptr(MfVerbOptions) options = make_options(&verbs[0], &arguments);

    mf_verb_options_describe(options, syntax);
}
