/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/machine.h"

#include "base/error.h"
#include "machine/machine-kind.h"
#include "qapi/qmp-events.h"

typedef struct {
    MfTransport *channels[MF_N_CHANNELS]; /* owned; NULL where the spec has none */
    MfQmp *qmp;                           /* owned */
    MfQga *qga;                           /* owned */
    MfConsole *console;                   /* owned */
    GTask *open_task;                     /* owned; while opening */
    gboolean held;                        /* QEMU stays when the guest has ended */
    gboolean opened, panicked, stopping, ended;
    MfMachineEnd end;
} MfMachinePrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE(MfMachine, mf_machine, G_TYPE_OBJECT)

enum { SIGNAL_PANICKED, SIGNAL_ENDED, N_SIGNALS };
static guint signals[N_SIGNALS];

static MfMachinePrivate *
get(MfMachine *self)
{
    return mf_machine_get_instance_private(self);
}

static void
mf_machine_dispose(GObject *object)
{
    MfMachinePrivate *own = get(MF_MACHINE(object));

    for (MfChannel channel = 0; channel < MF_N_CHANNELS; channel++) {
        if (own->channels[channel])
            mf_transport_close(own->channels[channel]);
        g_clear_object(&own->channels[channel]);
    }
    g_clear_object(&own->qmp);
    g_clear_object(&own->qga);
    g_clear_object(&own->console);
    G_OBJECT_CLASS(mf_machine_parent_class)->dispose(object);
}

static void
mf_machine_class_init(MfMachineClass *class)
{
    G_OBJECT_CLASS(class)->dispose = mf_machine_dispose;
    signals[SIGNAL_PANICKED] = g_signal_new("panicked", MF_TYPE_MACHINE, G_SIGNAL_RUN_LAST, 0, NULL,
                                            NULL, NULL, G_TYPE_NONE, 0);
    signals[SIGNAL_ENDED] = g_signal_new("ended", MF_TYPE_MACHINE, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                         NULL, G_TYPE_NONE, 1, G_TYPE_ERROR);
}

static void
mf_machine_init(MfMachine *self)
{
}

gboolean
mf_machine_is_opened(MfMachine *self)
{
    return get(self)->opened;
}

gboolean
mf_machine_is_stopping(MfMachine *self)
{
    return get(self)->stopping;
}

gboolean
mf_machine_has_ended(MfMachine *self)
{
    return get(self)->ended;
}

void
mf_machine_report_end(MfMachine *self, const GError *error)
{
    g_autoptr(MfMachine) keep = g_object_ref(self);
    MfMachinePrivate *own = get(self);
    gboolean complained;
    int status;

    if (own->stopping || own->ended)
        return;
    own->ended = TRUE;
    if (!own->held || mf_machine_get_exit(self, &status, &complained))
        mf_qmp_close(own->qmp, error);
    mf_qga_close(own->qga, error);
    if (own->open_task) {
        g_autoptr(GTask) task = g_steal_pointer(&own->open_task);

        g_task_return_error(task, g_error_copy(error));
        return;
    }
    g_signal_emit(self, signals[SIGNAL_ENDED], 0, error);
}

static void
note_shutdown(MfMachine *self, json_object *data)
{
    static const struct {
        MfQmpShutdownCause cause;
        MfMachineEnd end;
    } ends[] = {
        {MF_QMP_SHUTDOWN_CAUSE_GUEST_SHUTDOWN, MF_MACHINE_END_POWEROFF},
        {MF_QMP_SHUTDOWN_CAUSE_GUEST_RESET, MF_MACHINE_END_RESET},
        {MF_QMP_SHUTDOWN_CAUSE_GUEST_PANIC, MF_MACHINE_END_PANIC},
    };
    MfMachinePrivate *own = get(self);
    g_autoptr(MfQmpShutdownEvent) event = mf_qmp_shutdown_event_from_json(data, NULL);

    /* The first tells how the guest ended. Another is of what is done to a QEMU that has stopped.
     */
    if (own->end != MF_MACHINE_END_NONE)
        return;
    own->end = MF_MACHINE_END_HOST;
    for (gsize i = 0; event && i < G_N_ELEMENTS(ends); i++)
        if (event->reason == ends[i].cause)
            own->end = ends[i].end;
    if (own->held) {
        g_autoptr(GError) error =
            g_error_new_literal(MF_ERROR, MF_ERROR_LOST, "The guest's machine is switched off.");

        mf_machine_report_end(self, error);
    }
}

