/* SPDX-License-Identifier: Apache-2.0 */
#include "run/exec-status.h"

#include "base/error.h"
#include "qapi/qga-commands.h"

/* A guest that is alive answers within this. */
#define ANSWER_TIMEOUT_MS 30000

struct _MfExecStatus {
    GObject parent;
    MfQga *qga; /* owned */
    gint64 pid;
    guint first_ms, max_ms, next_ms;
    GTask *task; /* owned; while waiting */
    guint timer;
    gboolean asking, poked;
};

G_DEFINE_FINAL_TYPE(MfExecStatus, mf_exec_status, G_TYPE_OBJECT)

static void ask(MfExecStatus *self);

static void
mf_exec_status_finalize(GObject *object)
{
    MfExecStatus *self = MF_EXEC_STATUS(object);

    g_clear_handle_id(&self->timer, g_source_remove);
    g_clear_object(&self->qga);
    G_OBJECT_CLASS(mf_exec_status_parent_class)->finalize(object);
}

static void
mf_exec_status_class_init(MfExecStatusClass *class)
{
    G_OBJECT_CLASS(class)->finalize = mf_exec_status_finalize;
}

static void
mf_exec_status_init(MfExecStatus *self)
{
}

MfExecStatus *
mf_exec_status_new(MfQga *qga, gint64 pid, guint first_ms, guint max_ms)
{
    MfExecStatus *self = g_object_new(MF_TYPE_EXEC_STATUS, NULL);

    self->qga = g_object_ref(qga);
    self->pid = pid;
    self->first_ms = self->next_ms = first_ms;
    self->max_ms = max_ms;
    return self;
}

static gboolean
on_timer(gpointer data)
{
    MfExecStatus *self = data;

    self->timer = 0;
    ask(self);
    return G_SOURCE_REMOVE;
}

static void
ask_later(MfExecStatus *self)
{
    self->timer = g_timeout_add(self->next_ms, on_timer, self);
    self->next_ms = MIN(self->next_ms * 2, self->max_ms);
}

static void
on_answer(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(MfExecStatus) self = data;
    g_autoptr(MfQgaExecStatus) status = NULL;
    g_autoptr(GError) error = NULL;
    gboolean good = mf_qga_guest_exec_status_finish(MF_QGA(source), result, &status, &error);

    self->asking = FALSE;
    if (!self->task)
        return;
    if (good && !status->exited) {
        if (self->poked)
            ask(self);
        else
            ask_later(self);
        return;
    }

    g_autoptr(GTask) task = g_steal_pointer(&self->task);
    if (good)
        g_task_return_pointer(task, g_steal_pointer(&status),
                              (GDestroyNotify)mf_qga_exec_status_free);
    else
        g_task_return_error(task, g_steal_pointer(&error));
}

static void
ask(MfExecStatus *self)
{
    self->asking = TRUE;
    self->poked = FALSE;
    mf_qga_guest_exec_status_async(self->qga, self->pid, ANSWER_TIMEOUT_MS,
                                   g_task_get_cancellable(self->task), on_answer,
                                   g_object_ref(self));
}

/* Between two questions there is no call that could notice. */
static void
on_cancelled(GCancellable *cancellable, MfExecStatus *self)
{
    g_autoptr(GTask) task = g_steal_pointer(&self->task);

    g_clear_handle_id(&self->timer, g_source_remove);
    if (task)
        g_task_return_new_error(
            task, MF_ERROR, MF_ERROR_CANCELLED,
            "Waiting for the end of process %" G_GINT64_FORMAT " was cancelled.", self->pid);
}

void
mf_exec_status_wait_async(MfExecStatus *self, GCancellable *cancellable,
                          GAsyncReadyCallback callback, gpointer user_data)
{
    self->task = g_task_new(self, cancellable, callback, user_data);
    g_task_set_check_cancellable(self->task, FALSE);
    if (cancellable)
        g_signal_connect_object(cancellable, "cancelled", G_CALLBACK(on_cancelled), self, 0);
    ask_later(self);
}

MfQgaExecStatus *
mf_exec_status_wait_finish(MfExecStatus *self, GAsyncResult *result, GError **error)
{
    return g_task_propagate_pointer(G_TASK(result), error);
}

void
mf_exec_status_poke(MfExecStatus *self)
{
    self->next_ms = self->first_ms;
    self->poked = TRUE;
    if (self->asking || !self->task)
        return;
    g_clear_handle_id(&self->timer, g_source_remove);
    ask(self);
}
