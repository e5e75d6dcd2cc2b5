/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>

#include "base/child.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/tempdir.h"
#include "machine/daemon.h"
#include "machine/serial-port.h"
#include "machine/tpm.h"
#include "machine/virtiofsd.h"
#include "qapi/qmp-commands.h"
#include "qapi/qmp-events.h"
#include "wire/fd-transport.h"

#define QUIT_TIMEOUT_MS 3000
#define TERM_GRACE_MS   1000

/* How long a daemon and QEMU have for their end after the other's: the second one as a rule ends
 * for want of the connection, and either may be why the first one went. The process that a signal
 * would end is with virtiofsd only the parent of the one that serves, left behind for a moment. */
#define DAEMON_GRACE_MS 1000

struct _MfMachine {
    GObject parent;
    MfChild *child;     /* owned */
    GPtrArray *daemons; /* owned; of MfDaemon: of each virtiofs share, of the TPM */
    MfTransport *channels[MF_N_CHANNELS]; /* owned; NULL where the spec has none */
    MfQmp *qmp;                           /* owned */
    MfQga *qga;                           /* owned */
    MfConsole *console;                   /* owned */
    char *port_names;                     /* owned; where QEMU finds the console; NULL: it has */
    GTask *open_task;                     /* owned; while opening */
    gboolean held;                        /* QEMU stays when the guest has ended */
    gboolean opened, panicked, stopping, ended;
    MfMachineEnd end;
    guint quit_source, daemon_source;
};

G_DEFINE_FINAL_TYPE(MfMachine, mf_machine, G_TYPE_OBJECT)

enum { SIGNAL_PANICKED, SIGNAL_ENDED, N_SIGNALS };
static guint signals[N_SIGNALS];

static void
remove_port_names(MfMachine *self)
{
    mf_tempdir_remove(self->port_names);
    g_clear_pointer(&self->port_names, g_free);
}

static void
mf_machine_dispose(GObject *object)
{
    MfMachine *self = MF_MACHINE(object);

    remove_port_names(self);
    g_clear_handle_id(&self->quit_source, g_source_remove);
    g_clear_handle_id(&self->daemon_source, g_source_remove);
    for (MfChannel channel = 0; channel < MF_N_CHANNELS; channel++) {
        if (self->channels[channel])
            mf_transport_close(self->channels[channel]);
        g_clear_object(&self->channels[channel]);
    }
    g_clear_object(&self->qmp);
    g_clear_object(&self->qga);
    g_clear_object(&self->console);
    g_clear_object(&self->child);
    g_clear_pointer(&self->daemons, g_ptr_array_unref);
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
    self->daemons = g_ptr_array_new_with_free_func((GDestroyNotify)mf_daemon_free);
}

/* "QEMU exited with status 1: <its last words>" */
static GError *
describe_qemu_end(MfMachine *self)
{
    g_autofree char *how = mf_child_describe(self->child);
    g_autofree char *words = mf_child_get_stderr_tail(self->child);
    const char *colon = *words ? ": " : ".";

    if (!self->opened)
        return g_error_new(MF_ERROR, MF_ERROR_LAUNCH, "QEMU did not start: it %s%s%s", how, colon,
                           words);
    return g_error_new(MF_ERROR, MF_ERROR_LOST, "QEMU %s%s%s", how, colon, words);
}

/* QEMU gives up when it loses a daemon before the guest runs; the daemon then says why. */
static GError *
describe_end(MfMachine *self)
{
    int status = mf_child_get_wait_status(self->child);

    for (guint i = 0; WIFEXITED(status) && WEXITSTATUS(status) != 0 && i < self->daemons->len;
         i++) {
        MfDaemon *daemon = g_ptr_array_index(self->daemons, i);

        if (mf_daemon_has_failed(daemon)) {
            g_autofree char *text = mf_daemon_describe_end(daemon);

            return g_error_new_literal(MF_ERROR, MF_ERROR_LAUNCH, text);
        }
    }
    return describe_qemu_end(self);
}

/* Tells everybody, once, that the machine is of no more use. */
static void
report_end(MfMachine *self, const GError *error)
{
    g_autoptr(MfMachine) keep = g_object_ref(self);

    if (self->stopping || self->ended)
        return;
    self->ended = TRUE;
    g_clear_handle_id(&self->daemon_source, g_source_remove);
    if (!self->held || mf_child_has_exited(self->child))
        mf_qmp_close(self->qmp, error);
    mf_qga_close(self->qga, error);
    if (self->open_task) {
        g_autoptr(GTask) task = g_steal_pointer(&self->open_task);

        g_task_return_error(task, g_error_copy(error));
        return;
    }
    g_signal_emit(self, signals[SIGNAL_ENDED], 0, error);
}

