/* SPDX-License-Identifier: Apache-2.0 */
#include "run/renewal.h"

#include <signal.h>

#include "base/error.h"
#include "base/plain-text.h"
#include "base/source.h"
#include "machine/initramfs.h"
#include "run/agent-exec.h"
#include "run/moment.h"
#include "run/scripts.h"
#include "wire/guest-protocol.h"

/* Each takes a fraction of a second, also on an emulated processor. */
#define TIMEOUT_MS 30000

/* Of what it says, in a message. */
#define WORDS_MAX 500

typedef struct {
    MfAgentExec *exec; /* owned */
    guint deadline;
    gboolean overdue;
    GSource *cancel_source; /* owned; or NULL */
} Renewal;

static void
stop_waiting(Renewal *self)
{
    g_clear_handle_id(&self->deadline, g_source_remove);
    mf_source_clear(&self->cancel_source);
}

static void
renewal_free(Renewal *self)
{
    stop_waiting(self);
    g_clear_object(&self->exec);
    g_free(self);
}

/* Owned by the caller; NULL when all went well. */
static GError *
judge(const MfAgentOutcome *outcome)
{
    gsize size;
    const char *words = g_bytes_get_data(outcome->output[2], &size);
    g_autofree char *text = mf_plain_line(words ? words : "", size, WORDS_MAX);

    if (outcome->ended.status == 0 && outcome->ended.signal_number == 0)
        return NULL;
    return g_error_new(MF_ERROR, MF_ERROR_GUEST, "mayfly-guest does not run in it: %s",
                       *text ? text : "its shell failed without a word.");
}

static void
on_ended(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GTask) task = data;
    Renewal *self = g_task_get_task_data(task);
    g_auto(MfAgentOutcome) outcome = {0};
    g_autoptr(GError) error = NULL;
    gboolean good = mf_agent_exec_run_finish(MF_AGENT_EXEC(source), result, &outcome, &error);

    stop_waiting(self);
    if (good)
        error = judge(&outcome);
    else if (self->overdue) {
        g_clear_error(&error);
        g_set_error(&error, MF_ERROR, MF_ERROR_TIMEOUT,
                    "The system did not run mayfly-guest within %d seconds.", TIMEOUT_MS / 1000);
    }
    if (error)
        g_task_return_error(task, g_steal_pointer(&error));
    else
        g_task_return_boolean(task, TRUE);
}

static gboolean
on_overdue(gpointer data)
{
    Renewal *self = data;

    self->deadline = 0;
    self->overdue = TRUE;
    mf_agent_exec_kill(self->exec, SIGKILL);
    return G_SOURCE_REMOVE;
}

static gboolean
on_cancelled(GCancellable *cancellable, gpointer data)
{
    mf_agent_exec_kill(((Renewal *)data)->exec, SIGKILL);
    return G_SOURCE_REMOVE;
}

/* 'task' is taken. */
static void
run(GTask *task, const char *const *argv, GBytes *input)
{
    GCancellable *cancellable = g_task_get_cancellable(task);
    Renewal *self = g_new0(Renewal, 1);

    g_task_set_check_cancellable(task, FALSE);
    g_task_set_task_data(task, self, (GDestroyNotify)renewal_free);
    self->exec = mf_agent_exec_new(g_task_get_source_object(task), argv, input);
    self->deadline = g_timeout_add(TIMEOUT_MS, on_overdue, self);
    self->cancel_source = mf_source_add_cancelled(cancellable, on_cancelled, self);
    mf_agent_exec_run_async(self->exec, on_ended, task);
}

void
mf_renewal_prepare_async(MfQga *qga, MfArch arch, GCancellable *cancellable,
                         GAsyncReadyCallback callback, gpointer user_data)
{
    g_autoptr(GTask) task = g_task_new(qga, cancellable, callback, user_data);
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) guest = mf_initramfs_guest(arch, &error);
    g_autofree char *script = guest ? mf_scripts_render_image_save(&error) : NULL;
    const char *const argv[] = {"/bin/sh", "-c", script, NULL};

    if (script)
        run(g_steal_pointer(&task), argv, guest);
    else
        g_task_return_error(task, g_steal_pointer(&error));
}

gboolean
mf_renewal_prepare_finish(MfQga *qga, GAsyncResult *result, GError **error)
{
    return g_task_propagate_boolean(G_TASK(result), error);
}

void
mf_renewal_run_async(MfQga *qga, GCancellable *cancellable, GAsyncReadyCallback callback,
                     gpointer user_data)
{
    static const char *const argv[] = {MF_GUEST_SELF, MF_GUEST_RENEW, NULL};
    struct mf_record record = {0};

    mf_moment_add_entropy(&record);
    mf_moment_add_time(&record);
    g_autoptr(GBytes) input = g_bytes_new(record.data, record.size);
    mf_record_clear(&record);
    run(g_task_new(qga, cancellable, callback, user_data), argv, input);
}

gboolean
mf_renewal_run_finish(MfQga *qga, GAsyncResult *result, GError **error)
{
    return g_task_propagate_boolean(G_TASK(result), error);
}
