/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

#include "qapi/qga-types.h"
#include "wire/qga.h"

/*
 * Waits for the end of a process started by guest-exec, by asking guest-exec-status with
 * exponential backoff. The agent tells the status of an ended process once, so nobody else may ask.
 */
#define MF_TYPE_EXEC_STATUS (mf_exec_status_get_type())
G_DECLARE_FINAL_TYPE(MfExecStatus, mf_exec_status, MF, EXEC_STATUS, GObject)

/* Asks first after 'first_ms', then at doubling intervals of at most 'max_ms'. 'qga' is referenced.
 * Nothing happens before mf_exec_status_wait_async(). */
MfExecStatus *mf_exec_status_new(MfQga *qga, gint64 pid, guint first_ms, guint max_ms);

/* Completes when the process has ended. MF_ERROR_CANCELLED, or the agent's failure. */
void mf_exec_status_wait_async(MfExecStatus *self, GCancellable *cancellable,
                               GAsyncReadyCallback callback, gpointer user_data);
/* Owned by the caller. */
MfQgaExecStatus *
mf_exec_status_wait_finish(MfExecStatus *self, GAsyncResult *result, GError **error);

/* Somebody knows that the process has ended: ask at once, and start the backoff anew. */
void mf_exec_status_poke(MfExecStatus *self);