/* Without the daemon, the guest would hang as soon as it needs what that serves. */
static void
report_daemon_end(MfMachine *self, MfDaemon *daemon)
{
    g_autofree char *text = mf_daemon_describe_end(daemon);
    g_autoptr(GError) error =
        g_error_new_literal(MF_ERROR, self->opened ? MF_ERROR_LOST : MF_ERROR_LAUNCH, text);

    report_end(self, error);
}

/* Either QEMU is gone and a daemon of it is not, or the other way round. */
static gboolean
on_daemon_grace_over(gpointer data)
{
    MfMachine *self = data;
    guint i = 0;

    self->daemon_source = 0;
    if (mf_child_has_exited(self->child)) {
        g_autoptr(GError) error = describe_end(self);

        report_end(self, error);
        return G_SOURCE_REMOVE;
    }
    while (!mf_child_has_exited(mf_daemon_get_child(g_ptr_array_index(self->daemons, i))))
        i++;
    report_daemon_end(self, g_ptr_array_index(self->daemons, i));
    return G_SOURCE_REMOVE;
}

static gboolean
have_daemons_exited(MfMachine *self)
{
    for (guint i = 0; i < self->daemons->len; i++)
        if (!mf_child_has_exited(mf_daemon_get_child(g_ptr_array_index(self->daemons, i))))
            return FALSE;
    return TRUE;
}

static void
on_child_exited(MfMachine *self)
{
    if (self->stopping || self->ended)
        return;
    if (have_daemons_exited(self)) {
        g_autoptr(GError) error = describe_end(self);

        report_end(self, error);
    } else if (!self->daemon_source) {
        self->daemon_source = g_timeout_add(DAEMON_GRACE_MS, on_daemon_grace_over, self);
    }
}

static void
on_daemon_exited(MfMachine *self, MfChild *child)
{
    if (self->stopping || self->ended)
        return;
    if (mf_child_has_exited(self->child)) {
        on_child_exited(self);
        return;
    }
    for (guint i = 0; i < self->daemons->len; i++) {
        MfDaemon *daemon = g_ptr_array_index(self->daemons, i);

        if (mf_daemon_get_child(daemon) != child)
            continue;
        /* One that was told to go is as a rule followed by QEMU, which knows why. */
        if (mf_daemon_has_failed(daemon))
            report_daemon_end(self, daemon);
        else if (!self->daemon_source)
            self->daemon_source = g_timeout_add(DAEMON_GRACE_MS, on_daemon_grace_over, self);
        return;
    }
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
    g_autoptr(MfQmpShutdownEvent) event = mf_qmp_shutdown_event_from_json(data, NULL);

    self->end = MF_MACHINE_END_HOST;
    for (gsize i = 0; event && i < G_N_ELEMENTS(ends); i++)
        if (event->reason == ends[i].cause)
            self->end = ends[i].end;
    if (self->held) {
        g_autoptr(GError) error =
            g_error_new_literal(MF_ERROR, MF_ERROR_LOST, "The guest's machine is switched off.");

        report_end(self, error);
    }
}

static void
on_event(MfMachine *self, const char *name, json_object *data)
{
    MfQmpEvent event = mf_qmp_event_from_string(name);

    g_debug("QMP event %s", name);
    if (event == MF_QMP_EVENT_SHUTDOWN)
        note_shutdown(self, data);
    if (event == MF_QMP_EVENT_GUEST_PANICKED && !self->panicked) {
        self->panicked = TRUE;
        g_signal_emit(self, signals[SIGNAL_PANICKED], 0);
    }
}

/* Our ends of the channels become transports, the others' are handed to QEMU. */
static gboolean
make_channels(MfMachine *self, const MfSpec *spec, GArray *theirs, GError **error)
{
    for (MfChannel channel = 0; channel < MF_N_CHANNELS; channel++) {
        MfChildFd handed = {.target = MF_CHANNEL_FIRST_FD + (int)channel};
        int ours;

        if (channel == MF_CHANNEL_CONSOLE || !mf_spec_has_channel(spec, channel))
            continue;
        if (!mf_fd_socketpair(&ours, &handed.fd, error))
            return FALSE;
        g_array_append_val(theirs, handed);
        self->channels[channel] = mf_fd_transport_new(ours, mf_channel_describe(channel));
    }
    self->channels[MF_CHANNEL_CONSOLE] = mf_serial_port_open(
        &MF_CONSOLE_FDS, mf_channel_describe(MF_CHANNEL_CONSOLE), theirs, &self->port_names, error);
    return self->channels[MF_CHANNEL_CONSOLE] != NULL;
}

