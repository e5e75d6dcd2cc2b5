/* SPDX-License-Identifier: Apache-2.0 */
#include "run/exec-stream.h"

#include "base/error.h"
#include "wire/frame.h"
#include "wire/guest-protocol.h"

/* The exit frame wakes the status question at once; polling is the net below it. */
#define POLL_FIRST_MS 50
#define POLL_MAX_MS   1000

#define US_PER_MS ((gint64)1000)

/* Signals that wait for the command to be there; who sends more is not waiting for any of them. */
#define EARLY_SIGNALS_MAX 64

struct _MfExecStream {
    MfExec parent;
    MfStream *stream; /* owned */
    char *encoded;    /* owned; the command record in Base64 */
    gboolean by_frame, by_status;
    MfExit frame_exit, status_exit;
    gsize unacked;    /* standard input sent and not yet consumed */
    gint64 output_us; /* when the last output came */
    gboolean started, ended[3];
    gboolean held;         /* the guest has ended an output that something holds open */
    GArray *early_signals; /* owned; of int: for the command when it is there */
    gint64 early_kill_ms;  /* the grace of a kill, likewise; -1: none */
    guint16 rows, columns; /* not 0: a size to be told when the command is there */
    gboolean waited;       /* long enough for what the exit left open */
    gint64 wait_left_us, wait_since_us;
    guint wait_source;
};

G_DEFINE_FINAL_TYPE(MfExecStream, mf_exec_stream, MF_TYPE_EXEC)

static void conclude_if_done(MfExecStream *self);

static void
mf_exec_stream_dispose(GObject *object)
{
    MfExecStream *self = MF_EXEC_STREAM(object);

    g_clear_handle_id(&self->wait_source, g_source_remove);
    g_clear_object(&self->stream);
    g_clear_pointer(&self->encoded, g_free);
    g_clear_pointer(&self->early_signals, g_array_unref);
    G_OBJECT_CLASS(mf_exec_stream_parent_class)->dispose(object);
}

static void
mf_exec_stream_init(MfExecStream *self)
{
    self->wait_left_us = MF_EXEC_STREAM_OUTPUT_WAIT_MS * US_PER_MS;
    self->early_signals = g_array_new(FALSE, FALSE, sizeof(int));
    self->early_kill_ms = -1;
}

static void
on_output(MfExecStream *self, int fd, GBytes *chunk)
{
    if (g_bytes_get_size(chunk) > 0) {
        self->output_us = g_get_monotonic_time();
        mf_exec_write_output(MF_EXEC(self), fd, chunk);
        return;
    }
    self->ended[fd] = TRUE;
    conclude_if_done(self);
}

static void
on_output_held(MfExecStream *self)
{
    self->held = TRUE;
}

static void
on_acked(MfExecStream *self, guint bytes)
{
    /* A guest cannot make us read ahead by acknowledging what it never got. */
    gsize consumed = MIN(bytes, self->unacked);

    self->unacked -= consumed;
    mf_exec_grant_input(MF_EXEC(self), consumed);
}

static gboolean
on_wait_over(gpointer data)
{
    MfExecStream *self = data;
    gint64 silence_us = g_get_monotonic_time() - self->output_us;

    self->wait_source = 0;
    /* As long as output comes, the exit frame behind it is on its way. */
    self->waited = self->by_frame || silence_us >= MF_EXEC_STREAM_OUTPUT_WAIT_MS * US_PER_MS;
    conclude_if_done(self);
    return G_SOURCE_REMOVE;
}

static gboolean
has_output_ended(const MfExecStream *self)
{
    return self->ended[1] && self->ended[2];
}

/* Awaits, once the agent has told the exit, what the frames still owe. Time in which the caller's
 * reader keeps us from reading them is not theirs: it does not count. */
