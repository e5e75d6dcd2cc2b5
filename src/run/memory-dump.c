/* SPDX-License-Identifier: Apache-2.0 */
#include "run/memory-dump.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/parse.h"
#include "base/source.h"
#include "qapi/qmp-commands.h"
#include "qapi/qmp-events.h"

/* Of a single command. */
#define ANSWER_TIMEOUT_MS 10000

/* Of the whole dump: zlib takes some seconds for a gigabyte that is in use. */
#define DUMP_TIMEOUT_MS 100000

#define FD_NAME "memory-dump"

typedef struct {
    MfQmp *qmp;        /* borrowed; the task holds it */
    char *stem;        /* owned; of the path */
    char *path;        /* owned; once there is a file */
    char *description; /* owned; once it is complete */
    MfQmpDumpFormat format;
    gulong completed_id, closed_id;
    guint deadline;         /* while its end is awaited */
    GSource *cancel_source; /* owned; likewise */
} Dump;

static void
dump_free(Dump *self)
{
    g_free(self->stem);
    g_free(self->path);
    g_free(self->description);
    g_free(self);
}

static void
stop_awaiting(Dump *self)
{
    g_clear_handle_id(&self->deadline, g_source_remove);
    g_clear_signal_handler(&self->completed_id, self->qmp);
    g_clear_signal_handler(&self->closed_id, self->qmp);
    mf_source_clear(&self->cancel_source);
}

/* Drops the reference that the dump itself holds. 'error' is taken. */
static void
fail(GTask *task, GError *error)
{
    Dump *self = g_task_get_task_data(task);

    stop_awaiting(self);
    if (self->path)
        unlink(self->path);
    g_task_return_error(task, error);
    g_object_unref(task);
}

static void
succeed(GTask *task)
{
    Dump *self = g_task_get_task_data(task);
    struct stat status;

    stop_awaiting(self);
    if (stat(self->path, &status) < 0) {
        fail(task, g_error_new(MF_ERROR, MF_ERROR_HOST, "'%s' is gone.", self->path));
        return;
    }
    g_autofree char *size = mf_format_size((guint64)status.st_blocks * 512);
    self->description = g_strdup_printf(
        "%s, %s on the disk", self->format == MF_QMP_DUMP_FORMAT_ELF ? "ELF" : "kdump", size);
    g_task_return_boolean(task, TRUE);
    g_object_unref(task);
}

static void
on_completed(MfQmp *qmp, const char *name, json_object *data, gpointer task)
{
    g_autoptr(MfQmpDumpCompletedEvent) event = mf_qmp_dump_completed_event_from_json(data, NULL);

    if (event && event->result->status == MF_QMP_DUMP_STATUS_COMPLETED)
        succeed(task);
    else
        fail(task, g_error_new_literal(MF_ERROR, MF_ERROR_REMOTE,
                                       event && event->error ? event->error
                                                             : "QEMU could not write it."));
}

static void
on_closed(MfQmp *qmp, GError *reason, gpointer task)
{
    fail(task, g_error_copy(reason));
}

static gboolean
on_overdue(gpointer task)
{
    Dump *self = g_task_get_task_data(task);

    self->deadline = 0;
    fail(task, g_error_new(MF_ERROR, MF_ERROR_TIMEOUT, "it was not written in time."));
    return G_SOURCE_REMOVE;
}

static gboolean
on_cancelled(GCancellable *cancellable, gpointer task)
{
    fail(task, g_error_new(MF_ERROR, MF_ERROR_CANCELLED, "it was given up."));
    return G_SOURCE_REMOVE;
}

static void
on_begun(GObject *source, GAsyncResult *result, gpointer task)
{
    g_autoptr(GError) error = NULL;

    /* The end is told by event, which may have come already. */
    if (!mf_qmp_dump_guest_memory_finish(MF_QMP(source), result, &error) &&
        !g_task_get_completed(task))
        fail(task, g_steal_pointer(&error));
    g_object_unref(task);
}