/* Takes a daemon (which may be NULL) whose connection is handed over. */
static gboolean
add_daemon(MfMachine *self, MfDaemon *daemon, const MfChildFd *handed, GArray *theirs)
{
    if (!daemon)
        return FALSE;
    g_array_append_val(theirs, *handed);
    g_ptr_array_add(self->daemons, daemon);
    g_signal_connect_object(mf_daemon_get_child(daemon), "exited", G_CALLBACK(on_daemon_exited),
                            self, G_CONNECT_SWAPPED);
    return TRUE;
}

static gboolean
start_tpm(MfMachine *self, const MfSpec *spec, GArray *theirs, GError **error)
{
    MfChildFd handed = {.target = MF_TPM_FD};
    MfDaemon *daemon;

    if (spec->tpm == MF_TPM_NONE)
        return TRUE;
    daemon = mf_tpm_start(spec->tpm, spec->swtpm, &handed.fd, error);
    return add_daemon(self, daemon, &handed, theirs);
}

/* Starts what serves the shares; QEMU inherits the connections. */
static gboolean
start_daemons(MfMachine *self, const MfSpec *spec, GArray *theirs, GError **error)
{
    for (guint i = 0; spec->share_type == MF_SHARE_VIRTIOFS && i < spec->shares->len; i++) {
        MfChildFd handed = {.target = MF_SHARE_FIRST_FD + (int)i};
        MfDaemon *daemon = mf_virtiofsd_start(spec->virtiofsd, g_ptr_array_index(spec->shares, i),
                                              &handed.fd, error);

        if (!add_daemon(self, daemon, &handed, theirs))
            return FALSE;
    }
    return TRUE;
}

/* The files of a machine's backing, which stay the caller's; QEMU gets duplicates. */
static gboolean
hand_backing(const MfBacking *backing, GArray *theirs, GError **error)
{
    const MfChildFd files[] = {{backing->ram_fd, MF_RAM_FD}, {backing->state_fd, MF_STATE_FD}};

    for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
        MfChildFd handed = {fcntl(files[i].fd, F_DUPFD_CLOEXEC, 0), files[i].target};

        if (handed.fd < 0) {
            mf_error_set_errno(error, MF_ERROR_HOST, errno,
                               "The file of a saved machine cannot be handed to QEMU");
            return FALSE;
        }
        g_array_append_val(theirs, handed);
    }
    return TRUE;
}

static void
close_handed(GArray *theirs)
{
    for (guint i = 0; i < theirs->len; i++)
        mf_fd_clear(&g_array_index(theirs, MfChildFd, i).fd);
    g_array_unref(theirs);
}

MfMachine *
mf_machine_launch(const MfSpec *spec, GError **error)
{
    g_autoptr(MfMachine) self = g_object_new(MF_TYPE_MACHINE, NULL);
    g_autoptr(MfArgv) argv = mf_spec_to_argv(spec);
    GArray *theirs = g_array_new(FALSE, FALSE, sizeof(MfChildFd));

    if (make_channels(self, spec, theirs, error) && start_tpm(self, spec, theirs, error) &&
        start_daemons(self, spec, theirs, error) &&
        (!spec->backing || hand_backing(spec->backing, theirs, error)))
        self->child =
            mf_child_spawn(argv, (const MfChildFd *)(void *)theirs->data, theirs->len, error);
    close_handed(theirs);
    if (!self->child)
        return NULL;

    g_signal_connect_object(self->child, "exited", G_CALLBACK(on_child_exited), self,
                            G_CONNECT_SWAPPED);
    self->held = spec->held;
    self->qmp = mf_qmp_new(self->channels[MF_CHANNEL_QMP]);
    g_signal_connect_object(self->qmp, "event", G_CALLBACK(on_event), self, G_CONNECT_SWAPPED);
    self->qga = mf_qga_new(self->channels[MF_CHANNEL_AGENT]);
    self->console = mf_console_new(self->channels[MF_CHANNEL_CONSOLE]);
    return g_steal_pointer(&self);
}

static gboolean
check_version(MfMachine *self, GError **error)
{
    guint major, minor, micro;

    mf_qmp_get_version(self->qmp, &major, &minor, &micro);
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
    g_autoptr(GError) error = NULL;
    gboolean good = mf_qmp_open_finish(MF_QMP(source), result, &error);

    /* QEMU makes all that the command line says before it greets. */
    remove_port_names(self);
    /* A hang-up means that QEMU is ending: its exit, which follows, tells why. */
    if (!self->open_task || g_error_matches(error, MF_ERROR, MF_ERROR_LOST))
        return;

    g_autoptr(GTask) task = g_steal_pointer(&self->open_task);
    if (good && check_version(self, &error)) {
        self->opened = TRUE;
        g_task_return_boolean(task, TRUE);
    } else {
        g_task_return_error(task, g_steal_pointer(&error));
    }
}

