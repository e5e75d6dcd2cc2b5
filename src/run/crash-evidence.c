/* SPDX-License-Identifier: Apache-2.0 */
#include "run/crash-evidence.h"

#include <unistd.h>

#include "base/error.h"
#include "qapi/qmp-commands.h"
#include "run/memory-dump.h"

/* Of a single command. */
#define ANSWER_TIMEOUT_MS 10000

typedef struct {
    MfQmp *qmp;      /* borrowed from the machine, which the task holds */
    char *directory; /* owned */
    guint wanted;
    GPtrArray *notes; /* owned */
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
    g_free(self);
}

/* Drops the reference that the gathering itself holds. */
static void
finish(GTask *task)
{
    Gathering *self = g_task_get_task_data(task);

    g_task_return_pointer(task, g_ptr_array_ref(self->notes), (GDestroyNotify)g_ptr_array_unref);
    g_object_unref(task);
}

static void
on_dumped(GObject *source, GAsyncResult *result, gpointer task)
{
    Gathering *self = g_task_get_task_data(task);
    g_autofree char *path = NULL, *description = NULL;
    g_autoptr(GError) error = NULL;

    if (mf_memory_dump_finish(MF_QMP(source), result, &path, &description, &error))
        g_ptr_array_add(self->notes,
                        g_strdup_printf("The guest's memory is in '%s' (%s).", path, description));
    else
        g_ptr_array_add(self->notes,
                        g_strdup_printf("The guest's memory was not kept: %s", error->message));
    finish(task);
}

static void
gather_dump(GTask *task)
{
    Gathering *self = g_task_get_task_data(task);
    g_autofree char *path = g_build_filename(self->directory, MF_CRASH_DUMP, NULL);

    if (self->wanted & MF_ON_CRASH_DUMP)
        mf_memory_dump_async(self->qmp, path, g_task_get_cancellable(task), on_dumped, task);
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
