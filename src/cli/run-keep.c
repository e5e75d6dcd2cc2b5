/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/run-keep.h"

#include "base/error.h"
#include "report/report.h"
#include "suite/keeper.h"
#include "suite/run-dir.h"

/* What the case of a run that is none is known by. */
#define CASE_ID "run"

struct _MfRunKeep {
    MfRunDir *directory; /* owned; or NULL */
    MfKeeper *keeper;    /* owned */
    MfReport *report;    /* owned */
    gint64 started_us;   /* monotonic */
    gint64 wall_time_us; /* likewise, since 1970 */
};

static gboolean
wants_directory(const MfRunOptions *options)
{
    return options->run_dir || options->keep;
}

gboolean
mf_run_keep_is_wanted(const MfRunOptions *options)
{
    return wants_directory(options) || options->reports;
}

/* A single run makes no grid, and the standard output is its command's. */
static gboolean
add_report(MfReport *report, const char *spec, GError **error)
{
    if (g_str_has_prefix(spec, "grid-")) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "'%s' is a report of a grid, and this is one run: 'mayfly test --grid' makes "
                    "one.",
                    spec);
        return FALSE;
    }
    if (!mf_report_add(report, spec, error))
        return FALSE;
    if (!mf_report_takes_stdout(report))
        return TRUE;
    g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                "The report '%s' cannot go to the standard output, which is the command's: name a "
                "file.",
                spec);
    return FALSE;
}

static gboolean
open_reports(MfRunKeep *self, const MfRunOptions *options, GError **error)
{
    self->report = mf_report_new();
    for (char **spec = options->reports; spec && *spec; spec++)
        if (!add_report(self->report, *spec, error))
            return FALSE;
    mf_report_add_run_dirs(self->report);
    return TRUE;
}

MfRunKeep *
mf_run_keep_new(const MfRunOptions *options, GError **error)
{
    g_autoptr(MfRunKeep) self = g_new0(MfRunKeep, 1);

    if (!open_reports(self, options, error))
        return NULL;
    /* The directory last: it is there from then on. */
    if (wants_directory(options)) {
        self->directory = mf_run_dir_new(options->run_dir, error);
        if (!self->directory)
            return NULL;
    }
    self->keeper =
        mf_keeper_new(self->directory ? mf_run_dir_begin_alone(self->directory) : NULL, error);
    return self->keeper ? g_steal_pointer(&self) : NULL;
}

void
mf_run_keep_free(MfRunKeep *self)
{
    if (!self)
        return;
    g_clear_object(&self->keeper);
    g_clear_pointer(&self->report, mf_report_free);
    g_clear_pointer(&self->directory, mf_run_dir_free);
    g_free(self);
}

const char *
mf_run_keep_get_path(const MfRunKeep *self)
{
    return self->directory ? mf_run_dir_get_path(self->directory) : NULL;
}

void
mf_run_keep_follow(MfRunKeep *self, MfRun *run, MfStdio *stdio)
{
    self->started_us = g_get_monotonic_time();
    self->wall_time_us = g_get_real_time();
    mf_keeper_follow(self->keeper, run, stdio);
}

/* The events of a suite of this one case. */
static void
feed(const MfRunKeep *self, MfCase *kase, MfOutcomeReport *outcome)
{
    g_autoptr(GPtrArray) cases = g_ptr_array_new();
    g_autoptr(GPtrArray) outcomes = g_ptr_array_new();
    MfEvent event = {.kind = MF_EVENT_SUITE_STARTED,
                     .cases = cases,
                     .jobs = 1,
                     .wall_time_us = self->wall_time_us};

    g_ptr_array_add(cases, kase);
    g_ptr_array_add(outcomes, outcome);
    mf_report_feed(&event, self->report);
    event = (MfEvent){.kind = MF_EVENT_CASE_STARTED, .cases = cases, .jobs = 1, .attempt = 1};
    mf_report_feed(&event, self->report);
    event.kind = MF_EVENT_CASE_FINISHED;
    event.time_us = outcome->duration_us;
    event.outcome = outcome;
    mf_report_feed(&event, self->report);
    event.kind = MF_EVENT_SUITE_FINISHED;
    event.outcome = NULL;
    event.outcomes = outcomes;
    mf_report_feed(&event, self->report);
}

gboolean
mf_run_keep_finish(MfRunKeep *self, const char *name, MfTarget *target, MfResult *result,
                   GError **error)
{
    MfCase kase = {.name = (char *)name, .id = (char *)CASE_ID, .target = target};
    g_autoptr(MfOutcomeReport) outcome = g_new0(MfOutcomeReport, 1);

    mf_keeper_close(self->keeper);
    mf_keeper_fill_report(self->keeper, outcome);
    outcome->outcome = mf_outcome_judge(result);
    outcome->reason = mf_outcome_explain(result);
    outcome->attempts = 1;
    outcome->duration_us = g_get_monotonic_time() - self->started_us;
    outcome->run_dir = g_strdup(mf_run_keep_get_path(self));
    outcome->result = result;
    feed(self, &kase, outcome);
    /* It stays the caller's. */
    outcome->result = NULL;
    return mf_report_close(self->report, error);
}
