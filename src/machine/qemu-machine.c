/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/qemu-machine.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>

#include "base/child.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/tempdir.h"
#include "machine/daemon.h"
#include "machine/machine-kind.h"
#include "machine/serial-port.h"
#include "machine/tpm.h"
#include "machine/virtiofsd.h"
#include "qapi/qmp-commands.h"
#include "wire/fd-transport.h"

#define QUIT_TIMEOUT_MS 3000
#define TERM_GRACE_MS   1000

/* How long a daemon and QEMU have for their end after the other's: the second one as a rule ends
 * for want of the connection, and either may be why the first one went. The process that a signal
 * would end is with virtiofsd only the parent of the one that serves, left behind for a moment. */
#define DAEMON_GRACE_MS 1000

struct _MfQemuMachine {
    MfMachine parent;
    MfChild *child;     /* owned */
    GPtrArray *daemons; /* owned; of MfDaemon: of each virtiofs share, of the TPM */
    char *port_names;   /* owned; where QEMU finds the console; NULL: it has */
    guint quit_source, daemon_source;
};

G_DEFINE_FINAL_TYPE(MfQemuMachine, mf_qemu_machine, MF_TYPE_MACHINE)

static void
remove_port_names(MfQemuMachine *self)
{
    mf_tempdir_remove(self->port_names);
    g_clear_pointer(&self->port_names, g_free);
}

static void
mf_qemu_machine_dispose(GObject *object)
{
    MfQemuMachine *self = MF_QEMU_MACHINE(object);

    remove_port_names(self);
    g_clear_handle_id(&self->quit_source, g_source_remove);
    g_clear_handle_id(&self->daemon_source, g_source_remove);
    G_OBJECT_CLASS(mf_qemu_machine_parent_class)->dispose(object);
    g_clear_object(&self->child);
    g_clear_pointer(&self->daemons, g_ptr_array_unref);
}

static void
mf_qemu_machine_init(MfQemuMachine *self)
{
    self->daemons = g_ptr_array_new_with_free_func((GDestroyNotify)mf_daemon_free);
}

/* "QEMU exited with status 1: <its last words>" */
static GError *
describe_qemu_end(MfQemuMachine *self)
{
    g_autofree char *how = mf_child_describe(self->child);
    g_autofree char *words = mf_child_get_stderr_tail(self->child);
    const char *colon = *words ? ": " : ".";

    if (!mf_machine_is_opened(MF_MACHINE(self)))
        return g_error_new(MF_ERROR, MF_ERROR_LAUNCH, "QEMU did not start: it %s%s%s", how, colon,
                           words);
    return g_error_new(MF_ERROR, MF_ERROR_LOST, "QEMU %s%s%s", how, colon, words);
}

/* QEMU gives up when it loses a daemon before the guest runs; the daemon then says why. */
static GError *
describe_end(MfQemuMachine *self)
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

static gboolean
is_of_use(MfQemuMachine *self)
{
    return !mf_machine_is_stopping(MF_MACHINE(self)) && !mf_machine_has_ended(MF_MACHINE(self));
}

static void
report_end(MfQemuMachine *self, const GError *error)
{
    g_clear_handle_id(&self->daemon_source, g_source_remove);
    mf_machine_report_end(MF_MACHINE(self), error);
}

/* Without the daemon, the guest would hang as soon as it needs what that serves. */
static void
report_daemon_end(MfQemuMachine *self, MfDaemon *daemon)
{
    gboolean opened = mf_machine_is_opened(MF_MACHINE(self));
    g_autofree char *text = mf_daemon_describe_end(daemon);
    g_autoptr(GError) error =
        g_error_new_literal(MF_ERROR, opened ? MF_ERROR_LOST : MF_ERROR_LAUNCH, text);

    report_end(self, error);
}

