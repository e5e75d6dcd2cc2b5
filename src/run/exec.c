/* SPDX-License-Identifier: Apache-2.0 */
#include "run/exec.h"

#include "base/error.h"
#include "run/exec-status.h"
#include "wire/guest-protocol.h"

#define START_TIMEOUT_MS 30000

/* Past its limit, how long the command has between TERM and KILL, and to be reported after it. */
#define KILL_GRACE_MS  1000
#define KILL_REPORT_MS 1500

/* How often that time is given anew because output still arrives or is still taken: a guest cannot
 * put off the end for ever. */
#define EXTENSIONS_MAX 10

typedef struct {
    MfQga *qga;           /* owned */
    MfStdio *stdio;       /* borrowed */
    MfExecStatus *status; /* owned; once the command runs */
    GTask *task;          /* owned; while running */
    GCancellable *asking; /* owned; ends the question for the status */
    MfTail *kept[3];      /* borrowed; indexes 1 and 2; or NULL */
    MfExit ended;
    gint64 limit_ms;
    guint limit_source;
    guint quiet_source;                /* past the limit of one that cannot be killed */
    guint64 received, received_before; /* bytes of output */
    gsize queued_before;
    guint extensions;
    gboolean paused, timed_out, killed;
} MfExecPrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE(MfExec, mf_exec, G_TYPE_OBJECT)

#define PRIVATE(self) ((MfExecPrivate *)mf_exec_get_instance_private(self))

static void
mf_exec_dispose(GObject *object)
{
    MfExecPrivate *private = PRIVATE(MF_EXEC(object));

    if (private->asking)
        g_cancellable_cancel(private->asking);
    g_clear_handle_id(&private->limit_source, g_source_remove);
    g_clear_handle_id(&private->quiet_source, g_source_remove);
    g_clear_object(&private->asking);
    g_clear_object(&private->status);
    g_clear_object(&private->qga);
    G_OBJECT_CLASS(mf_exec_parent_class)->dispose(object);
}

static void
mf_exec_class_init(MfExecClass *class)
{
    G_OBJECT_CLASS(class)->dispose = mf_exec_dispose;
}

static void
mf_exec_init(MfExec *self)
{
    PRIVATE(self)->asking = g_cancellable_new();
}

static void
set_paused(MfExec *self, gboolean paused)
{
    if (PRIVATE(self)->paused == paused)
        return;
    PRIVATE(self)->paused = paused;
    MF_EXEC_GET_CLASS(self)->set_reading(self, !paused);
}

void
mf_exec_finish(MfExec *self, const MfExit *ended, GError *error)
{
    MfExecPrivate *private = PRIVATE(self);
    g_autoptr(GTask) task = g_steal_pointer(&private->task);

    if (!task) {
        g_clear_error(&error);
        return;
    }
    g_clear_handle_id(&private->limit_source, g_source_remove);
    g_clear_handle_id(&private->quiet_source, g_source_remove);
    if (private->stdio->input)
        mf_input_stop(private->stdio->input);
    /* What carries the output may have more to tell, as the stream has the kernel's log. */
    set_paused(self, FALSE);
    g_cancellable_cancel(private->asking);
    if (error) {
        g_task_return_error(task, error);
        return;
    }
    private->ended = *ended;
    private->ended.timed_out = private->timed_out;
    g_task_return_boolean(task, TRUE);
}

gboolean
mf_exec_is_running(MfExec *self)
{
    return PRIVATE(self)->task != NULL;
}

gboolean
mf_exec_is_paused(MfExec *self)
{
    return PRIVATE(self)->paused;
}

gsize
mf_exec_get_queued(MfExec *self)
{
    return mf_stdio_get_queued(PRIVATE(self)->stdio);
}

