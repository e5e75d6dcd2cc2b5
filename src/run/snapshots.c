/* SPDX-License-Identifier: Apache-2.0 */
#include "run/snapshots.h"

#include <string.h>

#include "base/error.h"
#include "base/fd.h"
#include "qapi/qmp-commands.h"
#include "run/memory-dump.h"

#define ANSWER_TIMEOUT_MS 10000

/* What a person would ask QEMU's monitor of a machine's state. */
static const char *const state_questions[] = {"info status", "info cpus", "info registers -a",
                                              "info block", "info numa"};

struct _MfSnapshots {
    GObject parent;
    MfQmp *qmp;         /* owned */
    MfConsole *console; /* owned */
    char *directory;    /* owned; or NULL */
    guint allowed, used, refused;
    GQueue waiting;            /* of MfSnapshotRequest, owned; the first is being taken */
    GString *state;            /* owned; while it is asked for */
    guint question;            /* of them; the next one */
    GCancellable *cancellable; /* owned */
    GPtrArray *notes;          /* owned */
    gboolean dumping;
};

G_DEFINE_FINAL_TYPE(MfSnapshots, mf_snapshots, G_TYPE_OBJECT)

enum { SIGNAL_ANSWERED, SIGNAL_DUMPING, N_SIGNALS };
static guint signals[N_SIGNALS];

static void take_next(MfSnapshots *self);

static void
request_free(MfSnapshotRequest *request)
{
    mf_snapshot_request_clear(request);
    g_free(request);
}

static void
mf_snapshots_dispose(GObject *object)
{
    MfSnapshots *self = MF_SNAPSHOTS(object);

    mf_snapshots_stop(self);
    g_clear_object(&self->qmp);
    g_clear_object(&self->console);
    g_clear_object(&self->cancellable);
    g_clear_pointer(&self->directory, g_free);
    g_clear_pointer(&self->notes, g_ptr_array_unref);
    if (self->state)
        g_string_free(g_steal_pointer(&self->state), TRUE);
    G_OBJECT_CLASS(mf_snapshots_parent_class)->dispose(object);
}

static void
mf_snapshots_class_init(MfSnapshotsClass *class)
{
    G_OBJECT_CLASS(class)->dispose = mf_snapshots_dispose;
    signals[SIGNAL_ANSWERED] =
        g_signal_new("answered", MF_TYPE_SNAPSHOTS, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                     G_TYPE_NONE, 3, G_TYPE_UINT, G_TYPE_UINT, G_TYPE_STRING);
    signals[SIGNAL_DUMPING] = g_signal_new("dumping", MF_TYPE_SNAPSHOTS, G_SIGNAL_RUN_LAST, 0, NULL,
                                           NULL, NULL, G_TYPE_NONE, 0);
}

static void
mf_snapshots_init(MfSnapshots *self)
{
    g_queue_init(&self->waiting);
    self->cancellable = g_cancellable_new();
    self->notes = g_ptr_array_new_with_free_func(g_free);
}

static void
set_dumping(MfSnapshots *self, gboolean dumping)
{
    self->dumping = dumping;
    g_signal_emit(self, signals[SIGNAL_DUMPING], 0);
}

/* The end of the first request that waits, and the turn of the next. */
static void
answer(MfSnapshots *self, guint status, const char *reason)
{
    MfSnapshotRequest *request = g_queue_pop_head(&self->waiting);

    g_signal_emit(self, signals[SIGNAL_ANSWERED], 0, request->id, status, reason);
    request_free(request);
    take_next(self);
}

static void
fail(MfSnapshots *self, const char *what, const GError *error)
{
    g_ptr_array_add(self->notes, g_strdup_printf("The %s that the guest asked for was not kept: %s",
                                                 what, error->message));
    answer(self, MF_SNAPSHOT_FAILED, error->message);
}

/* What was asked for is in 'path'; 'description' may be NULL. */
static void
succeed(MfSnapshots *self, const char *what, const char *path, const char *description)
{
    const MfSnapshotRequest *request = g_queue_peek_head(&self->waiting);
    g_autofree char *name = g_path_get_basename(path);
    g_autofree char *more = description ? g_strdup_printf(" (%s)", description) : g_strdup("");
    g_autofree char *tag =
        *request->tag ? g_strdup_printf(" (tag '%s')", request->tag) : g_strdup("");

    g_ptr_array_add(self->notes, g_strdup_printf("The %s that the guest asked for%s is in '%s'%s.",
                                                 what, tag, path, more));
    answer(self, MF_SNAPSHOT_OK, name);
}

/* The path of this request's file without its ending. Owned by the caller. */
static char *
make_stem(const MfSnapshots *self)
{
    g_autofree char *name = g_strdup_printf(MF_SNAPSHOTS_NAME, self->used);

    return g_build_filename(self->directory, name, NULL);
}

static void
on_dumped(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(MfSnapshots) self = data;
    g_autofree char *path = NULL, *description = NULL;
    g_autoptr(GError) error = NULL;
    gboolean good = mf_memory_dump_finish(MF_QMP(source), result, &path, &description, &error);

    set_dumping(self, FALSE);
    if (g_cancellable_is_cancelled(self->cancellable))
        return;
    if (good)
        succeed(self, "memory", path, description);
    else
        fail(self, "memory", error);
}

static void
take_memory(MfSnapshots *self)
{
    g_autofree char *stem = make_stem(self);

    set_dumping(self, TRUE);
    mf_memory_dump_async(self->qmp, stem, self->cancellable, on_dumped, g_object_ref(self));
}

