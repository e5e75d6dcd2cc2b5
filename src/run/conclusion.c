/* SPDX-License-Identifier: Apache-2.0 */
#include "run/conclusion.h"

#include "base/error.h"
#include "run/artifacts.h"

struct _MfConclusion {
    GObject parent;
    MfHooks *teardown;         /* owned */
    MfArtifacts *artifacts;    /* owned; NULL when none are asked for */
    GPtrArray *notes;          /* owned; or NULL */
    GTask *task;               /* owned; while running */
    GCancellable *cancellable; /* owned */
    GError *failed;            /* owned; of the teardown; or NULL */
};

G_DEFINE_FINAL_TYPE(MfConclusion, mf_conclusion, G_TYPE_OBJECT)

static void
mf_conclusion_dispose(GObject *object)
{
    MfConclusion *self = MF_CONCLUSION(object);

    g_clear_object(&self->teardown);
    g_clear_object(&self->artifacts);
    g_clear_pointer(&self->notes, g_ptr_array_unref);
    g_clear_object(&self->cancellable);
    g_clear_error(&self->failed);
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

static gboolean
has_artifacts(const MfTarget *target)
{
    return target->artifacts && *target->artifacts && target->artifacts_dir;
}

gboolean
mf_conclusion_is_needed(const MfTarget *target)
{
    return (target->teardown && *target->teardown) || has_artifacts(target);
}

static void
complete(MfConclusion *self)
{
    g_autoptr(GTask) task = g_steal_pointer(&self->task);

    if (self->failed)
        g_task_return_error(task, g_steal_pointer(&self->failed));
    else
        g_task_return_boolean(task, TRUE);
}

static gboolean
is_guest_gone(const GError *error)
{
    return g_error_matches(error, MF_ERROR, MF_ERROR_LOST) ||
           g_error_matches(error, MF_ERROR, MF_ERROR_CANCELLED);
}

static void
on_copied(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(MfConclusion) self = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GError) before = g_steal_pointer(&self->failed);

    mf_artifacts_copy_finish(MF_ARTIFACTS(source), result, &self->notes, &error);
    if (before && error && !is_guest_gone(error))
        self->failed =
            g_error_new(MF_ERROR, before->code, "%s %s", before->message, error->message);
    else
        self->failed = error ? g_steal_pointer(&error) : g_steal_pointer(&before);
    complete(self);
}

static void
on_torn_down(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(MfConclusion) self = data;

    mf_hooks_run_finish(MF_HOOKS(source), result, &self->failed);
    if (!self->artifacts || is_guest_gone(self->failed))
        complete(self);
    else
        mf_artifacts_copy_async(self->artifacts, self->cancellable, on_copied, g_object_ref(self));
}

MfConclusion *
mf_conclusion_new(const MfTarget *target, const char *workdir, MfQga *qga, MfHooksMake make,
                  gpointer data)
{
    MfConclusion *self = g_object_new(MF_TYPE_CONCLUSION, NULL);

    self->teardown =
        mf_hooks_new(MF_HOOK_TEARDOWN, target->teardown, target->timeout_ms, make, data);
    if (has_artifacts(target))
        self->artifacts = mf_artifacts_new(qga, target->artifacts, workdir, target->artifacts_dir);
    return self;
}

void
mf_conclusion_run_async(MfConclusion *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                        gpointer user_data)
{
    self->task = g_task_new(self, NULL, callback, user_data);
    self->cancellable = g_object_ref(cancellable);
    mf_hooks_run_async(self->teardown, cancellable, on_torn_down, g_object_ref(self));
}

gboolean
mf_conclusion_run_finish(MfConclusion *self, GAsyncResult *result, GError **error)
{
    return g_task_propagate_boolean(G_TASK(result), error);
}

void
mf_conclusion_add_notes(const MfConclusion *self, GPtrArray *to)
{
    for (guint i = 0; self->notes && i < self->notes->len; i++)
        g_ptr_array_add(to, g_strdup(g_ptr_array_index(self->notes, i)));
}
