/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "run/run.h"
#include "suite/outcome.h"

/*
 * What is kept of one run while it goes on: the ends of its streams, for a report; and, in a
 * directory, its console, its outputs and the machine's command line (suite/run-dir.h).
 */
#define MF_TYPE_KEEPER (mf_keeper_get_type())
G_DECLARE_FINAL_TYPE(MfKeeper, mf_keeper, MF, KEEPER, GObject)

/* 'directory' is there already; NULL: no files. MF_ERROR_HOST. */
MfKeeper *mf_keeper_new(const char *directory, GError **error);

/* Follows a run, before it is started, whose standard streams are 'stdio', as long as they live. */
void mf_keeper_follow(MfKeeper *self, MfRun *run, MfStdio *stdio);

/* Ends the files. */
void mf_keeper_close(MfKeeper *self);

/* How much there was of each stream, and its end. */
void mf_keeper_fill_report(const MfKeeper *self, MfOutcomeReport *report);

/* Signals:
 *   "output" (int stream, GBytes *bytes)  1 and 2; 0 is the console */
