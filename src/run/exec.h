/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

/*
 * One command in the guest, from guest-exec to its exact end. How its standard streams travel is
 * the business of the two kinds: as frames (MfExecStream), or as raw ports (MfExecScript).
 */
#define MF_TYPE_EXEC (mf_exec_get_type())
G_DECLARE_DERIVABLE_TYPE(MfExec, mf_exec, MF, EXEC, GObject)

typedef struct {
    int status;           /* 0..255, of an exit */
    int signal_number;    /* not 0: killed by it */
    gboolean output_held; /* its output was still held open by something it left behind */
} MfExit;

struct _MfExecClass {
    GObjectClass parent;
    void (*run_async)(MfExec *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                      gpointer user_data);
    gboolean (*run_finish)(MfExec *self, GAsyncResult *result, MfExit *ret_exit, GError **error);
    gboolean (*signal)(MfExec *self, int signal_number); /* NULL: cannot */
    gboolean (*kill)(MfExec *self, guint grace_ms);      /* NULL: cannot */
};

/* Runs the command. Completes when the exit is known and the output has ended and was handed to the
 * caller's readers. MF_ERROR_GUEST, PROTOCOL (contradicting reports), CANCELLED, LOST, ... */
void mf_exec_run_async(MfExec *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                       gpointer user_data);
gboolean mf_exec_run_finish(MfExec *self, GAsyncResult *result, MfExit *ret_exit, GError **error);

/* To the command's process group. FALSE when this kind cannot. */
gboolean mf_exec_signal(MfExec *self, int signal_number);

/* TERM, and after 'grace_ms' KILL, to everything the command started. FALSE when this kind cannot.
 */
gboolean mf_exec_kill(MfExec *self, guint grace_ms);
