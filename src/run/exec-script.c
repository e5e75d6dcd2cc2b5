/* SPDX-License-Identifier: Apache-2.0 */
#include "run/exec-script.h"

#include "base/error.h"
#include "qapi/qga-commands.h"
#include "run/exec-status.h"

#define START_TIMEOUT_MS 30000

/* Nothing tells of the end here but the answer itself. */
#define POLL_FIRST_MS 1
#define POLL_MAX_MS   250

/* How far standard input is read ahead of the guest, and output ahead of its reader. */
#define INPUT_WINDOW     (256u << 10)
#define OUTPUT_QUEUE_MAX (1u << 20)

struct _MfExecScript {
    MfExec parent;
    MfMachine *machine;   /* owned */
    MfStdio *stdio;       /* borrowed */
    char *script;         /* owned */
    GTask *task;          /* owned; while running */
    GCancellable *asking; /* owned; ends the status question */
    MfExit ended;
    gboolean exited, paused;
    gsize sent; /* standard input handed to the transport since it was last empty */
    guint settle_source;
};

G_DEFINE_FINAL_TYPE(MfExecScript, mf_exec_script, MF_TYPE_EXEC)

static void
mf_exec_script_dispose(GObject *object)
{
    MfExecScript *self = MF_EXEC_SCRIPT(object);

    g_clear_handle_id(&self->settle_source, g_source_remove);
    if (self->asking)
        g_cancellable_cancel(self->asking);
    g_clear_object(&self->asking);
    g_clear_object(&self->machine);
    g_clear_pointer(&self->script, g_free);
    G_OBJECT_CLASS(mf_exec_script_parent_class)->dispose(object);
}

static void
mf_exec_script_init(MfExecScript *self)
{
    self->asking = g_cancellable_new();
}

static void
finish(MfExecScript *self, GError *error)
{
    if (!self->task)
        return;

    g_autoptr(GTask) task = g_steal_pointer(&self->task);
    g_clear_handle_id(&self->settle_source, g_source_remove);
    if (self->stdio->input)
        mf_input_stop(self->stdio->input);
    g_cancellable_cancel(self->asking);
    if (error)
        g_task_return_error(task, error);
    else
        g_task_return_boolean(task, TRUE);
}

static void
set_reading(MfExecScript *self, gboolean reading)
{
    self->paused = !reading;
    mf_transport_set_reading(mf_machine_get_channel(self->machine, MF_CHANNEL_STDOUT), reading);
    mf_transport_set_reading(mf_machine_get_channel(self->machine, MF_CHANNEL_STDERR), reading);
}

/* Runs when no descriptor has anything to say: the guest's writes were complete before its agent
 * knew of the exit, so whatever the ports still hold has been read by now, unless it was paused. */
static gboolean
on_settled(gpointer data)
{
    g_autoptr(MfExecScript) self = g_object_ref(data);

    self->settle_source = 0;
    if (!self->paused && mf_stdio_get_queued(self->stdio) == 0)
        finish(self, NULL);
    return G_SOURCE_REMOVE;
}

static void
settle(MfExecScript *self)
{
    if (self->exited && self->task && !self->settle_source)
        self->settle_source = g_idle_add_full(G_PRIORITY_LOW, on_settled, self, NULL);
}

static void
write_output(MfExecScript *self, int fd, GBytes *bytes)
{
    if (!self->stdio->output[fd])
        return;
    mf_output_write(self->stdio->output[fd], bytes);
    if (!self->paused && mf_stdio_get_queued(self->stdio) >= OUTPUT_QUEUE_MAX)
        set_reading(self, FALSE);
}

static void
on_stdout(MfExecScript *self, GBytes *bytes)
{
    write_output(self, 1, bytes);
}

static void
on_stderr(MfExecScript *self, GBytes *bytes)
{
    write_output(self, 2, bytes);
}

static void
on_output_changed(MfExecScript *self)
{
    if (self->paused && mf_stdio_get_queued(self->stdio) < OUTPUT_QUEUE_MAX)
        set_reading(self, TRUE);
    settle(self);
}

static void
on_input(MfExecScript *self, GBytes *chunk)
{
    self->sent += g_bytes_get_size(chunk);
    mf_transport_send(mf_machine_get_channel(self->machine, MF_CHANNEL_STDIN), chunk);
}

static void
on_input_ended(MfExecScript *self)
{
    mf_transport_send_end(mf_machine_get_channel(self->machine, MF_CHANNEL_STDIN));
}

static void
on_input_drained(MfExecScript *self)
{
    gsize sent = self->sent;

    self->sent = 0;
    if (self->stdio->input)
        mf_input_grant(self->stdio->input, sent);
}

