/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/keeper.h"

#include <string.h>

#include "base/fd.h"
#include "machine/machine.h"
#include "suite/capture.h"
#include "suite/run-dir.h"

#define N_STREAMS 3

struct _MfKeeper {
    GObject parent;
    char *directory;               /* owned; or NULL */
    MfCapture *capture[N_STREAMS]; /* owned */
};

G_DEFINE_FINAL_TYPE(MfKeeper, mf_keeper, G_TYPE_OBJECT)

enum { SIGNAL_OUTPUT, N_SIGNALS };
static guint signals[N_SIGNALS];

static void
mf_keeper_finalize(GObject *object)
{
    MfKeeper *self = MF_KEEPER(object);

    for (int stream = 0; stream < N_STREAMS; stream++)
        g_clear_pointer(&self->capture[stream], mf_capture_free);
    g_free(self->directory);
    G_OBJECT_CLASS(mf_keeper_parent_class)->finalize(object);
}

static void
mf_keeper_class_init(MfKeeperClass *class)
{
    G_OBJECT_CLASS(class)->finalize = mf_keeper_finalize;
    signals[SIGNAL_OUTPUT] = g_signal_new("output", MF_TYPE_KEEPER, G_SIGNAL_RUN_LAST, 0, NULL,
                                          NULL, NULL, G_TYPE_NONE, 2, G_TYPE_INT, G_TYPE_BYTES);
}

static void
mf_keeper_init(MfKeeper *self)
{
}

static void
take(MfKeeper *self, int stream, GBytes *bytes)
{
    mf_capture_write(self->capture[stream], bytes);
    g_signal_emit(self, signals[SIGNAL_OUTPUT], 0, stream, bytes);
}

static void
on_console(MfKeeper *self, GBytes *bytes)
{
    take(self, 0, bytes);
}

static void
on_stdout(MfKeeper *self, GBytes *bytes)
{
    take(self, 1, bytes);
}

static void
on_stderr(MfKeeper *self, GBytes *bytes)
{
    take(self, 2, bytes);
}

/* For people: what cannot be kept of it does not matter to the case. */
static void
keep_command_line(const MfKeeper *self, MfRun *run)
{
    const MfSpec *spec = mf_run_get_spec(run);
    g_autoptr(GError) error = NULL;

    if (!self->directory || !spec)
        return;

    g_autofree char *text = mf_machine_describe_start(spec);
    const char *name = spec->connect ? MF_RUN_DIR_DOMAIN : MF_RUN_DIR_QEMU;
    g_autofree char *path = g_build_filename(self->directory, name, NULL);
    if (!mf_file_replace(path, text, strlen(text), 0644, &error))
        g_message("%s", error->message);
}

static void
on_phase_changed(MfKeeper *self, guint phase, MfRun *run)
{
    if (phase == MF_PHASE_LAUNCH)
        keep_command_line(self, run);
}

static gboolean
open_captures(MfKeeper *self, GError **error)
{
    static const char *const names[N_STREAMS] = {MF_RUN_DIR_CONSOLE, MF_RUN_DIR_STDOUT,
                                                 MF_RUN_DIR_STDERR};

    for (int stream = 0; stream < N_STREAMS; stream++) {
        g_autofree char *path =
            self->directory ? g_build_filename(self->directory, names[stream], NULL) : NULL;

        /* A console that is cut is no evidence: all of it is kept. */
        self->capture[stream] =
            mf_capture_new(path, stream == 0 ? G_MAXUINT64 : MF_CAPTURE_FILE_MAX, error);
        if (!self->capture[stream])
            return FALSE;
    }
    return TRUE;
}

MfKeeper *
mf_keeper_new(const char *directory, GError **error)
{
    g_autoptr(MfKeeper) self = g_object_new(MF_TYPE_KEEPER, NULL);

    self->directory = g_strdup(directory);
    return open_captures(self, error) ? g_steal_pointer(&self) : NULL;
}

void
mf_keeper_follow(MfKeeper *self, MfRun *run, MfStdio *stdio)
{
    static void (*const callbacks[N_STREAMS])(MfKeeper *, GBytes *) = {on_console, on_stdout,
                                                                       on_stderr};

    g_signal_connect_object(run, "console", G_CALLBACK(on_console), self, G_CONNECT_SWAPPED);
    g_signal_connect_object(run, "phase-changed", G_CALLBACK(on_phase_changed), self,
                            G_CONNECT_SWAPPED);
    for (int fd = 1; fd <= 2; fd++) {
        /* On one file both are the first. */
        if (!stdio->output[fd] || (fd == 2 && stdio->output[2] == stdio->output[1]))
            continue;
        g_signal_connect_object(stdio->output[fd], "written", G_CALLBACK(callbacks[fd]), self,
                                G_CONNECT_SWAPPED);
    }
}

void
mf_keeper_close(MfKeeper *self)
{
    for (int stream = 0; stream < N_STREAMS; stream++)
        mf_capture_close(self->capture[stream]);
}

void
mf_keeper_fill_report(const MfKeeper *self, MfOutcomeReport *report)
{
    for (int stream = 0; stream < N_STREAMS; stream++) {
        report->bytes[stream] = mf_capture_get_size(self->capture[stream]);
        g_clear_pointer(&report->tail[stream], g_bytes_unref);
        report->tail[stream] = mf_capture_get_tail(self->capture[stream]);
    }
}
