/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

#include "run/result.h"
#include "suite/case.h"
#include "suite/outcome.h"

/*
 * One attempt at a case: its run, with its streams captured.
 */
#define MF_TYPE_ATTEMPT (mf_attempt_get_type())
G_DECLARE_FINAL_TYPE(MfAttempt, mf_attempt, MF, ATTEMPT, GObject)

/* 'the_case' is borrowed for the object's life. 'directory' is where its files go (run-dir.h); NULL
 * for none. MF_ERROR_HOST. */
MfAttempt *mf_attempt_new(const MfCase *the_case, const char *directory, GError **error);

/* Completes when nothing of it is left on the host; cannot fail: the result tells. */
void mf_attempt_run_async(MfAttempt *self, GAsyncReadyCallback callback, gpointer user_data);
MfResult *mf_attempt_run_finish(MfAttempt *self, GAsyncResult *result);

/* Ends it now, with MF_VERDICT_CANCELLED and 'reason'; what is left is stopped in order. */
void mf_attempt_cancel(MfAttempt *self, const char *reason);

/* Kills the VM and removes what the run has made. It never completes: only for the moment before
 * the program ends. */
void mf_attempt_kill(MfAttempt *self);

/* How much there was of each stream, and its end. */
void mf_attempt_fill_report(const MfAttempt *self, MfOutcomeReport *report);

/* Signals:
 *   "phase-changed" (guint phase)                MfPhase
 *   "output"        (int stream, GBytes *bytes)  1 and 2; 0 is the console */
