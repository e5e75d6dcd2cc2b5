/* SPDX-License-Identifier: Apache-2.0 */
#include "run/artifacts.h"

#include <string.h>

#include "base/error.h"
#include "qapi/qga-commands.h"
#include "run/artifact-store.h"
#include "run/exec-status.h"

#define LIST_SCRIPT "/mayfly/guest/list.sh"

/* Of each question to the agent, and of looking for the files. */
#define ANSWER_MS     30000
#define LIST_MS       120000
#define POLL_FIRST_MS 1
#define POLL_MAX_MS   250

/* Asked for at a time; an agent that gives more is not the one that was asked. */
#define READ_SIZE (1u << 20)

/* How a line of the list begins. */
#define LISTED_FILE    '+'
#define LISTED_NOTHING '?'

struct _MfArtifacts {
    GObject parent;
    MfQga *qga;             /* owned */
    char **patterns;        /* borrowed */
    const char *workdir;    /* borrowed */
    const char *directory;  /* borrowed */
    MfArtifactStore *store; /* owned */
    MfExecStatus *listing;  /* owned; or NULL */
    GPtrArray *paths;       /* owned; of char *, in the guest */
    guint next;
    gint64 handle;             /* of the file that is read */
    GPtrArray *notes;          /* owned; of char * */
    GTask *task;               /* owned; while running */
    GCancellable *cancellable; /* owned; ends the questions */
    guint list_source;
};

G_DEFINE_FINAL_TYPE(MfArtifacts, mf_artifacts, G_TYPE_OBJECT)

static void copy_next(MfArtifacts *self);
static void read_more(MfArtifacts *self);

static void
mf_artifacts_dispose(GObject *object)
{
    MfArtifacts *self = MF_ARTIFACTS(object);

    g_clear_handle_id(&self->list_source, g_source_remove);
    g_clear_object(&self->listing);
    g_clear_object(&self->qga);
    g_clear_object(&self->cancellable);
    g_clear_pointer(&self->store, mf_artifact_store_free);
    g_clear_pointer(&self->paths, g_ptr_array_unref);
    g_clear_pointer(&self->notes, g_ptr_array_unref);
    G_OBJECT_CLASS(mf_artifacts_parent_class)->dispose(object);
}

static void
mf_artifacts_class_init(MfArtifactsClass *class)
{
    G_OBJECT_CLASS(class)->dispose = mf_artifacts_dispose;
}

static void
mf_artifacts_init(MfArtifacts *self)
{
    self->paths = g_ptr_array_new_with_free_func(g_free);
    self->notes = g_ptr_array_new_with_free_func(g_free);
}

gboolean
mf_artifacts_check_patterns(char **patterns, GError **error)
{
    for (; patterns && *patterns; patterns++) {
        g_auto(GStrv) parts = g_strsplit(*patterns, "/", -1);
        const char *wrong = **patterns == '\0'                      ? "it is empty"
                            : !g_utf8_validate(*patterns, -1, NULL) ? "it is not UTF-8"
                            : g_strv_contains((const char *const *)parts, "..")
                                ? "it has '..' in it"
                                : NULL;

        if (!wrong)
            continue;
        g_autofree char *shown = g_utf8_make_valid(*patterns, -1);
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "The pattern '%s' for artifacts cannot be used: %s.", shown, wrong);
        return FALSE;
    }
    return TRUE;
}

/* 'error' is taken; NULL with everything done. */
static void
complete(MfArtifacts *self, GError *error)
{
    g_autoptr(GTask) task = g_steal_pointer(&self->task);

    g_clear_handle_id(&self->list_source, g_source_remove);
    g_clear_pointer(&self->store, mf_artifact_store_free);
    if (!task)
        g_clear_error(&error);
    else if (error)
        g_task_return_error(task, error);
    else
        g_task_return_boolean(task, TRUE);
}

/* A file that cannot be had is no failure, unless the host or the agent is the reason. FALSE when
 * it was; 'error' is taken. */
static gboolean
leave_out(MfArtifacts *self, GError *error)
{
    if (!g_error_matches(error, MF_ERROR, MF_ERROR_GUEST) &&
        !g_error_matches(error, MF_ERROR, MF_ERROR_REMOTE)) {
        complete(self, error);
        return FALSE;
    }
    g_ptr_array_add(self->notes, g_strdup(error->message));
    g_error_free(error);
    return TRUE;
}

