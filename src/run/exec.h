/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

#include "qapi/qga-commands.h"
#include "run/stdio.h"
#include "run/tail.h"

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
    gboolean timed_out;   /* the limit has ended it; or left it running, where nothing can end it */
} MfExit;

/* Beyond this much unread output the guest's writers are stopped. */
#define MF_EXEC_OUTPUT_QUEUE_MAX (1u << 20)

/* Runs the command. Completes when the exit is known and the output has ended and was handed to the
 * caller's readers. MF_ERROR_GUEST, PROTOCOL (contradicting reports), CANCELLED, LOST (also of a
 * guest that does not answer), ... */
void mf_exec_run_async(MfExec *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                       gpointer user_data);
gboolean mf_exec_run_finish(MfExec *self, GAsyncResult *result, MfExit *ret_exit, GError **error);

/* Kills the command, as mf_exec_kill(), when it has not ended after 'limit_ms'; 0 is never. What it
 * wrote until then is waited for, as long as some of it arrives or is taken by the caller's
 * readers. It fails with MF_ERROR_TIMEOUT when the guest does not even tell of the end. Before the
 * command runs. */
void mf_exec_set_limit(MfExec *self, gint64 limit_ms);

/* Ends a command that runs as if its limit had passed just now. */
void mf_exec_expire(MfExec *self);

/* Bytes for 'fd' (1, 2) of the caller, as if the command had written them; nothing once it has
 * ended. */
void mf_exec_write_output(MfExec *self, int fd, GBytes *bytes);

/* The last of what the command writes to 'fd' goes to 'tail' too, borrowed for the object's life.
 * Before the command runs. */
void mf_exec_keep(MfExec *self, int fd, MfTail *tail);

/* To the command's process group, as soon as there is one. FALSE when this kind cannot. */
gboolean mf_exec_signal(MfExec *self, int signal_number);

/* TERM, and after 'grace_ms' KILL, to everything the command started, as soon as there is a
 * command. FALSE when this kind cannot. */
gboolean mf_exec_kill(MfExec *self, guint grace_ms);

/* The command's terminal has another size now. Nothing happens where it has none. */
void mf_exec_resize(MfExec *self, guint16 rows, guint16 columns);

/* What a kind does; everything is called from the main loop, and only while the command runs. (At
 * its very end set_reading, so that no channel stays stopped.) */
struct _MfExecClass {
    GObjectClass parent;
    void (*get_arguments)(MfExec *self, MfQgaGuestExecArguments *ret_arguments);
    void (*started)(MfExec *self, gint64 pid);
    /* The agent's word on the end, or why there will be none. */
    void (*reported)(MfExec *self, const MfQgaExecStatus *status, const GError *error);
    void (*send_input)(MfExec *self, GBytes *chunk);
    void (*send_input_end)(MfExec *self);
    void (*set_reading)(MfExec *self, gboolean reading);
    void (*output_moved)(MfExec *self);                          /* a reader took output, or left */
    void (*reader_gone)(MfExec *self, int fd);                   /* NULL: nothing to do */
    gboolean (*signal)(MfExec *self, int signal_number);         /* NULL: cannot */
    gboolean (*kill)(MfExec *self, guint grace_ms);              /* NULL: cannot */
    void (*resize)(MfExec *self, guint16 rows, guint16 columns); /* NULL: has no terminal */
};

/* For the kinds. 'qga' is referenced, 'stdio' borrowed for the object's life; called once. */
void mf_exec_set_up(MfExec *self, MfQga *qga, MfStdio *stdio);
gboolean mf_exec_is_running(MfExec *self);
gboolean mf_exec_is_paused(MfExec *self);
gsize mf_exec_get_queued(MfExec *self);
gboolean mf_exec_has_input(MfExec *self);
void mf_exec_grant_input(MfExec *self, gsize bytes);

/* Asks guest-exec-status by backoff until "reported", then maybe for another process; poke asks at
 * once. */
void mf_exec_watch(MfExec *self, gint64 pid, guint first_ms, guint max_ms);
void mf_exec_poke(MfExec *self);

/* The one end of a run; 'error' is taken, NULL with an exit. Later calls do nothing. */
void mf_exec_finish(MfExec *self, const MfExit *ended, GError *error);

/* Why there is no word of the command's end, from why the agent gave none. Its silence for as long
 * as one question may take is no limit of the command's (MF_ERROR_TIMEOUT) but a guest that does
 * not run (MF_ERROR_LOST). Owned by the caller. */
GError *mf_exec_explain_silence(const GError *error);

/* The exit in the agent's words. MF_ERROR_PROTOCOL when they tell no end that a process can have:
 * taken for one, it could pass for success. */
gboolean mf_exec_exit_from_status(const MfQgaExecStatus *status, MfExit *ret_exit, GError **error);
