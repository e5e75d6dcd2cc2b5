/* SPDX-License-Identifier: Apache-2.0 */
#include "run/crash-evidence.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/parse.h"
#include "qapi/qmp-commands.h"
#include "qapi/qmp-events.h"

/* Of a single command. */
#define ANSWER_TIMEOUT_MS 10000

/* Of the whole dump: zlib takes some seconds for a gigabyte that is in use. */
#define DUMP_TIMEOUT_MS 100000

#define FD_NAME "crash-dump"

typedef struct {
    MfQmp *qmp;      /* borrowed from the machine, which the task holds */
    char *directory; /* owned */
    guint wanted;
    GPtrArray *notes; /* owned */
    char *path;       /* owned; of the dump, once it is begun */
    MfQmpDumpFormat format;
    gulong completed_id, closed_id;
    guint deadline;         /* of the dump, while its end is awaited */
    GSource *cancel_source; /* owned; likewise */
} Gathering;

gboolean
mf_on_crash_parse(const char *text, guint *ret_flags, GError **error)
{
    static const char *const names[] = {"dump", "screenshot"};
    g_auto(GStrv) words = g_strsplit(text, ",", -1);
    const char *bad = words[0] ? NULL : text;
    guint flags = 0;

    for (char **word = words; *word && !bad; word++) {
        guint i = 0;

        while (i < G_N_ELEMENTS(names) && !g_str_equal(*word, names[i]))
            i++;
        flags |= 1u << i;
        bad = i < G_N_ELEMENTS(names) ? NULL : *word;
    }
    if (bad) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "'%s' is nothing to keep of a crash: expected dump or screenshot.", bad);
        return FALSE;
    }
    *ret_flags = flags;
    return TRUE;
}

static void
gathering_free(Gathering *self)
{
    g_ptr_array_unref(self->notes);
    g_free(self->directory);
    g_free(self->path);
    g_free(self);
}

static void
stop_awaiting(Gathering *self)
{
    g_clear_handle_id(&self->deadline, g_source_remove);
    g_clear_signal_handler(&self->completed_id, self->qmp);
    g_clear_signal_handler(&self->closed_id, self->qmp);
    if (!self->cancel_source)
        return;
    g_source_destroy(self->cancel_source);
    g_clear_pointer(&self->cancel_source, g_source_unref);
}

/* Drops the reference that the gathering itself holds. */
static void
finish(GTask *task)
{
    Gathering *self = g_task_get_task_data(task);

    g_task_return_pointer(task, g_ptr_array_ref(self->notes), (GDestroyNotify)g_ptr_array_unref);
    g_object_unref(task);
}

/* The end of the dump; 'reason' why there is none, or NULL. */
static void
end_dump(GTask *task, const char *reason)
{
    Gathering *self = g_task_get_task_data(task);
    struct stat status;

    stop_awaiting(self);
    if (!reason && stat(self->path, &status) == 0) {
        g_autofree char *size = mf_format_size((guint64)status.st_blocks * 512);

        g_ptr_array_add(
            self->notes,
            g_strdup_printf("The guest's memory is in '%s' (%s, %s on the disk).", self->path,
                            self->format == MF_QMP_DUMP_FORMAT_ELF ? "ELF" : "kdump", size));
    } else {
        if (self->path)
            unlink(self->path);
        g_ptr_array_add(self->notes, g_strdup_printf("The guest's memory was not kept: %s",
                                                     reason ? reason : "its file is gone."));
    }
    finish(task);
}

static void
on_completed(MfQmp *qmp, const char *name, json_object *data, gpointer user_data)
{
    g_autoptr(MfQmpDumpCompletedEvent) event = mf_qmp_dump_completed_event_from_json(data, NULL);
    gboolean good = event && event->result->status == MF_QMP_DUMP_STATUS_COMPLETED;
    const char *reason = event && event->error ? event->error : "QEMU could not write it.";

    end_dump(user_data, good ? NULL : reason);
}

static void
on_closed(MfQmp *qmp, GError *reason, gpointer task)
{
    end_dump(task, reason->message);
}

static gboolean
on_overdue(gpointer task)
{
    Gathering *self = g_task_get_task_data(task);

    self->deadline = 0;
    end_dump(task, "it was not written in time.");
    return G_SOURCE_REMOVE;
}

static gboolean
on_cancelled(GCancellable *cancellable, gpointer task)
{
    end_dump(task, "it was given up.");
    return G_SOURCE_REMOVE;
}

static void
on_dump_begun(GObject *source, GAsyncResult *result, gpointer task)
{
    g_autoptr(GError) error = NULL;

    /* The end is told by event, which may have come already. */
    if (!mf_qmp_dump_guest_memory_finish(MF_QMP(source), result, &error) &&
        !g_task_get_completed(task))
        end_dump(task, error->message);
    g_object_unref(task);
}