void
mf_exec_write_output(MfExec *self, int fd, GBytes *bytes)
{
    MfExecPrivate *private = PRIVATE(self);

    private->received += g_bytes_get_size(bytes);
    if (private->task && private->kept[fd])
        mf_tail_append(private->kept[fd], bytes);
    /* The caller's streams are ours only as long as the command runs. */
    if (!private->task || !private->stdio->output[fd])
        return;
    mf_output_write(private->stdio->output[fd], bytes);
    /* Finding that nobody reads may have been the end. */
    if (private->task && mf_exec_get_queued(self) >= MF_EXEC_OUTPUT_QUEUE_MAX)
        set_paused(self, TRUE);
}

gboolean
mf_exec_has_input(MfExec *self)
{
    return PRIVATE(self)->stdio->input != NULL;
}

void
mf_exec_grant_input(MfExec *self, gsize bytes)
{
    MfExecPrivate *private = PRIVATE(self);

    if (private->task && private->stdio->input)
        mf_input_grant(private->stdio->input, bytes);
}

/* Nothing is left to be read from a command that cannot be killed; what the caller's readers have
 * not taken is waited for. */
static gboolean
on_quiet(gpointer data)
{
    g_autoptr(MfExec) self = g_object_ref(data);
    const MfExit left_running = {0};

    PRIVATE(self)->quiet_source = 0;
    if (!mf_exec_is_paused(self) && mf_exec_get_queued(self) == 0)
        mf_exec_finish(self, &left_running, NULL);
    return G_SOURCE_REMOVE;
}

/* Low, so that whatever a descriptor has to say comes first. */
static void
finish_when_quiet(MfExec *self)
{
    if (!PRIVATE(self)->quiet_source)
        PRIVATE(self)->quiet_source = g_idle_add_full(G_PRIORITY_LOW, on_quiet, self, NULL);
}

static void
on_output_moved(MfExec *self)
{
    MfExecPrivate *private = PRIVATE(self);

    if (!private->task)
        return;
    if (mf_exec_get_queued(self) < MF_EXEC_OUTPUT_QUEUE_MAX)
        set_paused(self, FALSE);
    if (private->timed_out && !private->killed)
        finish_when_quiet(self);
    MF_EXEC_GET_CLASS(self)->output_moved(self);
}

static void
on_broken(MfExec *self, MfOutput *output)
{
    MfExecPrivate *private = PRIVATE(self);
    MfExecClass *class = MF_EXEC_GET_CLASS(self);
    const GError *error = mf_output_get_error(output);

    /* Lost output must not pass for a success. */
    if (error) {
        mf_exec_finish(self, NULL, g_error_copy(error));
        return;
    }
    for (int fd = 1; fd <= 2; fd++)
        if (private->task && class->reader_gone && private->stdio->output[fd] == output)
            class->reader_gone(self, fd);
    on_output_moved(self);
}

static void
on_input(MfExec *self, GBytes *chunk)
{
    if (PRIVATE(self)->task)
        MF_EXEC_GET_CLASS(self)->send_input(self, chunk);
}

static void
on_input_ended(MfExec *self)
{
    MfExecPrivate *private = PRIVATE(self);

    if (!private->task)
        return;

    /* Lost input must not pass for all of it. */
    const GError *error = mf_input_get_error(private->stdio->input);
    if (error)
        mf_exec_finish(self, NULL, g_error_copy(error));
    else
        MF_EXEC_GET_CLASS(self)->send_input_end(self);
}

