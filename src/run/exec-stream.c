/* SPDX-License-Identifier: Apache-2.0 */
#include "run/exec-stream.h"

#include <signal.h>

#include "base/error.h"
#include "qapi/qga-commands.h"
#include "run/exec-status.h"
#include "wire/frame.h"
#include "wire/guest-protocol.h"

#define START_TIMEOUT_MS 30000

/* The exit frame wakes the status question at once; polling is the net below it. */
#define POLL_FIRST_MS 50
#define POLL_MAX_MS   1000

/* Beyond this much unread output the guest's writers are stopped. */
#define OUTPUT_QUEUE_MAX (1u << 20)

struct _MfExecStream {
    MfExec parent;
    MfQga *qga;           /* owned */
    MfStream *stream;     /* owned */
    MfStdio *stdio;       /* borrowed */
    GBytes *record;       /* owned */
    MfExecStatus *status; /* owned; once the command runs */
    GTask *task;          /* owned; while running */
    GCancellable *asking; /* owned; ends the status question */
    gboolean by_frame, by_status;
    gsize unacked; /* standard input sent and not yet consumed */
    MfExit frame_exit, status_exit;
    gboolean ended[3], paused, output_held;
    guint held_source;
};

G_DEFINE_FINAL_TYPE(MfExecStream, mf_exec_stream, MF_TYPE_EXEC)

static void conclude_if_done(MfExecStream *self);

static void
mf_exec_stream_dispose(GObject *object)
{
    MfExecStream *self = MF_EXEC_STREAM(object);

    g_clear_handle_id(&self->held_source, g_source_remove);
    if (self->asking)
        g_cancellable_cancel(self->asking);
    g_clear_object(&self->asking);
    g_clear_object(&self->status);
    g_clear_pointer(&self->record, g_bytes_unref);
    g_clear_object(&self->stream);
    g_clear_object(&self->qga);
    G_OBJECT_CLASS(mf_exec_stream_parent_class)->dispose(object);
}

static void
mf_exec_stream_init(MfExecStream *self)
{
    self->asking = g_cancellable_new();
}

/* The one exit of a run: the task completes here. */
static void
finish(MfExecStream *self, GError *error)
{
    if (!self->task)
        return;

    g_autoptr(GTask) task = g_steal_pointer(&self->task);
    g_clear_handle_id(&self->held_source, g_source_remove);
    if (self->stdio->input)
        mf_input_stop(self->stdio->input);
    g_cancellable_cancel(self->asking);
    if (error)
        g_task_return_error(task, error);
    else
        g_task_return_boolean(task, TRUE);
}

static void
resume_if_drained(MfExecStream *self)
{
    if (self->paused && mf_stdio_get_queued(self->stdio) < OUTPUT_QUEUE_MAX) {
        self->paused = FALSE;
        mf_stream_set_reading(self->stream, TRUE);
    }
    conclude_if_done(self);
}

static void
on_output(MfExecStream *self, int fd, GBytes *chunk)
{
    MfOutput *output = self->stdio->output[fd];

    if (g_bytes_get_size(chunk) == 0) {
        self->ended[fd] = TRUE;
        conclude_if_done(self);
        return;
    }
    if (!output)
        return;
    mf_output_write(output, chunk);
    if (!self->paused && mf_stdio_get_queued(self->stdio) >= OUTPUT_QUEUE_MAX) {
        self->paused = TRUE;
        mf_stream_set_reading(self->stream, FALSE);
    }
}

static void
on_broken(MfExecStream *self, MfOutput *output)
{
    mf_stream_send_reader_gone(self->stream, output == self->stdio->output[1] ? 1 : 2);
    resume_if_drained(self);
}

static void
on_input(MfExecStream *self, GBytes *chunk)
{
    self->unacked += g_bytes_get_size(chunk);
    mf_stream_send_stdin(self->stream, chunk);
}

