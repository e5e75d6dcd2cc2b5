/* SPDX-License-Identifier: Apache-2.0 */
#include "run/hooks.h"

#include <string.h>

#include "base/error.h"
#include "base/parse.h"

/* Of a text in a message: its first line, as far as it is short. */
#define SHOWN_MAX 60

struct _MfHooks {
    GObject parent;
    MfHookKind kind;
    char **texts; /* borrowed; or NULL */
    gint64 limit_ms;
    MfHooksMake make;
    gpointer data;
    guint index;
    MfExec *exec;              /* owned; the one that runs */
    GTask *task;               /* owned; while running */
    GCancellable *cancellable; /* owned; or NULL */
    GError *failed;            /* owned; the sentences so far; or NULL */
};

G_DEFINE_FINAL_TYPE(MfHooks, mf_hooks, G_TYPE_OBJECT)

static void run_next(MfHooks *self);

static void
mf_hooks_dispose(GObject *object)
{
    MfHooks *self = MF_HOOKS(object);

    g_clear_object(&self->exec);
    g_clear_object(&self->cancellable);
    g_clear_error(&self->failed);
    G_OBJECT_CLASS(mf_hooks_parent_class)->dispose(object);
}

static void
mf_hooks_class_init(MfHooksClass *class)
{
    G_OBJECT_CLASS(class)->dispose = mf_hooks_dispose;
}

static void
mf_hooks_init(MfHooks *self)
{
}

const char *
mf_hook_kind_name(MfHookKind kind)
{
    return kind == MF_HOOK_SETUP ? "setup" : "teardown";
}

static void
complete(MfHooks *self, GError *error)
{
    g_autoptr(GTask) task = g_steal_pointer(&self->task);

    g_clear_object(&self->exec);
    if (error)
        g_task_return_error(task, error);
    else
        g_task_return_boolean(task, TRUE);
}

/* The text as a message shows it. Owned by the caller. */
static char *
shorten(const char *text)
{
    g_autofree char *valid = g_strstrip(g_utf8_make_valid(text, -1));
    g_autofree char *line = g_strndup(valid, strcspn(valid, "\n"));
    g_autofree char *start = g_utf8_substring(line, 0, MIN(g_utf8_strlen(line, -1), SHOWN_MAX));

    return g_strconcat(start, strlen(start) < strlen(valid) ? "..." : "", NULL);
}

/* How the text failed; NULL when it did not. Owned by the caller. */
static char *
describe(const MfHooks *self, const MfExit *ended)
{
    if (ended->timed_out) {
        g_autofree char *limit = mf_format_duration(self->limit_ms);

        return g_strdup_printf("did not end within %s", limit);
    }
    if (ended->signal_number)
        return g_strdup_printf("was killed by signal %d (%s)", ended->signal_number,
                               g_strsignal(ended->signal_number));
    return ended->status ? g_strdup_printf("exited with status %d", ended->status) : NULL;
}

static void
note_failure(MfHooks *self, gboolean timed_out, const char *how)
{
    g_autofree char *text = shorten(self->texts[self->index]);
    g_autofree char *sentence =
        g_strdup_printf("The %s command '%s' %s.", mf_hook_kind_name(self->kind), text, how);
    g_autoptr(GError) before = g_steal_pointer(&self->failed);

    if (before)
        self->failed = g_error_new(MF_ERROR, before->code, "%s %s", before->message, sentence);
    else
        self->failed =
            g_error_new_literal(MF_ERROR, timed_out ? MF_ERROR_TIMEOUT : MF_ERROR_GUEST, sentence);
}

static void
on_ended(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(MfHooks) self = data;
    g_autoptr(GError) error = NULL;
    MfExit ended;

    if (!mf_exec_run_finish(MF_EXEC(source), result, &ended, &error)) {
        complete(self, g_steal_pointer(&error));
        return;
    }

    g_autofree char *how = describe(self, &ended);
    if (how)
        note_failure(self, ended.timed_out, how);
    self->index++;
    run_next(self);
}

static void
run_next(MfHooks *self)
{
    gboolean stop = self->failed && self->kind == MF_HOOK_SETUP;

    g_clear_object(&self->exec);
    if (stop || !self->texts || !self->texts[self->index]) {
        complete(self, g_steal_pointer(&self->failed));
        return;
    }
    self->exec = self->make(self->kind, self->index, self->data);
    mf_exec_set_limit(self->exec, self->limit_ms);
    mf_exec_run_async(self->exec, self->cancellable, on_ended, g_object_ref(self));
}

MfHooks *
mf_hooks_new(MfHookKind kind, char **texts, gint64 limit_ms, MfHooksMake make, gpointer data)
{
    MfHooks *self = g_object_new(MF_TYPE_HOOKS, NULL);

    self->kind = kind;
    self->texts = texts;
    self->limit_ms = limit_ms;
    self->make = make;
    self->data = data;
    return self;
}

void
mf_hooks_run_async(MfHooks *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                   gpointer user_data)
{
    self->task = g_task_new(self, NULL, callback, user_data);
    self->cancellable = cancellable ? g_object_ref(cancellable) : NULL;
    run_next(self);
}

gboolean
mf_hooks_run_finish(MfHooks *self, GAsyncResult *result, GError **error)
{
    return g_task_propagate_boolean(G_TASK(result), error);
}