static void
update_wait(MfExecStream *self)
{
    MfExec *exec = MF_EXEC(self);
    gboolean owed = !self->by_frame || !has_output_ended(self);
    gboolean wanted = self->by_status && owed && !self->waited && mf_exec_is_running(exec) &&
                      !mf_exec_is_paused(exec);
    gint64 now_us = g_get_monotonic_time();

    if (wanted && !self->wait_source) {
        self->wait_since_us = now_us;
        self->wait_source =
            g_timeout_add((guint)(self->wait_left_us / US_PER_MS), on_wait_over, self);
    } else if (!wanted && self->wait_source) {
        g_clear_handle_id(&self->wait_source, g_source_remove);
        self->wait_left_us = MAX(self->wait_left_us - (now_us - self->wait_since_us), 0);
    }
}

static GError *
contradiction(const MfExit *frame, const MfExit *status)
{
    return g_error_new(MF_ERROR, MF_ERROR_PROTOCOL,
                       "The guest reported two different ends of the command: status %d signal %d "
                       "by frame, status %d signal %d by its agent.",
                       frame->status, frame->signal_number, status->status, status->signal_number);
}

/* Done when the exit is known from both sides (or the other is lost) and the output is through. */
static void
conclude_if_done(MfExecStream *self)
{
    MfExec *exec = MF_EXEC(self);
    MfExit *frame = &self->frame_exit, *status = &self->status_exit;

    update_wait(self);
    if (!mf_exec_is_running(exec) || !self->by_status || (!self->by_frame && !self->waited))
        return;
    /* The frame was lost with its channel, or its sender killed before it could write. */
    if (!self->by_frame)
        *frame = *status;
    if (frame->status != status->status || frame->signal_number != status->signal_number) {
        mf_exec_finish(exec, NULL, contradiction(frame, status));
        return;
    }
    if ((!has_output_ended(self) && !self->waited) || mf_exec_get_queued(exec) > 0)
        return;
    frame->output_held = self->held || !has_output_ended(self);
    mf_exec_finish(exec, frame, NULL);
}

static void
on_exited(MfExecStream *self, int number)
{
    self->by_frame = TRUE;
    self->frame_exit.status = number < 0 ? 0 : number;
    self->frame_exit.signal_number = number < 0 ? -number : 0;
    mf_exec_poke(MF_EXEC(self));
    conclude_if_done(self);
}

static void
reported(MfExec *exec, const MfQgaExecStatus *status, const GError *error)
{
    MfExecStream *self = MF_EXEC_STREAM(exec);
    g_autoptr(GError) bad = NULL;

    if (!status && !self->by_frame) {
        mf_exec_finish(exec, NULL, g_error_copy(error));
        return;
    }
    /* A lost agent does not lose an exit that has come. */
    if (!status)
        self->status_exit = self->frame_exit;
    else if (!mf_exec_exit_from_status(status, &self->status_exit, &bad)) {
        mf_exec_finish(exec, NULL, g_steal_pointer(&bad));
        return;
    }
    self->by_status = TRUE;
    conclude_if_done(self);
}

/* What the guest would have had nowhere to put before there was a command. */
static void
send_early(MfExecStream *self)
{
    if (self->rows)
        mf_stream_send_window_size(self->stream, self->rows, self->columns);
    for (guint i = 0; i < self->early_signals->len; i++)
        mf_stream_send_signal(self->stream, g_array_index(self->early_signals, int, i));
    if (self->early_kill_ms >= 0)
        mf_stream_send_kill(self->stream, (guint32)self->early_kill_ms);
}

static void
started(MfExec *exec, gint64 pid)
{
    MfExecStream *self = MF_EXEC_STREAM(exec);

    mf_exec_watch(exec, pid, POLL_FIRST_MS, POLL_MAX_MS);
    self->started = TRUE;
    if (self->by_frame) {
        mf_exec_poke(exec);
        return;
    }
    send_early(self);
    if (mf_exec_has_input(exec))
        mf_exec_grant_input(exec, MF_STDIN_WINDOW);
    else
        mf_stream_send_stdin_end(self->stream);
}

