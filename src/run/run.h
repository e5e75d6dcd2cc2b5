/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

#include "machine/spec.h"
#include "run/result.h"
#include "run/stdio.h"
#include "run/target.h"

/*
 * One target from start to verdict. The steps are those of MfPhase, in order; a failure in any of
 * them goes to the conclusion, and the VM is stopped and reaped on every path.
 */
#define MF_TYPE_RUN (mf_run_get_type())
G_DECLARE_FINAL_TYPE(MfRun, mf_run, MF, RUN, GObject)

/* 'target' and 'stdio' are borrowed for the object's life. */
MfRun *mf_run_new(const MfTarget *target, MfStdio *stdio);

/* Runs it. Completes when nothing of it is left on the host; cannot fail: the result tells. */
void mf_run_start_async(MfRun *self, GAsyncReadyCallback callback, gpointer user_data);
MfResult *mf_run_start_finish(MfRun *self, GAsyncResult *result);

/* A signal that the caller received, for the command. Returns FALSE when there is no command yet
 * (or none any more) that could take it. 'ending': it asks for the end, so that a guest that is
 * lost instead of ending the command makes it MF_VERDICT_CANCELLED. */
gboolean mf_run_forward_signal(MfRun *self, int signal_number, gboolean ending);

/* The command's terminal has another size than the target says. */
void mf_run_set_window_size(MfRun *self, guint16 rows, guint16 columns);

/* What machine it is, from MF_PHASE_LAUNCH on until the run completes; else NULL. Borrowed. */
const MfSpec *mf_run_get_spec(MfRun *self);

/* Ends the run now, in whatever step it is, with MF_VERDICT_CANCELLED and 'reason'. */
void mf_run_cancel(MfRun *self, const char *reason);

/* Signals:
 *   "console"       (GBytes *bytes)   the console and the kernel log, live
 *   "phase-changed" (guint phase)     MfPhase; before the phase does anything */