static void
begin(GTask *task)
{
    Dump *self = g_task_get_task_data(task);
    GCancellable *cancellable = g_task_get_cancellable(task);
    const MfQmpDumpGuestMemoryArguments arguments = {
        .protocol = "fd:" FD_NAME,
        .has_detach = TRUE,
        .detach = TRUE,
        .has_format = TRUE,
        .format = self->format,
    };

    self->completed_id =
        g_signal_connect(self->qmp, "event::DUMP_COMPLETED", G_CALLBACK(on_completed), task);
    self->closed_id = g_signal_connect(self->qmp, "closed", G_CALLBACK(on_closed), task);
    self->deadline = g_timeout_add(DUMP_TIMEOUT_MS, on_overdue, task);
    self->cancel_source = mf_source_add_cancelled(cancellable, on_cancelled, task);
    mf_qmp_dump_guest_memory_async(self->qmp, &arguments, ANSWER_TIMEOUT_MS, NULL, on_begun,
                                   g_object_ref(task));
}

static void
on_handed_over(GObject *source, GAsyncResult *result, gpointer task)
{
    g_autoptr(GError) error = NULL;

    if (mf_qmp_getfd_finish(MF_QMP(source), result, &error))
        begin(task);
    else
        fail(task, g_steal_pointer(&error));
}

/* The file is opened here and handed over: QEMU need not be able to reach it. */
static void
open_file(GTask *task)
{
    Dump *self = g_task_get_task_data(task);
    gboolean elf = self->format == MF_QMP_DUMP_FORMAT_ELF;
    g_autofree char *path =
        g_strconcat(self->stem, elf ? MF_MEMORY_DUMP_ELF : MF_MEMORY_DUMP_KDUMP, NULL);
    g_autofree char *directory = g_path_get_dirname(path);
    mf_autofd fd = -1;

    if (g_mkdir_with_parents(directory, 0755) == 0)
        fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        fail(task, g_error_new(MF_ERROR, MF_ERROR_HOST, "'%s' cannot be written: %s.", path,
                               g_strerror(errno)));
        return;
    }
    self->path = g_steal_pointer(&path);
    mf_qmp_getfd_async(self->qmp, FD_NAME, fd, ANSWER_TIMEOUT_MS, g_task_get_cancellable(task),
                       on_handed_over, task);
}

static void
on_formats(GObject *source, GAsyncResult *result, gpointer task)
{
    Dump *self = g_task_get_task_data(task);
    g_autoptr(MfQmpDumpFormats) known = NULL;
    g_autoptr(GError) error = NULL;

    if (!mf_qmp_query_dump_guest_memory_capability_finish(MF_QMP(source), result, &known, &error)) {
        fail(task, g_steal_pointer(&error));
        return;
    }
    self->format = MF_QMP_DUMP_FORMAT_ELF;
    for (guint i = 0; i < known->formats->len; i++)
        if (g_array_index(known->formats, MfQmpDumpFormat, i) == MF_QMP_DUMP_FORMAT_KDUMP_ZLIB)
            self->format = MF_QMP_DUMP_FORMAT_KDUMP_ZLIB;
    open_file(task);
}

void
mf_memory_dump_async(MfQmp *qmp, const char *path, GCancellable *cancellable,
                     GAsyncReadyCallback callback, gpointer user_data)
{
    GTask *task = g_task_new(qmp, cancellable, callback, user_data);
    Dump *self = g_new0(Dump, 1);

    self->qmp = qmp;
    self->stem = g_strdup(path);
    g_task_set_task_data(task, self, (GDestroyNotify)dump_free);
    g_task_set_check_cancellable(task, FALSE);
    mf_qmp_query_dump_guest_memory_capability_async(self->qmp, ANSWER_TIMEOUT_MS, cancellable,
                                                    on_formats, task);
}

gboolean
mf_memory_dump_finish(MfQmp *qmp, GAsyncResult *result, char **ret_path, char **ret_description,
                      GError **error)
{
    Dump *self = g_task_get_task_data(G_TASK(result));

    if (!g_task_propagate_boolean(G_TASK(result), error))
        return FALSE;
    *ret_path = g_steal_pointer(&self->path);
    *ret_description = g_steal_pointer(&self->description);
    return TRUE;
}