static void
on_closed(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(MfArtifacts) self = data;
    g_autoptr(GError) error = NULL;

    if (!mf_qga_guest_file_close_finish(MF_QGA(source), result, &error) &&
        !g_error_matches(error, MF_ERROR, MF_ERROR_REMOTE))
        complete(self, g_steal_pointer(&error));
    else
        copy_next(self);
}

static void
close_file(MfArtifacts *self)
{
    mf_qga_guest_file_close_async(self->qga, self->handle, ANSWER_MS, self->cancellable, on_closed,
                                  g_object_ref(self));
}

/* Writes what came. FALSE with an error; *ret_more says whether there is more to come. */
static gboolean
take(MfArtifacts *self, const MfQgaFileRead *piece, gboolean *ret_more, GError **error)
{
    gsize size;
    g_autofree guchar *data = g_base64_decode(piece->buf_b64, &size);

    if (size > READ_SIZE) {
        g_set_error(error, MF_ERROR, MF_ERROR_PROTOCOL,
                    "The guest agent read more of a file than it was asked for.");
        return FALSE;
    }
    *ret_more = size > 0 && !piece->eof;
    if (size > 0 && !mf_artifact_store_write(self->store, data, size, error))
        return FALSE;
    return *ret_more || mf_artifact_store_end(self->store, error);
}

static void
on_read(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(MfArtifacts) self = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(MfQgaFileRead) piece = NULL;
    gboolean more = FALSE;

    if (!mf_qga_guest_file_read_finish(MF_QGA(source), result, &piece, &error) ||
        !take(self, piece, &more, &error)) {
        mf_artifact_store_drop(self->store);
        if (!leave_out(self, g_steal_pointer(&error)))
            return;
    }
    if (more)
        read_more(self);
    else
        close_file(self);
}

static void
read_more(MfArtifacts *self)
{
    mf_qga_guest_file_read_async(self->qga, self->handle, READ_SIZE, ANSWER_MS, self->cancellable,
                                 on_read, g_object_ref(self));
}

static void
on_opened(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(MfArtifacts) self = data;
    g_autoptr(GError) error = NULL;

    if (mf_qga_guest_file_open_finish(MF_QGA(source), result, &self->handle, &error)) {
        read_more(self);
        return;
    }
    mf_artifact_store_drop(self->store);
    if (leave_out(self, g_steal_pointer(&error)))
        copy_next(self);
}

/* Begins the next file that can be written; NULL when there is none any more, or a failure. */
static const char *
begin_next(MfArtifacts *self)
{
    while (self->task && self->next < self->paths->len) {
        const char *path = g_ptr_array_index(self->paths, self->next++);
        GError *error = NULL;

        if (mf_artifact_store_begin(self->store, path, &error))
            return path;
        leave_out(self, error);
    }
    return NULL;
}

static void
copy_next(MfArtifacts *self)
{
    const char *path = begin_next(self);
    g_autofree char *full = NULL;

    if (!path) {
        complete(self, NULL);
        return;
    }
    full = g_path_is_absolute(path) ? g_strdup(path) : g_build_filename(self->workdir, path, NULL);
    mf_qga_guest_file_open_async(self->qga, full, "r", ANSWER_MS, self->cancellable, on_opened,
                                 g_object_ref(self));
}

static void
take_line(MfArtifacts *self, const char *line)
{
    if (*line == LISTED_NOTHING) {
        g_autofree char *shown = g_strescape(line + 1, NULL);

        g_ptr_array_add(self->notes,
                        g_strdup_printf("No file in the guest matches the artifact '%s'.", shown));
    } else if (*line == LISTED_FILE && g_utf8_validate(line + 1, -1, NULL)) {
        g_ptr_array_add(self->paths, g_strdup(line + 1));
    } else if (*line == LISTED_FILE) {
        g_autofree char *shown = g_strescape(line + 1, NULL);

        g_ptr_array_add(
            self->notes,
            g_strdup_printf("The artifact '%s' is left out: its name is not UTF-8.", shown));
    }
}

/* Texts ended by NUL, as many as are wanted. */
static void
take_list(MfArtifacts *self, const char *list, gsize size)
{
    const char *end = list + size;

    while (list < end && self->paths->len + self->notes->len < MF_ARTIFACTS_MAX_FILES) {
        const char *nul = memchr(list, '\0', (gsize)(end - list));

        if (!nul)
            break;
        take_line(self, list);
        list = nul + 1;
    }
    if (list < end)
        g_ptr_array_add(self->notes, g_strdup_printf("Artifacts are left out: there are more than "
                                                     "%d files.",
                                                     MF_ARTIFACTS_MAX_FILES));
}

