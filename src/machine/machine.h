/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

#include "machine/console.h"
#include "machine/spec.h"
#include "wire/qga.h"
#include "wire/qmp.h"
#include "wire/transport.h"

/*
 * A running virtual machine: QEMU, the channels to it, and whatever serves its shares. QEMU is a
 * child of mayfly's (qemu-machine.h) or a domain of libvirt's (libvirt.h). It never outlives this
 * object, nor this program.
 */
#define MF_TYPE_MACHINE (mf_machine_get_type())
G_DECLARE_DERIVABLE_TYPE(MfMachine, mf_machine, MF, MACHINE, GObject)

/* What a kind of machine does in its own way: see machine-kind.h. */
struct _MfMachineClass {
    GObjectClass parent;
    /* Sees to the machine's end, if this is the 'first' call, and completes 'task' (to be
     * referenced) when that has come. */
    void (*stop)(MfMachine *self, gboolean first, GTask *task);
    gboolean (*get_exit)(MfMachine *self, int *ret_wait_status, gboolean *ret_complained);
    void (*greeted)(MfMachine *self); /* or will not be; NULL: nothing to do */
};

/* Why a machine ended by itself, from QEMU's SHUTDOWN event. */
typedef enum {
    MF_MACHINE_END_NONE,     /* it has not, or nothing was said */
    MF_MACHINE_END_POWEROFF, /* guest-shutdown */
    MF_MACHINE_END_RESET,    /* guest-reset: a reboot, or the end of a panic */
    MF_MACHINE_END_PANIC,    /* guest-panic */
    MF_MACHINE_END_HOST,     /* a signal or a command of the host */
} MfMachineEnd;

/* Starts QEMU for 'spec', or has libvirt start it where the spec names a connection. MF_ERROR_HOST
 * when something that this needs is not there. */
MfMachine *mf_machine_launch(const MfSpec *spec, GError **error);

/* What starts it, for people: QEMU's command line, an option a line, or the domain's XML. Owned by
 * the caller. */
char *mf_machine_describe_start(const MfSpec *spec);

/* Awaits the QMP greeting. MF_ERROR_LAUNCH with QEMU's own words when it refuses its command line,
 * or is older than MF_QEMU_MIN_MAJOR.MF_QEMU_MIN_MINOR; with libvirt's when that refuses. */
void mf_machine_open_async(MfMachine *self, guint timeout_ms, GCancellable *cancellable,
                           GAsyncReadyCallback callback, gpointer user_data);
gboolean mf_machine_open_finish(MfMachine *self, GAsyncResult *result, GError **error);

/* All borrowed. */
MfQmp *mf_machine_get_qmp(MfMachine *self);
MfQga *mf_machine_get_qga(MfMachine *self);
MfConsole *mf_machine_get_console(MfMachine *self);
MfTransport *mf_machine_get_channel(MfMachine *self, MfChannel channel);

gboolean mf_machine_has_panicked(MfMachine *self);
MfMachineEnd mf_machine_get_end(MfMachine *self);

/* How QEMU's process ended: its wait status, and whether it said something on its standard error
 * that is no mere warning. FALSE while it lives, and where it is no child of mayfly's. */
gboolean mf_machine_get_exit(MfMachine *self, int *ret_wait_status, gboolean *ret_complained);

/* QMP quit, or libvirt's graceful destroy; TERM and then KILL if QEMU does not go. Completes when
 * it is gone, or nobody is left who could see to it (MF_ERROR_LOST: what to look for). May be
 * called again meanwhile. */
void mf_machine_stop_async(MfMachine *self, GAsyncReadyCallback callback, gpointer user_data);
gboolean mf_machine_stop_finish(MfMachine *self, GAsyncResult *result, GError **error);

/* Signals:
 *   "panicked" ()              the guest's kernel says that it panics; its last words may still
 *                              come
 *   "ended"    (GError *error) once, when QEMU or a daemon that serves a share is gone and nobody
 *                              asked it to: MF_ERROR_LOST with how it ended and its last words. Of
 *                              a machine that is held (MfSpec), when the guest has ended: QEMU is
 *                              still there for QMP */
