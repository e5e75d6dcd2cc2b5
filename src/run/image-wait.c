/* SPDX-License-Identifier: Apache-2.0 */
#include "run/image-wait.h"

#include "base/error.h"
#include "base/source.h"
#include "run/image.h"

typedef struct {
    const MfTarget *target; /* borrowed */
    GCancellable *inner;    /* owned; of the agent's answer */
    GSource *cancel_source; /* owned; or NULL */
    GError *unbootable;     /* owned; or NULL */
    gulong line_id;
} Wait;

static void
wait_free(Wait *self)
{
    mf_source_clear(&self->cancel_source);
    g_clear_object(&self->inner);
    g_clear_error(&self->unbootable);
    g_free(self);
}

/* A firmware that finds nothing to boot says so, and waits. */
static void
on_console_line(MfConsole *console, const char *line, guint source, gpointer data)
{
    Wait *self = g_task_get_task_data(data);
    g_autofree char *text = NULL;

    if (self->unbootable || !mf_image_is_unbootable(line))
        return;
    text = mf_image_describe_unbootable(self->target, line);
    self->unbootable = g_error_new_literal(MF_ERROR, MF_ERROR_GUEST, text);
    g_cancellable_cancel(self->inner);
}

static gboolean
on_cancelled(GCancellable *cancellable, gpointer data)
{
    g_cancellable_cancel(((Wait *)data)->inner);
    return G_SOURCE_REMOVE;
}

static void
on_synced(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GTask) task = data;
    Wait *self = g_task_get_task_data(task);
    MfMachine *machine = g_task_get_source_object(task);
    GError *error = NULL;

    g_clear_signal_handler(&self->line_id, mf_machine_get_console(machine));
    if (mf_qga_sync_finish(MF_QGA(source), result, &error)) {
        g_task_return_boolean(task, TRUE);
    } else if (self->unbootable) {
        g_error_free(error);
        g_task_return_error(task, g_steal_pointer(&self->unbootable));
    } else {
        g_task_return_error(task, error);
    }
}

void
mf_image_wait_async(MfMachine *machine, const MfTarget *target, GCancellable *cancellable,
                    GAsyncReadyCallback callback, gpointer user_data)
{
    GTask *task = g_task_new(machine, cancellable, callback, user_data);
    Wait *self = g_new0(Wait, 1);

    g_task_set_check_cancellable(task, FALSE);
    g_task_set_task_data(task, self, (GDestroyNotify)wait_free);
    self->target = target;
    self->inner = g_cancellable_new();
    self->line_id = g_signal_connect(mf_machine_get_console(machine), "line",
                                     G_CALLBACK(on_console_line), task);
    self->cancel_source = mf_source_add_cancelled(cancellable, on_cancelled, self);
    mf_qga_sync_async(mf_machine_get_qga(machine), 0, self->inner, on_synced, task);
}

gboolean
mf_image_wait_finish(MfMachine *machine, GAsyncResult *result, GError **error)
{
    return g_task_propagate_boolean(G_TASK(result), error);
}