static void
write_state(MfSnapshots *self)
{
    g_autoptr(GString) state = g_steal_pointer(&self->state);
    g_autofree char *stem = make_stem(self);
    g_autofree char *path = g_strconcat(stem, MF_SNAPSHOTS_STATE, NULL);
    g_autoptr(GError) error = NULL;

    g_mkdir_with_parents(self->directory, 0755);
    if (mf_file_replace(path, state->str, state->len, 0600, &error))
        succeed(self, "machine's state", path, NULL);
    else
        fail(self, "machine's state", error);
}

static void ask_state(MfSnapshots *self);

static void
on_state(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(MfSnapshots) self = data;
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    gboolean good = mf_qmp_human_monitor_command_finish(MF_QMP(source), result, &text, &error);

    if (g_cancellable_is_cancelled(self->cancellable))
        return;
    if (!good) {
        g_string_free(g_steal_pointer(&self->state), TRUE);
        fail(self, "machine's state", error);
        return;
    }
    g_string_append_printf(self->state, "# %s\n%s\n", state_questions[self->question], text);
    if (++self->question < G_N_ELEMENTS(state_questions))
        ask_state(self);
    else
        write_state(self);
}

static void
ask_state(MfSnapshots *self)
{
    mf_qmp_human_monitor_command_async(self->qmp, state_questions[self->question],
                                       ANSWER_TIMEOUT_MS, self->cancellable, on_state,
                                       g_object_ref(self));
}

static void
take_state(MfSnapshots *self)
{
    self->state = g_string_new(NULL);
    self->question = 0;
    ask_state(self);
}

/* Nothing is kept for it, so it needs no allowance. */
static void
take_console(MfSnapshots *self)
{
    const MfTranscript *transcript = mf_console_get_transcript(self->console);
    g_autofree char *place = g_strdup_printf("The console is at byte %" G_GUINT64_FORMAT ".",
                                             mf_transcript_get_place(transcript));

    answer(self, MF_SNAPSHOT_OK, place);
}

static void
take_file(MfSnapshots *self, void (*take)(MfSnapshots *self))
{
    if (self->allowed == 0 || !self->directory) {
        self->refused++;
        answer(self, MF_SNAPSHOT_FAILED, "This run keeps no snapshots: see --snapshots.");
    } else if (self->used == self->allowed) {
        self->refused++;
        answer(self, MF_SNAPSHOT_FAILED, "All snapshots that this run allows are taken.");
    } else {
        self->used++;
        take(self);
    }
}

static void
take_next(MfSnapshots *self)
{
    const MfSnapshotRequest *request = g_queue_peek_head(&self->waiting);

    if (!request)
        return;
    switch (request->kind) {
    case MF_SNAPSHOT_MEMORY:
        take_file(self, take_memory);
        break;
    case MF_SNAPSHOT_STATE:
        take_file(self, take_state);
        break;
    case MF_SNAPSHOT_CONSOLE:
        take_console(self);
        break;
    case MF_SNAPSHOT_WATCH:
        answer(self, MF_SNAPSHOT_FAILED, "mayfly cannot watch for a change of memory.");
        break;
    default:
        answer(self, MF_SNAPSHOT_FAILED, "mayfly knows no snapshots of that kind.");
    }
}

MfSnapshots *
mf_snapshots_new(MfQmp *qmp, MfConsole *console, const char *directory, guint allowed)
{
    MfSnapshots *self = g_object_new(MF_TYPE_SNAPSHOTS, NULL);

    self->qmp = g_object_ref(qmp);
    self->console = g_object_ref(console);
    self->directory = directory ? g_build_filename(directory, MF_SNAPSHOTS_DIR, NULL) : NULL;
    self->allowed = allowed;
    return self;
}

void
mf_snapshots_take(MfSnapshots *self, const MfSnapshotRequest *request)
{
    gboolean idle = g_queue_is_empty(&self->waiting);
    MfSnapshotRequest *copy;

    if (g_cancellable_is_cancelled(self->cancellable)) {
        g_signal_emit(self, signals[SIGNAL_ANSWERED], 0, request->id, MF_SNAPSHOT_FAILED,
                      "The run is at its end.");
        return;
    }
    if (g_queue_get_length(&self->waiting) == MF_SNAPSHOTS_QUEUE_MAX) {
        g_signal_emit(self, signals[SIGNAL_ANSWERED], 0, request->id, MF_SNAPSHOT_FAILED,
                      "Too many requests wait already.");
        return;
    }
    copy = g_new0(MfSnapshotRequest, 1);
    *copy = (MfSnapshotRequest){
        .id = request->id, .kind = request->kind, .tag = g_strdup(request->tag)};
    g_queue_push_tail(&self->waiting, copy);
    if (idle)
        take_next(self);
}

gboolean
mf_snapshots_is_dumping(MfSnapshots *self)
{
    return self->dumping;
}

void
mf_snapshots_stop(MfSnapshots *self)
{
    g_cancellable_cancel(self->cancellable);
    g_queue_clear_full(&self->waiting, (GDestroyNotify)request_free);
}

void
mf_snapshots_add_notes(MfSnapshots *self, GPtrArray *notes)
{
    g_ptr_array_extend(notes, self->notes, (GCopyFunc)(void (*)(void))g_strdup, NULL);
    if (self->refused)
        g_ptr_array_add(notes,
                        g_strdup_printf("Of the snapshots that the guest asked for, %u were beyond "
                                        "the %u that the run allows (option and key 'snapshots').",
                                        self->refused, self->allowed));
}
