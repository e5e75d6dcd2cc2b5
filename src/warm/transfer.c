/* SPDX-License-Identifier: Apache-2.0 */
#include "warm/transfer.h"

#include "base/error.h"
#include "base/source.h"
#include "qapi/qmp-commands.h"
#include "qapi/qmp-events.h"

/* Of each step. All of a save takes about 10 ms, of a restore about 100. */
#define TIMEOUT_MS 10000

#define STATE_NAME "state"

typedef enum {
    STEP_STOP,
    STEP_CAPABILITIES,
    STEP_HAND_OVER,
    STEP_TRANSFER,
    STEP_AWAIT,
    STEP_CONTINUE,
    STEP_END,
} Step;

static const Step save_steps[] = {STEP_STOP,     STEP_CAPABILITIES, STEP_HAND_OVER,
                                  STEP_TRANSFER, STEP_AWAIT,        STEP_END};
static const Step restore_steps[] = {STEP_CAPABILITIES, STEP_TRANSFER, STEP_AWAIT, STEP_CONTINUE,
                                     STEP_END};

typedef struct {
    MfQmp *qmp;       /* borrowed from the machine, which the task holds */
    const Step *step; /* the one under way */
    gboolean saving;
    int state_fd; /* borrowed */
    char *uri;    /* owned */
    gulong event_id, ended_id;
    guint deadline;         /* while the end of the transfer is awaited */
    GSource *cancel_source; /* owned; likewise */
    MfQmpMigrationStatus status;
} Transfer;

static void run_step(GTask *task);

char *
mf_warm_transfer_uri(guint major, guint minor, gboolean saving)
{
    if (major > 8 || (major == 8 && minor >= 2))
        return g_strdup_printf("file:/proc/self/fd/%d", MF_STATE_FD);
    return saving ? g_strdup("fd:" STATE_NAME) : g_strdup_printf("fd:%d", MF_STATE_FD);
}

static void
transfer_free(Transfer *self)
{
    g_free(self->uri);
    g_free(self);
}

static void
stop_awaiting(Transfer *self)
{
    g_clear_handle_id(&self->deadline, g_source_remove);
    mf_source_clear(&self->cancel_source);
}

/* Drops the reference that the transfer itself holds. 'error' is consumed. */
static void
end(GTask *task, GError *error)
{
    Transfer *self = g_task_get_task_data(task);

    stop_awaiting(self);
    g_clear_signal_handler(&self->event_id, self->qmp);
    g_clear_signal_handler(&self->ended_id, g_task_get_source_object(task));
    if (error)
        g_task_return_error(task, error);
    else
        g_task_return_boolean(task, TRUE);
    g_object_unref(task);
}

static void
next_step(GTask *task, gboolean good, GError *error)
{
    Transfer *self = g_task_get_task_data(task);

    if (!good) {
        end(task, error);
        return;
    }
    stop_awaiting(self);
    self->step++;
    run_step(task);
}

#define DEFINE_REPLY(name_)                                                                        \
    static void on_##name_(GObject *source, GAsyncResult *result, gpointer task)                   \
    {                                                                                              \
        GError *error = NULL;                                                                      \
        gboolean good = mf_qmp_##name_##_finish(MF_QMP(source), result, &error);                   \
                                                                                                   \
        next_step(task, good, error);                                                              \
    }

DEFINE_REPLY(stop)
DEFINE_REPLY(migrate_set_capabilities)
DEFINE_REPLY(getfd)
DEFINE_REPLY(migrate)
DEFINE_REPLY(migrate_incoming)
DEFINE_REPLY(cont)

static void
set_capabilities(Transfer *self, GTask *task)
{
    MfQmpMigrationCapabilityStatus wanted[] = {
        {.capability = MF_QMP_MIGRATION_CAPABILITY_X_IGNORE_SHARED, .state = TRUE},
        {.capability = MF_QMP_MIGRATION_CAPABILITY_EVENTS, .state = TRUE},
    };
    g_autoptr(GPtrArray) list = g_ptr_array_new();

    for (gsize i = 0; i < G_N_ELEMENTS(wanted); i++)
        g_ptr_array_add(list, &wanted[i]);
    mf_qmp_migrate_set_capabilities_async(self->qmp, list, TIMEOUT_MS, g_task_get_cancellable(task),
                                          on_migrate_set_capabilities, task);
}

static gboolean
on_overdue(gpointer task)
{
    Transfer *self = g_task_get_task_data(task);

    self->deadline = 0;
    end(task, g_error_new(MF_ERROR, MF_ERROR_TIMEOUT,
                          "QEMU did not %s the machine's state within %d seconds.",
                          self->saving ? "save" : "load", TIMEOUT_MS / 1000));
    return G_SOURCE_REMOVE;
}