/* The agent's own capture: empty where the script found the ports. */
static void
write_captured(MfExecScript *self, int fd, const char *base64)
{
    gsize size;
    guchar *data = base64 ? g_base64_decode(base64, &size) : NULL;

    if (!data)
        return;
    g_autoptr(GBytes) bytes = g_bytes_new_take(data, size);
    write_output(self, fd, bytes);
}

static void
on_status(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(MfExecScript) self = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(MfQgaExecStatus) status =
        mf_exec_status_wait_finish(MF_EXEC_STATUS(source), result, &error);

    if (!self->task)
        return;
    if (!status) {
        finish(self, g_steal_pointer(&error));
        return;
    }
    self->ended.status = status->has_exitcode ? (int)status->exitcode : 0;
    self->ended.signal_number = status->has_signal ? (int)status->signal : 0;
    write_captured(self, 1, status->out_data);
    write_captured(self, 2, status->err_data);
    self->exited = TRUE;
    settle(self);
}

static void
on_started(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(MfExecScript) self = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(MfQgaExecProcess) started = NULL;

    if (!mf_qga_guest_exec_finish(MF_QGA(source), result, &started, &error)) {
        finish(self, g_steal_pointer(&error));
        return;
    }
    if (!self->task)
        return;

    g_autoptr(MfExecStatus) status =
        mf_exec_status_new(MF_QGA(source), started->pid, POLL_FIRST_MS, POLL_MAX_MS);
    mf_exec_status_wait_async(status, self->asking, on_status, g_object_ref(self));
}

static void
on_cancelled(GCancellable *cancellable, MfExecScript *self)
{
    finish(self, g_error_new(MF_ERROR, MF_ERROR_CANCELLED, "The command was cancelled."));
}

static void
run_async(MfExec *exec, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
    MfExecScript *self = MF_EXEC_SCRIPT(exec);
    const char *words[] = {self->script, NULL};
    const MfQgaExecCapture capture = {.kind = MF_QGA_EXEC_CAPTURE_KIND_FLAG, .flag = TRUE};
    const MfQgaGuestExecArguments arguments = {
        .path = "/bin/sh",
        .arg = words,
        .capture_output = &capture,
    };

    self->task = g_task_new(self, NULL, callback, user_data);
    if (cancellable)
        g_signal_connect_object(cancellable, "cancelled", G_CALLBACK(on_cancelled), self, 0);
    mf_qga_guest_exec_async(mf_machine_get_qga(self->machine), &arguments, START_TIMEOUT_MS, NULL,
                            on_started, g_object_ref(self));
    if (self->stdio->input)
        mf_input_grant(self->stdio->input, INPUT_WINDOW);
}

static gboolean
run_finish(MfExec *exec, GAsyncResult *result, MfExit *ret_exit, GError **error)
{
    if (!g_task_propagate_boolean(G_TASK(result), error))
        return FALSE;
    *ret_exit = MF_EXEC_SCRIPT(exec)->ended;
    return TRUE;
}

static void
mf_exec_script_class_init(MfExecScriptClass *class)
{
    MfExecClass *exec_class = MF_EXEC_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = mf_exec_script_dispose;
    exec_class->run_async = run_async;
    exec_class->run_finish = run_finish;
}

static void
connect_channel(MfExecScript *self, MfChannel channel, const char *signal_name, GCallback callback)
{
    g_signal_connect_object(mf_machine_get_channel(self->machine, channel), signal_name, callback,
                            self, G_CONNECT_SWAPPED);
}

MfExec *
mf_exec_script_new(MfMachine *machine, MfStdio *stdio, const char *script)
{
    MfExecScript *self = g_object_new(MF_TYPE_EXEC_SCRIPT, NULL);

    self->machine = g_object_ref(machine);
    self->stdio = stdio;
    self->script = g_strdup(script);
    connect_channel(self, MF_CHANNEL_STDOUT, "received", G_CALLBACK(on_stdout));
    connect_channel(self, MF_CHANNEL_STDERR, "received", G_CALLBACK(on_stderr));
    connect_channel(self, MF_CHANNEL_STDIN, "drained", G_CALLBACK(on_input_drained));
    for (int fd = 1; fd <= 2; fd++) {
        if (!stdio->output[fd])
            continue;
        g_signal_connect_object(stdio->output[fd], "drained", G_CALLBACK(on_output_changed), self,
                                G_CONNECT_SWAPPED);
        g_signal_connect_object(stdio->output[fd], "broken", G_CALLBACK(on_output_changed), self,
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
