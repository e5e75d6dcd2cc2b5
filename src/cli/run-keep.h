/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "cli/run-options.h"
#include "run/run.h"

/* What 'mayfly run' keeps of a run, as of the only case of a suite: in a directory
 * (suite/run-dir.h), but in the directory itself, and in reports. */
typedef struct _MfRunKeep MfRunKeep;

/* Whether there is anything to keep. */
gboolean mf_run_keep_is_wanted(const MfRunOptions *options);

/* MF_ERROR_CONFIG, MF_ERROR_HOST. */
MfRunKeep *mf_run_keep_new(const MfRunOptions *options, GError **error);
void mf_run_keep_free(MfRunKeep *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfRunKeep, mf_run_keep_free)

/* The directory, absolute; NULL when there is none. Borrowed. */
const char *mf_run_keep_get_path(const MfRunKeep *self);

/* Before the run is started. */
void mf_run_keep_follow(MfRunKeep *self, MfRun *run, MfStdio *stdio);

/* Writes down how it ended; 'name' is what it is called. MF_ERROR_HOST. */
gboolean mf_run_keep_finish(MfRunKeep *self, const char *name, MfTarget *target, MfResult *result,
                            GError **error);
