/* SPDX-License-Identifier: Apache-2.0 */
#include "run/conclusion.h"

struct _MfConclusion {
    GObject parent;
    MfHooks *teardown; /* owned */
    GTask *task;       /* owned; while running */
};

G_DEFINE_FINAL_TYPE(MfConclusion, mf_conclusion, G_TYPE_OBJECT)

static void
mf_conclusion_dispose(GObject *object)
{
    MfConclusion *self = MF_CONCLUSION(object);

    g_clear_object(&self->teardown);
    G_OBJECT_CLASS(mf_conclusion_parent_class)->dispose(object);
}

static void
mf_conclusion_class_init(MfConclusionClass *class)
{
    G_OBJECT_CLASS(class)->dispose = mf_conclusion_dispose;
}

static void
mf_conclusion_init(MfConclusion *self)
{
}

gboolean
mf_conclusion_is_needed(const MfTarget *target)
{
    return target->teardown && *target->teardown;
}

/* 'error' is taken; NULL when all went well. */
static void
complete(MfConclusion *self, GError *error)
{
    g_autoptr(GTask) task = g_steal_pointer(&self->task);

    if (error)
        g_task_return_error(task, error);
    else
        g_task_return_boolean(task, TRUE);
}

static void
on_torn_down(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(MfConclusion) self = data;
    GError *error = NULL;

    mf_hooks_run_finish(MF_HOOKS(source), result, &error);
    complete(self, error);
}

MfConclusion *
mf_conclusion_new(const MfTarget *target, MfHooksMake make, gpointer data)
{
    MfConclusion *self = g_object_new(MF_TYPE_CONCLUSION, NULL);

    self->teardown =
        mf_hooks_new(MF_HOOK_TEARDOWN, target->teardown, target->timeout_ms, make, data);
    return self;
}

void
mf_conclusion_run_async(MfConclusion *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                        gpointer user_data)
{
    self->task = g_task_new(self, NULL, callback, user_data);
    mf_hooks_run_async(self->teardown, cancellable, on_torn_down, g_object_ref(self));
}

gboolean
mf_conclusion_run_finish(MfConclusion *self, GAsyncResult *result, GError **error)
{
    return g_task_propagate_boolean(G_TASK(result), error);
}