static void
on_event(MfMachine *self, const char *name, json_object *data)
{
    MfQmpEvent event = mf_qmp_event_from_string(name);

    g_debug("QMP event %s", name);
    if (event == MF_QMP_EVENT_SHUTDOWN)
        note_shutdown(self, data);
    if (event == MF_QMP_EVENT_GUEST_PANICKED && !get(self)->panicked) {
        get(self)->panicked = TRUE;
        g_signal_emit(self, signals[SIGNAL_PANICKED], 0);
    }
}

void
mf_machine_take_channel(MfMachine *self, MfChannel channel, MfTransport *transport)
{
    get(self)->channels[channel] = transport;
}

void
mf_machine_start_talking(MfMachine *self, gboolean held)
{
    MfMachinePrivate *own = get(self);

    own->held = held;
    own->qmp = mf_qmp_new(own->channels[MF_CHANNEL_QMP]);
    g_signal_connect_object(own->qmp, "event", G_CALLBACK(on_event), self, G_CONNECT_SWAPPED);
    own->qga = mf_qga_new(own->channels[MF_CHANNEL_AGENT]);
    own->console = mf_console_new(own->channels[MF_CHANNEL_CONSOLE]);
}

static gboolean
check_version(MfMachine *self, GError **error)
{
    guint major, minor, micro;

    mf_qmp_get_version(get(self)->qmp, &major, &minor, &micro);
    if (major > MF_QEMU_MIN_MAJOR || (major == MF_QEMU_MIN_MAJOR && minor >= MF_QEMU_MIN_MINOR))
        return TRUE;
    g_set_error(error, MF_ERROR, MF_ERROR_LAUNCH,
                "QEMU is version %u.%u.%u, and mayfly needs %d.%d or newer.", major, minor, micro,
                MF_QEMU_MIN_MAJOR, MF_QEMU_MIN_MINOR);
    return FALSE;
}

static void
on_qmp_open(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(MfMachine) self = data;
    MfMachinePrivate *own = get(self);
    g_autoptr(GError) error = NULL;
    gboolean good = mf_qmp_open_finish(MF_QMP(source), result, &error);

    if (MF_MACHINE_GET_CLASS(self)->greeted)
        MF_MACHINE_GET_CLASS(self)->greeted(self);

    /* A hang-up means that QEMU is ending: its exit, which follows, tells why. */
    if (!own->open_task || g_error_matches(error, MF_ERROR, MF_ERROR_LOST))
        return;

    g_autoptr(GTask) task = g_steal_pointer(&own->open_task);
    if (good && check_version(self, &error)) {
        own->opened = TRUE;
        g_task_return_boolean(task, TRUE);
    } else {
        g_task_return_error(task, g_steal_pointer(&error));
    }
}

void
mf_machine_open_async(MfMachine *self, guint timeout_ms, GCancellable *cancellable,
                      GAsyncReadyCallback callback, gpointer user_data)
{
    MfMachinePrivate *own = get(self);

    own->open_task = g_task_new(self, cancellable, callback, user_data);
    mf_qmp_open_async(own->qmp, timeout_ms, cancellable, on_qmp_open, g_object_ref(self));
}

gboolean
mf_machine_open_finish(MfMachine *self, GAsyncResult *result, GError **error)
{
    return g_task_propagate_boolean(G_TASK(result), error);
}

MfQmp *
mf_machine_get_qmp(MfMachine *self)
{
    return get(self)->qmp;
}

MfQga *
mf_machine_get_qga(MfMachine *self)
{
    return get(self)->qga;
}

MfConsole *
mf_machine_get_console(MfMachine *self)
{
    return get(self)->console;
}

MfTransport *
mf_machine_get_channel(MfMachine *self, MfChannel channel)
{
    return get(self)->channels[channel];
}

gboolean
mf_machine_has_panicked(MfMachine *self)
{
    return get(self)->panicked;
}

MfMachineEnd
mf_machine_get_end(MfMachine *self)
{
    return get(self)->end;
}

gboolean
mf_machine_get_exit(MfMachine *self, int *ret_wait_status, gboolean *ret_complained)
{
    return MF_MACHINE_GET_CLASS(self)->get_exit(self, ret_wait_status, ret_complained);
}

void
mf_machine_stop_async(MfMachine *self, GAsyncReadyCallback callback, gpointer user_data)
{
    g_autoptr(GTask) task = g_task_new(self, NULL, callback, user_data);
    gboolean first = !get(self)->stopping;

    get(self)->stopping = TRUE;
    MF_MACHINE_GET_CLASS(self)->stop(self, first, task);
}

gboolean
mf_machine_stop_finish(MfMachine *self, GAsyncResult *result, GError **error)
{
    return g_task_propagate_boolean(G_TASK(result), error);
}
