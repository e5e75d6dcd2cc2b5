/* SPDX-License-Identifier: Apache-2.0 */
#include "run/exec-script.h"

/* Nothing tells of the end here but the answer itself. */
#define POLL_FIRST_MS 1
#define POLL_MAX_MS   250

#define FLUSH_TIMEOUT_MS 10000

/* How far standard input is read ahead of the guest. */
#define INPUT_WINDOW (256u << 10)

struct _MfExecScript {
    MfExec parent;
    MfMachine *machine; /* owned */
    char **words;       /* owned; for the shell */
    MfExit ended;
    gboolean exited, flushing;
    gsize sent; /* standard input handed to the transport since it was last empty */
    guint settle_source;
};

G_DEFINE_FINAL_TYPE(MfExecScript, mf_exec_script, MF_TYPE_EXEC)

static void
mf_exec_script_dispose(GObject *object)
{
    MfExecScript *self = MF_EXEC_SCRIPT(object);

    g_clear_handle_id(&self->settle_source, g_source_remove);
    g_clear_object(&self->machine);
    g_clear_pointer(&self->words, g_strfreev);
    G_OBJECT_CLASS(mf_exec_script_parent_class)->dispose(object);
}

static void
mf_exec_script_init(MfExecScript *self)
{
}

static MfTransport *
channel(MfExecScript *self, MfChannel which)
{
    return mf_machine_get_channel(self->machine, which);
}

/* Runs when no descriptor has anything to say: the guest's writes were complete before its agent
 * knew of the exit, so whatever the ports still hold has been read by now, unless it was paused. */
static gboolean
on_settled(gpointer data)
{
    g_autoptr(MfExecScript) self = g_object_ref(data);

    self->settle_source = 0;
    if (!mf_exec_is_paused(MF_EXEC(self)) && mf_exec_get_queued(MF_EXEC(self)) == 0)
        mf_exec_finish(MF_EXEC(self), &self->ended, NULL);
    return G_SOURCE_REMOVE;
}

static void
settle(MfExec *exec)
{
    MfExecScript *self = MF_EXEC_SCRIPT(exec);

    if (self->exited && !self->settle_source)
        self->settle_source = g_idle_add_full(G_PRIORITY_LOW, on_settled, self, NULL);
}

static void
on_stdout(MfExecScript *self, GBytes *bytes)
{
    mf_exec_write_output(MF_EXEC(self), 1, bytes);
}

static void
on_stderr(MfExecScript *self, GBytes *bytes)
{
    mf_exec_write_output(MF_EXEC(self), 2, bytes);
}

static void
on_input_drained(MfExecScript *self)
{
    gsize sent = self->sent;

    self->sent = 0;
    mf_exec_grant_input(MF_EXEC(self), sent);
}

/* The agent's own capture: empty where the script found the ports. */
static void
write_captured(MfExec *exec, int fd, const char *base64)
{
    gsize size;
    guchar *data = base64 ? g_base64_decode(base64, &size) : NULL;

    if (!data)
        return;
    g_autoptr(GBytes) bytes = g_bytes_new_take(data, size);
    mf_exec_write_output(exec, fd, bytes);
}

/* All that is to be known is known. */
static void
conclude(MfExecScript *self)
{
    self->exited = TRUE;
    settle(MF_EXEC(self));
}

static void
on_flush_started(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(MfExecScript) self = data;
    g_autoptr(MfQgaExecProcess) process = NULL;
    gboolean good = mf_qga_guest_exec_finish(MF_QGA(source), result, &process, NULL);

    if (!mf_exec_is_running(MF_EXEC(self)))
        return;
    if (good)
        mf_exec_watch(MF_EXEC(self), process->pid, POLL_FIRST_MS, POLL_MAX_MS);
    else
        conclude(self);
}

/* The machine may be gone right after this: what was written to disks and shares goes to the host
 * first. How that ends is not how the command ended. */