/* Either QEMU is gone and a daemon of it is not, or the other way round. */
static gboolean
on_daemon_grace_over(gpointer data)
{
    MfQemuMachine *self = data;
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
have_daemons_exited(MfQemuMachine *self)
{
    for (guint i = 0; i < self->daemons->len; i++)
        if (!mf_child_has_exited(mf_daemon_get_child(g_ptr_array_index(self->daemons, i))))
            return FALSE;
    return TRUE;
}

static void
on_child_exited(MfQemuMachine *self)
{
    if (!is_of_use(self))
        return;
    if (have_daemons_exited(self)) {
        g_autoptr(GError) error = describe_end(self);

        report_end(self, error);
    } else if (!self->daemon_source) {
        self->daemon_source = g_timeout_add(DAEMON_GRACE_MS, on_daemon_grace_over, self);
    }
}

static void
on_daemon_exited(MfQemuMachine *self, MfChild *child)
{
    if (!is_of_use(self))
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

/* Our ends of the channels become transports, the others' are handed to QEMU. */
static gboolean
make_channels(MfQemuMachine *self, const MfSpec *spec, GArray *theirs, GError **error)
{
    MfTransport *console;

    for (MfChannel channel = 0; channel < MF_N_CHANNELS; channel++) {
        MfChildFd handed = {.target = MF_CHANNEL_FIRST_FD + (int)channel};
        int ours;

        if (channel == MF_CHANNEL_CONSOLE || !mf_spec_has_channel(spec, channel))
            continue;
        if (!mf_fd_socketpair(&ours, &handed.fd, error))
            return FALSE;
        g_array_append_val(theirs, handed);
        mf_machine_take_channel(MF_MACHINE(self), channel,
                                mf_fd_transport_new(ours, mf_channel_describe(channel)));
    }
    console = mf_serial_port_open(&MF_CONSOLE_FDS, mf_channel_describe(MF_CHANNEL_CONSOLE), theirs,
                                  &self->port_names, error);
    mf_machine_take_channel(MF_MACHINE(self), MF_CHANNEL_CONSOLE, console);
    return console != NULL;
}

/* Takes a daemon (which may be NULL) whose connection is handed over. */
static gboolean
add_daemon(MfQemuMachine *self, MfDaemon *daemon, const MfChildFd *handed, GArray *theirs)
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
start_tpm(MfQemuMachine *self, const MfSpec *spec, GArray *theirs, GError **error)
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
start_daemons(MfQemuMachine *self, const MfSpec *spec, GArray *theirs, GError **error)
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
    const MfChildFd files[] = {{backing->ram_fd, MF_RAM_FD},
                               {backing->state_fd, MF_STATE_FD},
                               {backing->overlay_fd, MF_OVERLAY_FD}};

    for (gsize i = 0; i < G_N_ELEMENTS(files) && files[i].fd >= 0; i++) {
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
mf_qemu_machine_launch(const MfSpec *spec, GError **error)
{
    g_autoptr(MfQemuMachine) self = g_object_new(MF_TYPE_QEMU_MACHINE, NULL);
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
    mf_machine_start_talking(MF_MACHINE(self), spec->held);
    return MF_MACHINE(g_steal_pointer(&self));
}

static gboolean
get_exit(MfMachine *machine, int *ret_wait_status, gboolean *ret_complained)
{
    MfQemuMachine *self = MF_QEMU_MACHINE(machine);
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
    MfQemuMachine *self = data;

    self->quit_source = 0;
    mf_child_terminate(self->child, TERM_GRACE_MS);
    return G_SOURCE_REMOVE;
}

static gboolean
on_daemons_overdue(gpointer data)
{
    MfQemuMachine *self = data;

    self->quit_source = 0;
    for (guint i = 0; i < self->daemons->len; i++)
        mf_child_terminate(mf_daemon_get_child(g_ptr_array_index(self->daemons, i)), TERM_GRACE_MS);
    return G_SOURCE_REMOVE;
}

static void
on_stopped(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GTask) task = data;
    MfQemuMachine *self = g_task_get_source_object(task);
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

static void
stop(MfMachine *machine, gboolean first, GTask *task)
{
    MfQemuMachine *self = MF_QEMU_MACHINE(machine);

    g_task_set_task_data(task, g_new0(guint, 1), g_free);
    if (first && mf_machine_is_opened(machine) && !mf_child_has_exited(self->child)) {
        mf_qmp_quit_async(mf_machine_get_qmp(machine), QUIT_TIMEOUT_MS, NULL, NULL, NULL);
        self->quit_source = g_timeout_add(QUIT_TIMEOUT_MS, on_quit_overdue, self);
    } else if (first) {
        mf_child_terminate(self->child, TERM_GRACE_MS);
    }
    await_end(task, self->child);
    for (guint i = 0; i < self->daemons->len; i++)
        await_end(task, mf_daemon_get_child(g_ptr_array_index(self->daemons, i)));
}

/* QEMU makes all that the command line says before it greets. */
static void
greeted(MfMachine *machine)
{
    remove_port_names(MF_QEMU_MACHINE(machine));
}

static void
mf_qemu_machine_class_init(MfQemuMachineClass *class)
{
    G_OBJECT_CLASS(class)->dispose = mf_qemu_machine_dispose;
    MF_MACHINE_CLASS(class)->stop = stop;
    MF_MACHINE_CLASS(class)->get_exit = get_exit;
    MF_MACHINE_CLASS(class)->greeted = greeted;
}