static void
on_input_ended(MfExecStream *self)
{
    mf_stream_send_stdin_end(self->stream);
}

static void
on_acked(MfExecStream *self, guint bytes)
{
    /* A guest cannot make us read ahead by acknowledging what it never got. */
    gsize consumed = MIN(bytes, self->unacked);

    self->unacked -= consumed;
    if (self->stdio->input)
        mf_input_grant(self->stdio->input, consumed);
}

static gboolean
on_output_overdue(gpointer data)
{
    MfExecStream *self = data;

    self->held_source = 0;
    self->output_held = TRUE;
    if (!self->by_frame) {
        self->by_frame = TRUE;
        self->frame_exit = self->status_exit;
    }
    conclude_if_done(self);
    return G_SOURCE_REMOVE;
}

static gboolean
same_exit(const MfExit *a, const MfExit *b)
{
    return a->status == b->status && a->signal_number == b->signal_number;
}

/* Done when the exit is known from both sides (or the other is lost) and the output is through. */
static void
conclude_if_done(MfExecStream *self)
{
    if (!self->task || !self->by_frame || !self->by_status)
        return;
    if (!same_exit(&self->frame_exit, &self->status_exit)) {
        finish(self, g_error_new(MF_ERROR, MF_ERROR_PROTOCOL,
                                 "The guest reported two different ends of the command: status %d "
                                 "signal %d by frame, status %d signal %d by its agent.",
                                 self->frame_exit.status, self->frame_exit.signal_number,
                                 self->status_exit.status, self->status_exit.signal_number));
        return;
    }

    gboolean ended = self->ended[1] && self->ended[2];
    if (!ended && !self->output_held) {
        if (!self->held_source && !self->paused)
            self->held_source =
                g_timeout_add(MF_EXEC_STREAM_OUTPUT_WAIT_MS, on_output_overdue, self);
        return;
    }
    if (mf_stdio_get_queued(self->stdio) > 0)
        return;
    self->frame_exit.output_held = !ended;
    finish(self, NULL);
}

static MfExit
exit_from_number(int number)
{
    return (MfExit){.status = number < 0 ? 0 : number, .signal_number = number < 0 ? -number : 0};
}

static void
on_exited(MfExecStream *self, int number)
{
    self->by_frame = TRUE;
    self->frame_exit = exit_from_number(number);
    if (self->status)
        mf_exec_status_poke(self->status);
    conclude_if_done(self);
}

static void
on_status(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(MfExecStream) self = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(MfQgaExecStatus) status =
        mf_exec_status_wait_finish(MF_EXEC_STATUS(source), result, &error);

    if (!self->task)
        return;
    self->by_status = TRUE;
    if (status) {
        self->status_exit.status = status->has_exitcode ? (int)status->exitcode : 0;
        self->status_exit.signal_number = status->has_signal ? (int)status->signal : 0;
        /* The frame was lost with its channel, or its sender was killed before it could write. */
        if (!self->by_frame && !self->held_source)
            self->held_source =
                g_timeout_add(MF_EXEC_STREAM_OUTPUT_WAIT_MS, on_output_overdue, self);
    } else if (self->by_frame) {
        /* A lost agent does not lose an exit that has come. */
        self->status_exit = self->frame_exit;
    } else {
        finish(self, g_steal_pointer(&error));
        return;
    }
    conclude_if_done(self);
}

static void
on_started(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(MfExecStream) self = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(MfQgaExecProcess) started = NULL;

    if (!mf_qga_guest_exec_finish(MF_QGA(source), result, &started, &error)) {
        finish(self, g_steal_pointer(&error));
        return;
    }
    if (!self->task)
        return;
    self->status = mf_exec_status_new(self->qga, started->pid, POLL_FIRST_MS, POLL_MAX_MS);
    mf_exec_status_wait_async(self->status, self->asking, on_status, g_object_ref(self));
    if (self->by_frame)
        mf_exec_status_poke(self->status);
    /* Not before: the guest has nowhere to put input for a command that does not exist yet. */
    if (self->stdio->input && !self->by_frame)
        mf_input_grant(self->stdio->input, MF_STDIN_WINDOW);
}

