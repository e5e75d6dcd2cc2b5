/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/attempt.h"

#include "run/run.h"
#include "suite/keeper.h"

struct _MfAttempt {
    GObject parent;
    MfStdio *stdio;   /* owned */
    MfKeeper *keeper; /* owned */
    MfRun *run;       /* owned */
};

G_DEFINE_FINAL_TYPE(MfAttempt, mf_attempt, G_TYPE_OBJECT)

enum { SIGNAL_PHASE_CHANGED, SIGNAL_OUTPUT, N_SIGNALS };
static guint signals[N_SIGNALS];

static void
mf_attempt_finalize(GObject *object)
{
    MfAttempt *self = MF_ATTEMPT(object);

    g_clear_object(&self->run);
    g_clear_object(&self->keeper);
    g_clear_pointer(&self->stdio, mf_stdio_free);
    G_OBJECT_CLASS(mf_attempt_parent_class)->finalize(object);
}

static void
mf_attempt_class_init(MfAttemptClass *class)
{
    G_OBJECT_CLASS(class)->finalize = mf_attempt_finalize;
    signals[SIGNAL_PHASE_CHANGED] =
        g_signal_new("phase-changed", MF_TYPE_ATTEMPT, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                     G_TYPE_NONE, 1, G_TYPE_UINT);
    signals[SIGNAL_OUTPUT] = g_signal_new("output", MF_TYPE_ATTEMPT, G_SIGNAL_RUN_LAST, 0, NULL,
                                          NULL, NULL, G_TYPE_NONE, 2, G_TYPE_INT, G_TYPE_BYTES);
}

static void
mf_attempt_init(MfAttempt *self)
{
}

static void
on_output(MfAttempt *self, int stream, GBytes *bytes)
{
    g_signal_emit(self, signals[SIGNAL_OUTPUT], 0, stream, bytes);
}

static void
on_phase_changed(MfAttempt *self, guint phase)
{
    g_signal_emit(self, signals[SIGNAL_PHASE_CHANGED], 0, phase);
}

MfAttempt *
mf_attempt_new(const MfCase *the_case, const char *directory, GError **error)
{
    g_autoptr(MfAttempt) self = g_object_new(MF_TYPE_ATTEMPT, NULL);

    self->stdio = mf_stdio_new_capture(error);
    self->keeper = self->stdio ? mf_keeper_new(directory, error) : NULL;
    if (!self->keeper)
        return NULL;
    self->run = mf_run_new(the_case->target, self->stdio);
    mf_keeper_follow(self->keeper, self->run, self->stdio);
    g_signal_connect_object(self->keeper, "output", G_CALLBACK(on_output), self, G_CONNECT_SWAPPED);
    g_signal_connect_object(self->run, "phase-changed", G_CALLBACK(on_phase_changed), self,
                            G_CONNECT_SWAPPED);
    return g_steal_pointer(&self);
}

static void
on_run_finished(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GTask) task = data;
    MfAttempt *self = g_task_get_source_object(task);

    mf_keeper_close(self->keeper);
    g_task_return_pointer(task, mf_run_start_finish(MF_RUN(source), result),
                          (GDestroyNotify)mf_result_free);
}

void
mf_attempt_run_async(MfAttempt *self, GAsyncReadyCallback callback, gpointer user_data)
{
    GTask *task = g_task_new(self, NULL, callback, user_data);

    mf_run_start_async(self->run, on_run_finished, task);
}

MfResult *
mf_attempt_run_finish(MfAttempt *self, GAsyncResult *result)
{
    return g_task_propagate_pointer(G_TASK(result), NULL);
}

void
mf_attempt_cancel(MfAttempt *self, const char *reason)
{
    mf_run_cancel(self->run, reason);
}

void
mf_attempt_kill(MfAttempt *self)
{
    g_object_run_dispose(G_OBJECT(self->run));
}

void
mf_attempt_fill_report(const MfAttempt *self, MfOutcomeReport *report)
{
    mf_keeper_fill_report(self->keeper, report);
}
