/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/attempt.h"

#include <string.h>

#include "base/fd.h"
#include "run/run.h"
#include "suite/capture.h"
#include "suite/run-dir.h"

#define N_STREAMS 3

struct _MfAttempt {
    GObject parent;
    char *directory;               /* owned; or NULL */
    MfStdio *stdio;                /* owned */
    MfCapture *capture[N_STREAMS]; /* owned */
    MfRun *run;                    /* owned */
};

G_DEFINE_FINAL_TYPE(MfAttempt, mf_attempt, G_TYPE_OBJECT)

enum { SIGNAL_PHASE_CHANGED, SIGNAL_OUTPUT, N_SIGNALS };
static guint signals[N_SIGNALS];

static void
mf_attempt_finalize(GObject *object)
{
    MfAttempt *self = MF_ATTEMPT(object);

    g_clear_object(&self->run);
    g_clear_pointer(&self->stdio, mf_stdio_free);
    for (int stream = 0; stream < N_STREAMS; stream++)
        g_clear_pointer(&self->capture[stream], mf_capture_free);
    g_free(self->directory);
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
take(MfAttempt *self, int stream, GBytes *bytes)
{
    mf_capture_write(self->capture[stream], bytes);
    g_signal_emit(self, signals[SIGNAL_OUTPUT], 0, stream, bytes);
}

static void
on_console(MfAttempt *self, GBytes *bytes)
{
    take(self, 0, bytes);
}

static void
on_stdout(MfAttempt *self, GBytes *bytes)
{
    take(self, 1, bytes);
}

static void
on_stderr(MfAttempt *self, GBytes *bytes)
{
    take(self, 2, bytes);
}

/* For people: what cannot be kept of it does not matter to the case. */
static void
keep_command_line(MfAttempt *self)
{
    const MfSpec *spec = mf_run_get_spec(self->run);
    g_autoptr(GError) error = NULL;

    if (!self->directory || !spec)
        return;

    g_autoptr(MfArgv) argv = mf_spec_to_argv(spec);
    g_autofree char *lines = mf_argv_to_lines(argv);
    g_autofree char *text = g_strconcat(lines, "\n", NULL);
    g_autofree char *path = g_build_filename(self->directory, MF_RUN_DIR_QEMU, NULL);
    if (!mf_file_replace(path, text, strlen(text), 0644, &error))
        g_message("%s", error->message);
}

static void
on_phase_changed(MfAttempt *self, guint phase)
{
    if (phase == MF_PHASE_LAUNCH)
        keep_command_line(self);
    g_signal_emit(self, signals[SIGNAL_PHASE_CHANGED], 0, phase);
}

static gboolean
open_captures(MfAttempt *self, GError **error)
{
    static const char *const names[N_STREAMS] = {MF_RUN_DIR_CONSOLE, MF_RUN_DIR_STDOUT,
                                                 MF_RUN_DIR_STDERR};

    for (int stream = 0; stream < N_STREAMS; stream++) {
        g_autofree char *path =
            self->directory ? g_build_filename(self->directory, names[stream], NULL) : NULL;

        self->capture[stream] = mf_capture_new(path, error);
        if (!self->capture[stream])
            return FALSE;
    }
    return TRUE;
}

MfAttempt *
mf_attempt_new(const MfCase *the_case, const char *directory, GError **error)
{
    g_autoptr(MfAttempt) self = g_object_new(MF_TYPE_ATTEMPT, NULL);

    self->directory = g_strdup(directory);
    self->stdio = mf_stdio_new_capture(error);
    if (!self->stdio || !open_captures(self, error))
        return NULL;
    self->run = mf_run_new(the_case->target, self->stdio);
    g_signal_connect_object(self->run, "console", G_CALLBACK(on_console), self, G_CONNECT_SWAPPED);
    g_signal_connect_object(self->run, "phase-changed", G_CALLBACK(on_phase_changed), self,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(self->stdio->output[1], "written", G_CALLBACK(on_stdout), self,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(self->stdio->output[2], "written", G_CALLBACK(on_stderr), self,
                            G_CONNECT_SWAPPED);
    return g_steal_pointer(&self);
}

static void
on_run_finished(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GTask) task = data;
    MfAttempt *self = g_task_get_source_object(task);

    for (int stream = 0; stream < N_STREAMS; stream++)
        mf_capture_close(self->capture[stream]);
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
    for (int stream = 0; stream < N_STREAMS; stream++) {
        report->bytes[stream] = mf_capture_get_size(self->capture[stream]);
        g_clear_pointer(&report->tail[stream], g_bytes_unref);
        report->tail[stream] = mf_capture_get_tail(self->capture[stream]);
    }
}