static void
get_arguments(MfExec *exec, MfQgaGuestExecArguments *ret_arguments)
{
    static const char *const words[] = {"exec", NULL};
    MfExecStream *self = MF_EXEC_STREAM(exec);

    mf_stream_expect_command(self->stream);
    ret_arguments->path = MF_GUEST_SELF;
    ret_arguments->arg = words;
    ret_arguments->input_data = self->encoded;
}

static void
send_input(MfExec *exec, GBytes *chunk)
{
    MfExecStream *self = MF_EXEC_STREAM(exec);

    self->unacked += g_bytes_get_size(chunk);
    mf_stream_send_stdin(self->stream, chunk);
}

static void
send_input_end(MfExec *exec)
{
    mf_stream_send_stdin_end(MF_EXEC_STREAM(exec)->stream);
}

static void
set_reading(MfExec *exec, gboolean reading)
{
    mf_stream_set_reading(MF_EXEC_STREAM(exec)->stream, reading);
    update_wait(MF_EXEC_STREAM(exec));
}

static void
output_moved(MfExec *exec)
{
    conclude_if_done(MF_EXEC_STREAM(exec));
}

static void
reader_gone(MfExec *exec, int fd)
{
    mf_stream_send_reader_gone(MF_EXEC_STREAM(exec)->stream, fd);
}

static gboolean
send_signal(MfExec *exec, int signal_number)
{
    MfExecStream *self = MF_EXEC_STREAM(exec);

    if (self->started)
        mf_stream_send_signal(self->stream, signal_number);
    else if (self->early_signals->len < EARLY_SIGNALS_MAX)
        g_array_append_val(self->early_signals, signal_number);
    return TRUE;
}

static gboolean
kill_all(MfExec *exec, guint grace_ms)
{
    MfExecStream *self = MF_EXEC_STREAM(exec);

    if (self->started)
        mf_stream_send_kill(self->stream, grace_ms);
    else
        self->early_kill_ms = grace_ms;
    return TRUE;
}

static void
resize(MfExec *exec, guint16 rows, guint16 columns)
{
    MfExecStream *self = MF_EXEC_STREAM(exec);

    self->rows = rows;
    self->columns = columns;
    if (self->started)
        mf_stream_send_window_size(self->stream, rows, columns);
}

static void
mf_exec_stream_class_init(MfExecStreamClass *class)
{
    MfExecClass *exec_class = MF_EXEC_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = mf_exec_stream_dispose;
    exec_class->get_arguments = get_arguments;
    exec_class->started = started;
    exec_class->reported = reported;
    exec_class->send_input = send_input;
    exec_class->send_input_end = send_input_end;
    exec_class->set_reading = set_reading;
    exec_class->output_moved = output_moved;
    exec_class->reader_gone = reader_gone;
    exec_class->signal = send_signal;
    exec_class->kill = kill_all;
    exec_class->resize = resize;
}

MfExec *
mf_exec_stream_new(MfQga *qga, MfStream *stream, MfStdio *stdio, GBytes *record)
{
    MfExecStream *self = g_object_new(MF_TYPE_EXEC_STREAM, NULL);

    mf_exec_set_up(MF_EXEC(self), qga, stdio);
    self->stream = g_object_ref(stream);
    self->encoded = g_base64_encode(g_bytes_get_data(record, NULL), g_bytes_get_size(record));
    g_signal_connect_object(stream, "output", G_CALLBACK(on_output), self, G_CONNECT_SWAPPED);
    g_signal_connect_object(stream, "output-held", G_CALLBACK(on_output_held), self,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(stream, "acked", G_CALLBACK(on_acked), self, G_CONNECT_SWAPPED);
    g_signal_connect_object(stream, "exited", G_CALLBACK(on_exited), self, G_CONNECT_SWAPPED);
    return MF_EXEC(self);
}
