/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

#include "suite/event.h"
#include "suite/run-dir.h"

/*
 * Runs the cases of a suite, several at once, on one main loop. What happens is told to readers
 * (event.h); a case that fails in whatever way ends by itself and leaves the others alone.
 */
#define MF_TYPE_SCHEDULER (mf_scheduler_get_type())
G_DECLARE_FINAL_TYPE(MfScheduler, mf_scheduler, MF, SCHEDULER, GObject)

typedef struct {
    guint jobs;              /* cases that run at once; at least 1 */
    gboolean fail_fast;      /* after a case that did not pass, none is started any more */
    MfShard shard;           /* that the cases are, for the readers */
    const MfRunDir *run_dir; /* borrowed; where what is kept of the cases goes; NULL: nowhere */
} MfSchedulerOptions;

/* 'cases' (of MfCase) is borrowed for the object's life. */
MfScheduler *mf_scheduler_new(const GPtrArray *cases, const MfSchedulerOptions *options);

/* Before the start. Readers are called in the order in which they were added. */
void mf_scheduler_add_reader(MfScheduler *self, MfEventFunc func, gpointer user_data);

/* Runs them all. Completes when nothing of them is left on the host. The result, by the cases'
 * indexes, is of MfOutcomeReport or NULL (never started); owned by the caller. */
void mf_scheduler_run_async(MfScheduler *self, GAsyncReadyCallback callback, gpointer user_data);
GPtrArray *mf_scheduler_run_finish(MfScheduler *self, GAsyncResult *result);

/* Starts no more cases and ends those that run; 'reason' is a sentence. The suite then completes as
 * always. */
void mf_scheduler_interrupt(MfScheduler *self, const char *reason);

/* Kills every VM and removes what the runs have made. It never completes: only for the moment
 * before the program ends. */
void mf_scheduler_kill(MfScheduler *self);