static gboolean
on_cancelled(GCancellable *cancellable, gpointer task)
{
    end(task, g_error_new(MF_ERROR, MF_ERROR_CANCELLED,
                          "The transfer of the machine's state was cancelled."));
    return G_SOURCE_REMOVE;
}

/* The transfer is over when its event says so, which may have come before the reply to its command.
 */
static void
await_end(Transfer *self, GTask *task)
{
    GCancellable *cancellable = g_task_get_cancellable(task);

    if (self->status == MF_QMP_MIGRATION_STATUS_COMPLETED) {
        next_step(task, TRUE, NULL);
        return;
    }
    if (self->status == MF_QMP_MIGRATION_STATUS_FAILED) {
        end(task, g_error_new(MF_ERROR, MF_ERROR_REMOTE, "QEMU failed to %s the machine's state.",
                              self->saving ? "save" : "load"));
        return;
    }
    if (self->deadline)
        return;
    self->deadline = g_timeout_add(TIMEOUT_MS, on_overdue, task);
    self->cancel_source = mf_source_add_cancelled(cancellable, on_cancelled, task);
}

static void
run_step(GTask *task)
{
    Transfer *self = g_task_get_task_data(task);

    switch (*self->step) {
    case STEP_STOP:
        mf_qmp_stop_async(self->qmp, TIMEOUT_MS, g_task_get_cancellable(task), on_stop, task);
        break;
    case STEP_CAPABILITIES:
        set_capabilities(self, task);
        break;
    case STEP_HAND_OVER:
        mf_qmp_getfd_async(self->qmp, STATE_NAME, self->state_fd, TIMEOUT_MS,
                           g_task_get_cancellable(task), on_getfd, task);
        break;
    case STEP_TRANSFER:
        if (self->saving)
            mf_qmp_migrate_async(self->qmp, self->uri, TIMEOUT_MS, g_task_get_cancellable(task),
                                 on_migrate, task);
        else
            mf_qmp_migrate_incoming_async(self->qmp, self->uri, TIMEOUT_MS,
                                          g_task_get_cancellable(task), on_migrate_incoming, task);
        break;
    case STEP_AWAIT:
        await_end(self, task);
        break;
    case STEP_CONTINUE:
        mf_qmp_cont_async(self->qmp, TIMEOUT_MS, g_task_get_cancellable(task), on_cont, task);
        break;
    case STEP_END:
        end(task, NULL);
        break;
    }
}

static void
on_migration(MfQmp *qmp, const char *name, json_object *data, gpointer user_data)
{
    GTask *task = user_data;
    Transfer *self = g_task_get_task_data(task);
    g_autoptr(MfQmpMigrationEvent) event = mf_qmp_migration_event_from_json(data, NULL);

    if (!event)
        return;
    self->status = event->status;
    if (*self->step == STEP_AWAIT)
        await_end(self, task);
}

/* A command that is under way fails by itself then. */
static void
on_ended(MfMachine *machine, GError *error, gpointer user_data)
{
    GTask *task = user_data;
    Transfer *self = g_task_get_task_data(task);

    if (*self->step == STEP_AWAIT)
        end(task, g_error_copy(error));
}

static void
start(MfMachine *machine, const Step *steps, int state_fd, GCancellable *cancellable,
      GAsyncReadyCallback callback, gpointer user_data)
{
    GTask *task = g_task_new(machine, cancellable, callback, user_data);
    Transfer *self = g_new0(Transfer, 1);
    guint major, minor, micro;

    g_task_set_check_cancellable(task, FALSE);
    self->qmp = mf_machine_get_qmp(machine);
    self->step = steps;
    self->saving = steps == save_steps;
    self->state_fd = state_fd;
    mf_qmp_get_version(self->qmp, &major, &minor, &micro);
    self->uri = mf_warm_transfer_uri(major, minor, self->saving);
    g_task_set_task_data(task, self, (GDestroyNotify)transfer_free);
    self->event_id =
        g_signal_connect(self->qmp, "event::MIGRATION", G_CALLBACK(on_migration), task);
    self->ended_id = g_signal_connect(machine, "ended", G_CALLBACK(on_ended), task);
    run_step(task);
}

void
mf_warm_save_async(MfMachine *machine, int state_fd, GCancellable *cancellable,
                   GAsyncReadyCallback callback, gpointer user_data)
{
    start(machine, save_steps, state_fd, cancellable, callback, user_data);
}

gboolean
mf_warm_save_finish(MfMachine *machine, GAsyncResult *result, GError **error)
{
    return g_task_propagate_boolean(G_TASK(result), error);
}

void
mf_warm_restore_async(MfMachine *machine, GCancellable *cancellable, GAsyncReadyCallback callback,
                      gpointer user_data)
{
    start(machine, restore_steps, -1, cancellable, callback, user_data);
}

gboolean
mf_warm_restore_finish(MfMachine *machine, GAsyncResult *result, GError **error)
{
    return g_task_propagate_boolean(G_TASK(result), error);
}