void
mf_machine_open_async(MfMachine *self, guint timeout_ms, GCancellable *cancellable,
                      GAsyncReadyCallback callback, gpointer user_data)
{
    self->open_task = g_task_new(self, cancellable, callback, user_data);
    mf_qmp_open_async(self->qmp, timeout_ms, cancellable, on_qmp_open, g_object_ref(self));
}

gboolean
mf_machine_open_finish(MfMachine *self, GAsyncResult *result, GError **error)
{
    return g_task_propagate_boolean(G_TASK(result), error);
}

MfQmp *
mf_machine_get_qmp(MfMachine *self)
{
    return self->qmp;
}

MfQga *
mf_machine_get_qga(MfMachine *self)
{
    return self->qga;
}

MfConsole *
mf_machine_get_console(MfMachine *self)
{
    return self->console;
}

MfTransport *
mf_machine_get_channel(MfMachine *self, MfChannel channel)
{
    return self->channels[channel];
}

gboolean
mf_machine_has_panicked(MfMachine *self)
{
    return self->panicked;
}

MfMachineEnd
mf_machine_get_end(MfMachine *self)
{
    return self->end;
}

gboolean
mf_machine_get_exit(MfMachine *self, int *ret_wait_status, gboolean *ret_complained)
{
    g_autofree char *words = mf_child_get_stderr_tail(self->child);
    g_auto(GStrv) lines = g_strsplit(words, "\n", -1);

    if (!mf_child_has_exited(self->child))
        return FALSE;
    *ret_wait_status = mf_child_get_wait_status(self->child);
    *ret_complained = FALSE;
    for (char **line = lines; *line; line++)
        *ret_complained |= **line && !strstr(*line, "warning: ");
    return TRUE;
}

static gboolean
on_quit_overdue(gpointer data)
{
    MfMachine *self = data;

    self->quit_source = 0;
    mf_child_terminate(self->child, TERM_GRACE_MS);
    return G_SOURCE_REMOVE;
}

static gboolean
on_daemons_overdue(gpointer data)
{
    MfMachine *self = data;

    self->quit_source = 0;
    for (guint i = 0; i < self->daemons->len; i++)
        mf_child_terminate(mf_daemon_get_child(g_ptr_array_index(self->daemons, i)), TERM_GRACE_MS);
    return G_SOURCE_REMOVE;
}

static void
on_stopped(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GTask) task = data;
    MfMachine *self = g_task_get_source_object(task);
    guint *waits = g_task_get_task_data(task);

    if (MF_CHILD(source) == self->child) {
        g_clear_handle_id(&self->quit_source, g_source_remove);
        if (self->daemons->len > 0)
            self->quit_source = g_timeout_add(DAEMON_GRACE_MS, on_daemons_overdue, self);
    }
    if (--*waits == 0) {
        g_clear_handle_id(&self->quit_source, g_source_remove);
        g_task_return_boolean(task, TRUE);
    }
}

static void
await_end(GTask *task, MfChild *child)
{
    guint *waits = g_task_get_task_data(task);

    ++*waits;
    mf_child_wait_async(child, NULL, on_stopped, g_object_ref(task));
}

void
mf_machine_stop_async(MfMachine *self, GAsyncReadyCallback callback, gpointer user_data)
{
    g_autoptr(GTask) task = g_task_new(self, NULL, callback, user_data);

    g_task_set_task_data(task, g_new0(guint, 1), g_free);
    if (!self->stopping && self->opened && !mf_child_has_exited(self->child)) {
        mf_qmp_quit_async(self->qmp, QUIT_TIMEOUT_MS, NULL, NULL, NULL);
        self->quit_source = g_timeout_add(QUIT_TIMEOUT_MS, on_quit_overdue, self);
    } else if (!self->stopping) {
        mf_child_terminate(self->child, TERM_GRACE_MS);
    }
    self->stopping = TRUE;
    await_end(task, self->child);
    for (guint i = 0; i < self->daemons->len; i++)
        await_end(task, mf_daemon_get_child(g_ptr_array_index(self->daemons, i)));
}

void
mf_machine_stop_finish(MfMachine *self, GAsyncResult *result)
{
    g_task_propagate_boolean(G_TASK(result), NULL);
}