static void
on_cancelled(GCancellable *cancellable, MfExecStream *self)
{
    finish(self, g_error_new(MF_ERROR, MF_ERROR_CANCELLED, "The command was cancelled."));
}

static void
run_async(MfExec *exec, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
    MfExecStream *self = MF_EXEC_STREAM(exec);
    const char *words[] = {"exec", NULL};
    g_autofree char *encoded =
        g_base64_encode(g_bytes_get_data(self->record, NULL), g_bytes_get_size(self->record));
    const MfQgaGuestExecArguments arguments = {
        .path = MF_GUEST_SELF,
        .arg = words,
        .input_data = encoded,
    };

    self->task = g_task_new(self, NULL, callback, user_data);
    if (cancellable)
        g_signal_connect_object(cancellable, "cancelled", G_CALLBACK(on_cancelled), self, 0);
    mf_stream_expect_command(self->stream);
    mf_qga_guest_exec_async(self->qga, &arguments, START_TIMEOUT_MS, NULL, on_started,
                            g_object_ref(self));
}

static gboolean
run_finish(MfExec *exec, GAsyncResult *result, MfExit *ret_exit, GError **error)
{
    if (!g_task_propagate_boolean(G_TASK(result), error))
        return FALSE;
    *ret_exit = MF_EXEC_STREAM(exec)->frame_exit;
    return TRUE;
}

static gboolean
send_signal(MfExec *exec, int signal_number)
{
    mf_stream_send_signal(MF_EXEC_STREAM(exec)->stream, signal_number);
    return TRUE;
}

static gboolean
kill_all(MfExec *exec, guint grace_ms)
{
    mf_stream_send_kill(MF_EXEC_STREAM(exec)->stream, grace_ms);
    return TRUE;
}

static void
mf_exec_stream_class_init(MfExecStreamClass *class)
{
    MfExecClass *exec_class = MF_EXEC_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = mf_exec_stream_dispose;
    exec_class->run_async = run_async;
    exec_class->run_finish = run_finish;
    exec_class->signal = send_signal;
    exec_class->kill = kill_all;
}

MfExec *
mf_exec_stream_new(MfQga *qga, MfStream *stream, MfStdio *stdio, GBytes *record)
{
    MfExecStream *self = g_object_new(MF_TYPE_EXEC_STREAM, NULL);

    self->qga = g_object_ref(qga);
    self->stream = g_object_ref(stream);
    self->stdio = stdio;
    self->record = g_bytes_ref(record);
    g_signal_connect_object(stream, "output", G_CALLBACK(on_output), self, G_CONNECT_SWAPPED);
    g_signal_connect_object(stream, "acked", G_CALLBACK(on_acked), self, G_CONNECT_SWAPPED);
    g_signal_connect_object(stream, "exited", G_CALLBACK(on_exited), self, G_CONNECT_SWAPPED);
    for (int fd = 1; fd <= 2; fd++) {
        if (!stdio->output[fd])
            continue;
        g_signal_connect_object(stdio->output[fd], "drained", G_CALLBACK(resume_if_drained), self,
                                G_CONNECT_SWAPPED);
        g_signal_connect_object(stdio->output[fd], "broken", G_CALLBACK(on_broken), self,
                                G_CONNECT_SWAPPED);
    }
    if (stdio->input) {
        g_signal_connect_object(stdio->input, "received", G_CALLBACK(on_input), self,
                                G_CONNECT_SWAPPED);
        g_signal_connect_object(stdio->input, "ended", G_CALLBACK(on_input_ended), self,
                                G_CONNECT_SWAPPED);
    }
    return MF_EXEC(self);
}