static void
on_listed(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(MfArtifacts) self = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(MfQgaExecStatus) status =
        mf_exec_status_wait_finish(MF_EXEC_STATUS(source), result, &error);
    gsize size = 0;

    if (!self->task)
        return;
    g_clear_handle_id(&self->list_source, g_source_remove);
    if (!status) {
        complete(self, g_steal_pointer(&error));
        return;
    }
    if (!status->has_exitcode || status->exitcode != 0) {
        complete(self, g_error_new(MF_ERROR, MF_ERROR_GUEST,
                                   "The artifacts cannot be looked for in '%s' of the guest.",
                                   self->workdir));
        return;
    }
    g_autofree guchar *list = status->out_data ? g_base64_decode(status->out_data, &size) : NULL;
    if (list)
        take_list(self, (const char *)list, size);
    copy_next(self);
}

static gboolean
on_list_overdue(gpointer data)
{
    MfArtifacts *self = data;

    self->list_source = 0;
    complete(self,
             g_error_new(MF_ERROR, MF_ERROR_GUEST,
                         "The artifacts could not be found within %d seconds.", LIST_MS / 1000));
    return G_SOURCE_REMOVE;
}

static void
on_list_started(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(MfArtifacts) self = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(MfQgaExecProcess) process = NULL;

    if (!mf_qga_guest_exec_finish(MF_QGA(source), result, &process, &error)) {
        g_prefix_error(&error, "The artifacts cannot be looked for: ");
        complete(self, g_steal_pointer(&error));
        return;
    }
    self->listing = mf_exec_status_new(self->qga, process->pid, POLL_FIRST_MS, POLL_MAX_MS);
    self->list_source = g_timeout_add(LIST_MS, on_list_overdue, self);
    mf_exec_status_wait_async(self->listing, self->cancellable, on_listed, g_object_ref(self));
}

/* A shell of the guest finds the files: it has the patterns' language. */
static void
list_files(MfArtifacts *self)
{
    static const MfQgaExecCapture capture = {.kind = MF_QGA_EXEC_CAPTURE_KIND_FLAG, .flag = TRUE};
    g_autoptr(GBytes) resource =
        g_resources_lookup_data(LIST_SCRIPT, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    g_autofree char *script = NULL;

    g_assert(resource);
    script = g_strndup(g_bytes_get_data(resource, NULL), g_bytes_get_size(resource));
    g_ptr_array_add(words, (gpointer) "-c");
    g_ptr_array_add(words, script);
    g_ptr_array_add(words, (gpointer) "sh");
    g_ptr_array_add(words, (gpointer)self->workdir);
    for (char **pattern = self->patterns; *pattern; pattern++)
        g_ptr_array_add(words, *pattern);
    g_ptr_array_add(words, NULL);

    const MfQgaGuestExecArguments arguments = {
        .path = "/bin/sh",
        .arg = (const char *const *)words->pdata,
        .capture_output = &capture,
    };
    mf_qga_guest_exec_async(self->qga, &arguments, ANSWER_MS, self->cancellable, on_list_started,
                            g_object_ref(self));
}

MfArtifacts *
mf_artifacts_new(MfQga *qga, char **patterns, const char *workdir, const char *directory)
{
    MfArtifacts *self = g_object_new(MF_TYPE_ARTIFACTS, NULL);

    self->qga = g_object_ref(qga);
    self->patterns = patterns;
    self->workdir = workdir;
    self->directory = directory;
    return self;
}

void
mf_artifacts_copy_async(MfArtifacts *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                        gpointer user_data)
{
    GError *error = NULL;

    self->task = g_task_new(self, NULL, callback, user_data);
    self->cancellable = g_object_ref(cancellable);
    self->store = mf_artifact_store_new(self->directory, MF_ARTIFACTS_MAX_FILES,
                                        MF_ARTIFACTS_MAX_BYTES, &error);
    if (self->store)
        list_files(self);
    else
        complete(self, error);
}

gboolean
mf_artifacts_copy_finish(MfArtifacts *self, GAsyncResult *result, GPtrArray **ret_notes,
                         GError **error)
{
    if (!g_task_propagate_boolean(G_TASK(result), error))
        return FALSE;
    *ret_notes = g_steal_pointer(&self->notes);
    return TRUE;
}
