/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

#include "suite/case.h"

/*
 * What is kept of a suite's cases, a directory for each, named after its id:
 *
 *     <id>/console.log  what the guest's kernel said
 *     <id>/stdout       what the command wrote
 *     <id>/stderr
 *     <id>/qemu.args    the machine's command line, an option a line; or
 *     <id>/domain.xml   the domain, of a machine that libvirt started
 *     <id>/result.json  how it ended
 *     <id>/timeline.svg where the time went
 *     <id>/artifacts/   the files that were asked for
 *     <id>/crash.*      what was asked for of a guest that crashed: see run/crash-evidence.h
 *     <id>/snapshots/   what the guest has asked for: see run/snapshots.h
 *     <id>/attempt-1/   the same of an earlier attempt, when there was another
 */
#define MF_RUN_DIR_CONSOLE   "console.log"
#define MF_RUN_DIR_STDOUT    "stdout"
#define MF_RUN_DIR_STDERR    "stderr"
#define MF_RUN_DIR_QEMU      "qemu.args"
#define MF_RUN_DIR_DOMAIN    "domain.xml"
#define MF_RUN_DIR_RESULT    "result.json"
#define MF_RUN_DIR_TIMELINE  "timeline.svg"
#define MF_RUN_DIR_ARTIFACTS "artifacts"

/* In the directory itself: it is mayfly's, and what is in it may be replaced. */
#define MF_RUN_DIR_MARK ".mayfly-run"

typedef struct _MfRunDir MfRunDir;

/* 'path' is made where it is missing; what was there must be a run directory or empty, and not in
 * use by another mayfly. NULL: a new directory under $TMPDIR or /tmp. MF_ERROR_CONFIG,
 * MF_ERROR_HOST. */
MfRunDir *mf_run_dir_new(const char *path, GError **error);

/* Leaves the directory where it is. */
void mf_run_dir_free(MfRunDir *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfRunDir, mf_run_dir_free)

/* Absolute. Borrowed. */
const char *mf_run_dir_get_path(const MfRunDir *self);

/* The directory itself, for a run that is of no suite; what another one left there is gone.
 * Borrowed. */
const char *mf_run_dir_begin_alone(const MfRunDir *self);

/* Makes the directory of a case for an attempt (from 1): the first replaces what another suite left
 * there, a later one puts the one before it aside. Owned by the caller. MF_ERROR_HOST. */
char *mf_run_dir_begin(const MfRunDir *self, const MfCase *the_case, guint attempt, GError **error);
