/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/run-keep.h"

#include "report/run-dir.h"
#include "suite/keeper.h"
#include "suite/run-dir.h"

/* What the case of a run that is none is known by. */
#define CASE_ID "run"

struct _MfRunKeep {
    MfRunDir *directory; /* owned */
    MfKeeper *keeper;    /* owned */
    gint64 started_us;   /* monotonic */
};

MfRunKeep *
mf_run_keep_new(const char *path, GError **error)
{
    g_autoptr(MfRunKeep) self = g_new0(MfRunKeep, 1);

    self->directory = mf_run_dir_new(path, error);
    self->keeper =
        self->directory ? mf_keeper_new(mf_run_dir_begin_alone(self->directory), error) : NULL;
    return self->keeper ? g_steal_pointer(&self) : NULL;
}

void
mf_run_keep_free(MfRunKeep *self)
{
    if (!self)
        return;
    g_clear_object(&self->keeper);
    g_clear_pointer(&self->directory, mf_run_dir_free);
    g_free(self);
}

const char *
mf_run_keep_get_path(const MfRunKeep *self)
{
    return mf_run_dir_get_path(self->directory);
}

void
mf_run_keep_follow(MfRunKeep *self, MfRun *run, MfStdio *stdio)
{
    self->started_us = g_get_monotonic_time();
    mf_keeper_follow(self->keeper, run, stdio);
}

/* The event at the end of a suite of this one case. */
static void
feed(MfReportRunDir *writer, MfCase *kase, const MfOutcomeReport *outcome)
{
    g_autoptr(GPtrArray) cases = g_ptr_array_new();
    MfEvent event = {.kind = MF_EVENT_CASE_FINISHED,
                     .time_us = outcome->duration_us,
                     .cases = cases,
                     .jobs = 1,
                     .attempt = 1,
                     .outcome = outcome};

    g_ptr_array_add(cases, kase);
    mf_report_run_dir_feed(&event, writer);
}

gboolean
mf_run_keep_finish(MfRunKeep *self, const char *name, MfTarget *target, MfResult *result,
                   GError **error)
{
    MfCase kase = {.name = (char *)name, .id = (char *)CASE_ID, .target = target};
    g_autoptr(MfReportRunDir) writer = mf_report_run_dir_new();
    g_autoptr(MfOutcomeReport) outcome = g_new0(MfOutcomeReport, 1);

    mf_keeper_close(self->keeper);
    mf_keeper_fill_report(self->keeper, outcome);
    outcome->outcome = mf_outcome_judge(result);
    outcome->reason = mf_outcome_explain(result);
    outcome->attempts = 1;
    outcome->duration_us = g_get_monotonic_time() - self->started_us;
    outcome->run_dir = g_strdup(mf_run_keep_get_path(self));
    outcome->result = result;
    feed(writer, &kase, outcome);
    /* It stays the caller's. */
    outcome->result = NULL;
    return mf_report_run_dir_close(writer, error);
}
