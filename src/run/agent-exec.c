/* SPDX-License-Identifier: Apache-2.0 */
#include "run/agent-exec.h"

#include <string.h>

#include "base/error.h"
#include "run/exec-status.h"

#define START_TIMEOUT_MS 30000
#define KILL_TIMEOUT_MS  5000
#define POLL_FIRST_MS    5
#define POLL_MAX_MS      250

struct _MfAgentExec {
    GObject parent;
    MfQga *qga;                /* owned */
    char **argv;               /* owned */
    char *input;               /* owned; in Base64, or NULL */
    GTask *task;               /* owned; while it runs */
    GCancellable *cancellable; /* owned; of the wait for the end */
    gint64 pid;                /* 0 before the start */
    int kill_signal;           /* not 0: it is to be killed by that */
};

G_DEFINE_FINAL_TYPE(MfAgentExec, mf_agent_exec, G_TYPE_OBJECT)

static void
mf_agent_exec_finalize(GObject *object)
{
    MfAgentExec *self = MF_AGENT_EXEC(object);

    g_clear_object(&self->qga);
    g_clear_object(&self->cancellable);
    g_strfreev(self->argv);
    g_free(self->input);
    G_OBJECT_CLASS(mf_agent_exec_parent_class)->finalize(object);
}

static void
mf_agent_exec_class_init(MfAgentExecClass *class)
{
    G_OBJECT_CLASS(class)->finalize = mf_agent_exec_finalize;
}

static void
mf_agent_exec_init(MfAgentExec *self)
{
    self->cancellable = g_cancellable_new();
}

void
mf_agent_outcome_clear(MfAgentOutcome *self)
{
    for (int fd = 1; fd <= 2; fd++)
        g_clear_pointer(&self->output[fd], g_bytes_unref);
}

static void
outcome_free(gpointer data)
{
    mf_agent_outcome_clear(data);
    g_free(data);
}

MfAgentExec *
mf_agent_exec_new(MfQga *qga, const char *const *argv, GBytes *input)
{
    MfAgentExec *self = g_object_new(MF_TYPE_AGENT_EXEC, NULL);

    self->qga = g_object_ref(qga);
    self->argv = g_strdupv((char **)argv);
    if (input)
        self->input = g_base64_encode(g_bytes_get_data(input, NULL), g_bytes_get_size(input));
    return self;
}

/* The one end; 'error' is taken. */
static void
fail(MfAgentExec *self, GError *error)
{
    g_autoptr(GTask) task = g_steal_pointer(&self->task);

    if (task)
        g_task_return_error(task, error);
    else
        g_error_free(error);
}

static GBytes *
decode(const char *base64)
{
    gsize size = 0;
    guchar *data = base64 ? g_base64_decode(base64, &size) : NULL;

    return g_bytes_new_take(data, size);
}

static void
succeed(MfAgentExec *self, const MfQgaExecStatus *status)
{
    g_autoptr(GTask) task = g_steal_pointer(&self->task);
    MfAgentOutcome *outcome = g_new0(MfAgentOutcome, 1);
    GError *error = NULL;

    if (!mf_exec_exit_from_status(status, &outcome->ended, &error)) {
        g_free(outcome);
        g_task_return_error(task, error);
        return;
    }
    outcome->output[1] = decode(status->out_data);
    outcome->output[2] = decode(status->err_data);
    outcome->truncated[1] = status->has_out_truncated && status->out_truncated;
    outcome->truncated[2] = status->has_err_truncated && status->err_truncated;
    g_task_return_pointer(task, outcome, outcome_free);
}

static void
on_killed(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(MfAgentExec) self = data;
    g_autoptr(MfQgaExecProcess) process = NULL;
    g_autoptr(GError) error = NULL;

    if (!mf_qga_guest_exec_finish(MF_QGA(source), result, &process, &error))
        g_message("The command may still run in the guest: %s", error->message);
    fail(self, g_error_new(MF_ERROR, MF_ERROR_CANCELLED, "The command was killed by signal %d.",
                           self->kill_signal));
}

/* The agent itself has no request for this. */
static void
send_kill(MfAgentExec *self)
{
    g_autofree char *text =
        g_strdup_printf("kill -%d %" G_GINT64_FORMAT, self->kill_signal, self->pid);
    const char *const words[] = {"-c", text, NULL};
    const MfQgaGuestExecArguments arguments = {.path = "/bin/sh", .arg = words};

    mf_qga_guest_exec_async(self->qga, &arguments, KILL_TIMEOUT_MS, NULL, on_killed,
                            g_object_ref(self));
}

static void
on_ended(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(MfAgentExec) self = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(MfQgaExecStatus) status =
        mf_exec_status_wait_finish(MF_EXEC_STATUS(source), result, &error);

    if (status)
        succeed(self, status);
    else if (self->kill_signal)
        send_kill(self);
    else
        fail(self, g_steal_pointer(&error));
}

static void
on_started(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(MfAgentExec) self = data;
    g_autoptr(MfQgaExecProcess) process = NULL;
    g_autoptr(MfExecStatus) status = NULL;
    GError *error = NULL;

    if (!mf_qga_guest_exec_finish(MF_QGA(source), result, &process, &error)) {
        fail(self, error);
        return;
    }
    self->pid = process->pid;
    if (self->kill_signal) {
        send_kill(self);
        return;
    }
    status = mf_exec_status_new(self->qga, self->pid, POLL_FIRST_MS, POLL_MAX_MS);
    mf_exec_status_wait_async(status, self->cancellable, on_ended, g_object_ref(self));
}

void
mf_agent_exec_run_async(MfAgentExec *self, GAsyncReadyCallback callback, gpointer user_data)
{
    static const MfQgaExecCapture capture = {.kind = MF_QGA_EXEC_CAPTURE_KIND_FLAG, .flag = TRUE};
    const MfQgaGuestExecArguments arguments = {
        .path = self->argv[0],
        .arg = (const char *const *)self->argv + 1,
        .input_data = self->input,
        .capture_output = &capture,
    };

    self->task = g_task_new(self, NULL, callback, user_data);
    mf_qga_guest_exec_async(self->qga, &arguments, START_TIMEOUT_MS, NULL, on_started,
                            g_object_ref(self));
}

gboolean
mf_agent_exec_run_finish(MfAgentExec *self, GAsyncResult *result, MfAgentOutcome *ret_outcome,
                         GError **error)
{
    g_autofree MfAgentOutcome *outcome = g_task_propagate_pointer(G_TASK(result), error);

    if (!outcome)
        return FALSE;
    *ret_outcome = *outcome;
    return TRUE;
}

void
mf_agent_exec_kill(MfAgentExec *self, int signal_number)
{
    if (!self->task || self->kill_signal)
        return;
    self->kill_signal = signal_number;
    g_cancellable_cancel(self->cancellable);
}

gboolean
mf_agent_exec_is_not_found(const GError *error)
{
    return g_error_matches(error, MF_ERROR, MF_ERROR_REMOTE) &&
           strstr(error->message, "No such file or directory");
}