static void
begin_dump(GTask *task)
{
    Gathering *self = g_task_get_task_data(task);
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
    self->cancel_source = g_cancellable_source_new(cancellable);
    g_source_set_callback(self->cancel_source, (GSourceFunc)(void (*)(void))on_cancelled, task,
                          NULL);
    g_source_attach(self->cancel_source, NULL);
    mf_qmp_dump_guest_memory_async(self->qmp, &arguments, ANSWER_TIMEOUT_MS, NULL, on_dump_begun,
                                   g_object_ref(task));
}

static void
on_handed_over(GObject *source, GAsyncResult *result, gpointer task)
{
    g_autoptr(GError) error = NULL;

    if (mf_qmp_getfd_finish(MF_QMP(source), result, &error))
        begin_dump(task);
    else
        end_dump(task, error->message);
}

/* The file is opened here and handed over: QEMU need not be able to reach it. */
static void
open_dump(GTask *task)
{
    Gathering *self = g_task_get_task_data(task);
    gboolean elf = self->format == MF_QMP_DUMP_FORMAT_ELF;
    g_autofree char *path =
        g_build_filename(self->directory, elf ? MF_CRASH_DUMP_ELF : MF_CRASH_DUMP_KDUMP, NULL);
    mf_autofd fd = -1;

    if (g_mkdir_with_parents(self->directory, 0755) == 0)
        fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        g_autofree char *reason =
            g_strdup_printf("'%s' cannot be written: %s.", path, g_strerror(errno));

        end_dump(task, reason);
        return;
    }
    self->path = g_steal_pointer(&path);
    mf_qmp_getfd_async(self->qmp, FD_NAME, fd, ANSWER_TIMEOUT_MS, g_task_get_cancellable(task),
                       on_handed_over, task);
}

static void
on_formats(GObject *source, GAsyncResult *result, gpointer task)
{
    Gathering *self = g_task_get_task_data(task);
    g_autoptr(MfQmpDumpFormats) known = NULL;
    g_autoptr(GError) error = NULL;

    if (!mf_qmp_query_dump_guest_memory_capability_finish(MF_QMP(source), result, &known, &error)) {
        end_dump(task, error->message);
        return;
    }
    self->format = MF_QMP_DUMP_FORMAT_ELF;
    for (guint i = 0; i < known->formats->len; i++)
        if (g_array_index(known->formats, MfQmpDumpFormat, i) == MF_QMP_DUMP_FORMAT_KDUMP_ZLIB)
            self->format = MF_QMP_DUMP_FORMAT_KDUMP_ZLIB;
    open_dump(task);
}

static void
gather_dump(GTask *task)
{
    Gathering *self = g_task_get_task_data(task);

    if (self->wanted & MF_ON_CRASH_DUMP)
        mf_qmp_query_dump_guest_memory_capability_async(
            self->qmp, ANSWER_TIMEOUT_MS, g_task_get_cancellable(task), on_formats, task);
    else
        finish(task);
}

static void
on_screenshot(GObject *source, GAsyncResult *result, gpointer task)
{
    Gathering *self = g_task_get_task_data(task);
    g_autofree char *path = g_build_filename(self->directory, MF_CRASH_SCREENSHOT, NULL);
    g_autoptr(GError) error = NULL;

    if (mf_qmp_screendump_finish(MF_QMP(source), result, &error)) {
        g_ptr_array_add(self->notes, g_strdup_printf("The guest's screen is in '%s'.", path));
    } else {
        unlink(path);
        g_ptr_array_add(self->notes,
                        g_strdup_printf("The guest's screen was not kept: %s", error->message));
    }
    gather_dump(task);
}

static void
gather_screenshot(GTask *task)
{
    Gathering *self = g_task_get_task_data(task);
    g_autofree char *path = g_build_filename(self->directory, MF_CRASH_SCREENSHOT, NULL);
    const MfQmpScreendumpArguments arguments = {
        .filename = path,
        .has_format = TRUE,
        .format = MF_QMP_IMAGE_FORMAT_PNG,
    };

    g_mkdir_with_parents(self->directory, 0755);
    mf_qmp_screendump_async(self->qmp, &arguments, ANSWER_TIMEOUT_MS, g_task_get_cancellable(task),
                            on_screenshot, task);
}

void
mf_crash_evidence_gather_async(MfMachine *machine, guint wanted, const char *directory,
                               GCancellable *cancellable, GAsyncReadyCallback callback,
                               gpointer user_data)
{
    GTask *task = g_task_new(machine, cancellable, callback, user_data);
    Gathering *self = g_new0(Gathering, 1);

    self->qmp = mf_machine_get_qmp(machine);
    self->directory = g_strdup(directory);
    self->wanted = wanted;
    self->notes = g_ptr_array_new_with_free_func(g_free);
    g_task_set_task_data(task, self, (GDestroyNotify)gathering_free);
    g_task_set_check_cancellable(task, FALSE);
    if (wanted & MF_ON_CRASH_SCREENSHOT)
        gather_screenshot(task);
    else
        gather_dump(task);
}

GPtrArray *
mf_crash_evidence_gather_finish(MfMachine *machine, GAsyncResult *result)
{
    return g_task_propagate_pointer(G_TASK(result), NULL);
}