static void
flush(MfExecScript *self)
{
    static const char *const words[] = {"-c", "sync", NULL};
    const MfQgaGuestExecArguments arguments = {.path = "/bin/sh", .arg = words};

    self->flushing = TRUE;
    mf_qga_guest_exec_async(mf_machine_get_qga(self->machine), &arguments, FLUSH_TIMEOUT_MS, NULL,
                            on_flush_started, g_object_ref(self));
}

static void
reported(MfExec *exec, const MfQgaExecStatus *status, const GError *error)
{
    MfExecScript *self = MF_EXEC_SCRIPT(exec);
    g_autoptr(GError) bad = NULL;

    if (self->flushing) {
        conclude(self);
        return;
    }
    if (!status) {
        mf_exec_finish(exec, NULL, g_error_copy(error));
        return;
    }
    if (!mf_exec_exit_from_status(status, &self->ended, &bad)) {
        mf_exec_finish(exec, NULL, g_steal_pointer(&bad));
        return;
    }
    write_captured(exec, 1, status->out_data);
    write_captured(exec, 2, status->err_data);
    flush(self);
}

static void
started(MfExec *exec, gint64 pid)
{
    mf_exec_watch(exec, pid, POLL_FIRST_MS, POLL_MAX_MS);
    mf_exec_grant_input(exec, INPUT_WINDOW);
}

static void
get_arguments(MfExec *exec, MfQgaGuestExecArguments *ret_arguments)
{
    static const MfQgaExecCapture capture = {.kind = MF_QGA_EXEC_CAPTURE_KIND_FLAG, .flag = TRUE};

    ret_arguments->path = "/bin/sh";
    ret_arguments->arg = (const char *const *)MF_EXEC_SCRIPT(exec)->words;
    ret_arguments->capture_output = &capture;
}

static void
send_input(MfExec *exec, GBytes *chunk)
{
    MfExecScript *self = MF_EXEC_SCRIPT(exec);

    self->sent += g_bytes_get_size(chunk);
    mf_transport_send(channel(self, MF_CHANNEL_STDIN), chunk);
}

static void
send_input_end(MfExec *exec)
{
    mf_transport_send_end(channel(MF_EXEC_SCRIPT(exec), MF_CHANNEL_STDIN));
}

static void
set_reading(MfExec *exec, gboolean reading)
{
    mf_transport_set_reading(channel(MF_EXEC_SCRIPT(exec), MF_CHANNEL_STDOUT), reading);
    mf_transport_set_reading(channel(MF_EXEC_SCRIPT(exec), MF_CHANNEL_STDERR), reading);
}

static void
mf_exec_script_class_init(MfExecScriptClass *class)
{
    MfExecClass *exec_class = MF_EXEC_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = mf_exec_script_dispose;
    exec_class->get_arguments = get_arguments;
    exec_class->started = started;
    exec_class->reported = reported;
    exec_class->send_input = send_input;
    exec_class->send_input_end = send_input_end;
    exec_class->set_reading = set_reading;
    exec_class->output_moved = settle;
}

MfExec *
mf_exec_script_new(MfMachine *machine, MfStdio *stdio, const char *const *words)
{
    MfExecScript *self = g_object_new(MF_TYPE_EXEC_SCRIPT, NULL);

    mf_exec_set_up(MF_EXEC(self), mf_machine_get_qga(machine), stdio);
    self->machine = g_object_ref(machine);
    self->words = g_strdupv((char **)words);
    g_signal_connect_object(channel(self, MF_CHANNEL_STDOUT), "received", G_CALLBACK(on_stdout),
                            self, G_CONNECT_SWAPPED);
    g_signal_connect_object(channel(self, MF_CHANNEL_STDERR), "received", G_CALLBACK(on_stderr),
                            self, G_CONNECT_SWAPPED);
    g_signal_connect_object(channel(self, MF_CHANNEL_STDIN), "drained",
                            G_CALLBACK(on_input_drained), self, G_CONNECT_SWAPPED);
    return MF_EXEC(self);
}
