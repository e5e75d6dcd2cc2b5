/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "run/run.h"

/* What 'mayfly run' keeps of a run in a directory: as of a case of a suite (suite/run-dir.h), but
 * in the directory itself. */
typedef struct _MfRunKeep MfRunKeep;

/* 'path' is as for mf_run_dir_new(). MF_ERROR_CONFIG, MF_ERROR_HOST. */
MfRunKeep *mf_run_keep_new(const char *path, GError **error);
void mf_run_keep_free(MfRunKeep *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfRunKeep, mf_run_keep_free)

/* Absolute. Borrowed. */
const char *mf_run_keep_get_path(const MfRunKeep *self);

/* Before the run is started. */
void mf_run_keep_follow(MfRunKeep *self, MfRun *run, MfStdio *stdio);

/* Writes down how it ended; 'name' is what it is called. MF_ERROR_HOST. */
gboolean mf_run_keep_finish(MfRunKeep *self, const char *name, MfTarget *target, MfResult *result,
                            GError **error);