void
mf_exec_set_up(MfExec *self, MfQga *qga, MfStdio *stdio)
{
    MfExecPrivate *private = PRIVATE(self);

    private->qga = g_object_ref(qga);
    private->stdio = stdio;
    for (int fd = 1; fd <= 2; fd++) {
        if (!stdio->output[fd] || (fd == 2 && stdio->output[2] == stdio->output[1]))
            continue;
        g_signal_connect_object(stdio->output[fd], "drained", G_CALLBACK(on_output_moved), self,
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
}

gboolean
mf_exec_exit_from_status(const MfQgaExecStatus *status, MfExit *ret_exit, GError **error)
{
    gboolean exited =
        status->has_exitcode && status->exitcode >= 0 && status->exitcode <= MF_EXIT_STATUS_MAX;
    gboolean killed =
        status->has_signal && status->signal > 0 && status->signal <= MF_EXIT_SIGNAL_MAX;

    if (status->has_exitcode == status->has_signal || (!exited && !killed)) {
        g_set_error(error, MF_ERROR, MF_ERROR_PROTOCOL,
                    "The guest agent says that the command has ended, but not with either an exit "
                    "status of 0 to %d or a signal of 1 to %d.",
                    MF_EXIT_STATUS_MAX, MF_EXIT_SIGNAL_MAX);
        return FALSE;
    }
    *ret_exit = (MfExit){.status = exited ? (int)status->exitcode : 0,
                         .signal_number = killed ? (int)status->signal : 0};
    return TRUE;
}

GError *
mf_exec_explain_silence(const GError *error)
{
    if (!g_error_matches(error, MF_ERROR, MF_ERROR_TIMEOUT))
        return g_error_copy(error);
    return g_error_new(MF_ERROR, MF_ERROR_LOST,
                       "The guest does not answer any more, as if it were stopped: %s",
                       error->message);
}

/* Past its limit it is the command that took too long, whatever else there is to say. */
static void
report_silence(MfExec *self, const GError *error)
{
    g_autoptr(GError) explained =
        PRIVATE(self)->timed_out ? g_error_copy(error) : mf_exec_explain_silence(error);

    MF_EXEC_GET_CLASS(self)->reported(self, NULL, explained);
}

static void
on_status(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(MfExec) self = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(MfQgaExecStatus) status =
        mf_exec_status_wait_finish(MF_EXEC_STATUS(source), result, &error);

    if (!PRIVATE(self)->task)
        return;
    if (status)
        MF_EXEC_GET_CLASS(self)->reported(self, status, NULL);
    else
        report_silence(self, error);
}

void
mf_exec_watch(MfExec *self, gint64 pid, guint first_ms, guint max_ms)
{
    MfExecPrivate *private = PRIVATE(self);

    g_clear_object(&private->status);
    private->status = mf_exec_status_new(private->qga, pid, first_ms, max_ms);
    mf_exec_status_wait_async(private->status, private->asking, on_status, g_object_ref(self));
}

void
mf_exec_poke(MfExec *self)
{
    if (PRIVATE(self)->status)
        mf_exec_status_poke(PRIVATE(self)->status);
}

/* A reader that left while another command ran has left this one too. */
static void
pass_on_broken(MfExec *self)
{
    MfStdio *stdio = PRIVATE(self)->stdio;

    for (int fd = 1; fd <= 2; fd++)
        if (PRIVATE(self)->task && stdio->output[fd] && mf_output_is_broken(stdio->output[fd]))
            on_broken(self, stdio->output[fd]);
}

static void
on_started(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(MfExec) self = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(MfQgaExecProcess) process = NULL;

    gboolean good = mf_qga_guest_exec_finish(MF_QGA(source), result, &process, &error);

    if (!PRIVATE(self)->task)
        return;
    if (good) {
        MF_EXEC_GET_CLASS(self)->started(self, process->pid);
        pass_on_broken(self);
    } else if (g_error_matches(error, MF_ERROR, MF_ERROR_REMOTE)) {
        mf_exec_finish(self, NULL, g_steal_pointer(&error));
    } else {
        /* The agent was lost, not the command: it may have run, and its end be known. */
        report_silence(self, error);
    }
}

static void
on_cancelled(GCancellable *cancellable, MfExec *self)
{
    mf_exec_finish(self, NULL,
                   g_error_new(MF_ERROR, MF_ERROR_CANCELLED, "The command was cancelled."));
}

/* Whether output came, or the caller's readers took some, since the last call. */
static gboolean
has_moved(MfExec *self)
{
    MfExecPrivate *private = PRIVATE(self);
    gsize queued = mf_exec_get_queued(self);
    gboolean moved =
        private->received != private->received_before || queued < private->queued_before;

    private->received_before = private->received;
    private->queued_before = queued;
    return moved;
}

static gboolean on_limit(gpointer data);

static void
await_end(MfExec *self)
{
    PRIVATE(self)->limit_source = g_timeout_add(KILL_GRACE_MS + KILL_REPORT_MS, on_limit, self);
}

/* Past the limit and not ended. What a command wrote that is being killed may still be on its way:
 * it is given time as long as it moves. */
static void
give_up(MfExec *self)
{
    MfExecPrivate *private = PRIVATE(self);
    const MfExit left_running = {0};

    if (private->killed && has_moved(self) && ++private->extensions <= EXTENSIONS_MAX)
        await_end(self);
    else if (private->killed)
        mf_exec_finish(self, NULL,
                       g_error_new(MF_ERROR, MF_ERROR_TIMEOUT,
                                   "The guest did not end a command that took too long."));
    else
        mf_exec_finish(self, &left_running, NULL);
}

static gboolean
on_limit(gpointer data)
{
    g_autoptr(MfExec) self = g_object_ref(data);
    MfExecPrivate *private = PRIVATE(self);

    private->limit_source = 0;
    if (private->timed_out) {
        give_up(self);
        return G_SOURCE_REMOVE;
    }
    private->timed_out = TRUE;
    /* Killed in the guest, so that what it wrote until then arrives. */
    private->killed = mf_exec_kill(self, KILL_GRACE_MS);
    has_moved(self);
    await_end(self);
    if (!private->killed)
        finish_when_quiet(self);
    return G_SOURCE_REMOVE;
}

static void
start_limit(MfExec *self)
{
    MfExecPrivate *private = PRIVATE(self);

    private->limit_source = g_timeout_add((guint)MIN(private->limit_ms, G_MAXINT), on_limit, self);
}

void
mf_exec_set_limit(MfExec *self, gint64 limit_ms)
{
    PRIVATE(self)->limit_ms = limit_ms;
}

void
mf_exec_run_async(MfExec *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                  gpointer user_data)
{
    MfExecPrivate *private = PRIVATE(self);
    MfQgaGuestExecArguments arguments = {0};

    private->task = g_task_new(self, NULL, callback, user_data);
    if (cancellable && g_cancellable_is_cancelled(cancellable)) {
        on_cancelled(cancellable, self);
        return;
    }
    if (cancellable)
        g_signal_connect_object(cancellable, "cancelled", G_CALLBACK(on_cancelled), self, 0);
    if (private->limit_ms > 0)
        start_limit(self);
    MF_EXEC_GET_CLASS(self)->get_arguments(self, &arguments);
    mf_qga_guest_exec_async(private->qga, &arguments, START_TIMEOUT_MS, private->asking, on_started,
                            g_object_ref(self));
}

void
mf_exec_expire(MfExec *self)
{
    MfExecPrivate *private = PRIVATE(self);

    if (!private->task || private->timed_out)
        return;
    g_clear_handle_id(&private->limit_source, g_source_remove);
    on_limit(self);
}

gboolean
mf_exec_run_finish(MfExec *self, GAsyncResult *result, MfExit *ret_exit, GError **error)
{
    if (!g_task_propagate_boolean(G_TASK(result), error))
        return FALSE;
    *ret_exit = PRIVATE(self)->ended;
    return TRUE;
}

void
mf_exec_keep(MfExec *self, int fd, MfTail *tail)
{
    PRIVATE(self)->kept[fd] = tail;
}

gboolean
mf_exec_signal(MfExec *self, int signal_number)
{
    MfExecClass *class = MF_EXEC_GET_CLASS(self);

    return class->signal && class->signal(self, signal_number);
}

gboolean
mf_exec_kill(MfExec *self, guint grace_ms)
{
    MfExecClass *class = MF_EXEC_GET_CLASS(self);

    return class->kill && class->kill(self, grace_ms);
}

void
mf_exec_resize(MfExec *self, guint16 rows, guint16 columns)
{
    MfExecClass *class = MF_EXEC_GET_CLASS(self);

    if (class->resize)
        class->resize(self, rows, columns);
}
