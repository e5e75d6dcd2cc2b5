/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

#include "base/argv.h"
#include "machine/arch.h"
#include "machine/disk.h"
#include "machine/firmware.h"
#include "machine/host.h"
#include "machine/net.h"
#include "machine/numa.h"
#include "machine/serial-port.h"
#include "machine/share.h"
#include "machine/smbios.h"
#include "machine/tpm.h"

/* The channels between mayfly and QEMU: socketpairs, and pipes for the console (serial-port.h),
 * inherited under fixed numbers so that the command line does not depend on the moment. The script
 * ones exist only with script_ports. */
typedef enum {
    MF_CHANNEL_QMP,
    MF_CHANNEL_CONSOLE,
    MF_CHANNEL_AGENT,
    MF_CHANNEL_STREAM,
    MF_CHANNEL_STDIN,
    MF_CHANNEL_STDOUT,
    MF_CHANNEL_STDERR,
    MF_N_CHANNELS,
} MfChannel;

#define MF_CHANNEL_FIRST_FD 3

/* Behind the channels' numbers, those of a backing's memory and state, the connection to swtpm,
 * what else the console needs, a backing's overlay, and the connections to the virtiofs daemons, in
 * the order of the shares. */
#define MF_RAM_FD         (MF_CHANNEL_FIRST_FD + MF_N_CHANNELS)
#define MF_STATE_FD       (MF_RAM_FD + 1)
#define MF_TPM_FD         (MF_STATE_FD + 1)
#define MF_TYPED_FD       (MF_TPM_FD + 1)
#define MF_PORT_NAMES_FD  (MF_TYPED_FD + 1)
#define MF_OVERLAY_FD     (MF_PORT_NAMES_FD + 1)
#define MF_SHARE_FIRST_FD (MF_OVERLAY_FD + 1)

/* The console's numbers. */
#define MF_CONSOLE_FDS                                                                             \
    ((MfSerialPortFds){MF_TYPED_FD, MF_CHANNEL_FIRST_FD + MF_CHANNEL_CONSOLE, MF_PORT_NAMES_FD})

/*
 * Memory in a file, for a machine that is to be saved, or restored, and an overlay above its first
 * disk. What a saved machine writes goes to these files; a restored one has its own copy of each
 * page that it writes to, an overlay of its own above that of the disk, and waits for its devices'
 * state ('migrate-incoming').
 */
typedef struct {
    gboolean restored;
    int ram_fd;     /* borrowed */
    int state_fd;   /* borrowed; of the devices */
    int overlay_fd; /* borrowed; -1 for a machine without a disk that could be written to */
} MfBacking;

/*
 * What a machine is, fully decided: nothing in here is looked up or defaulted later. The QEMU
 * command line is a pure function of it.
 */
typedef struct {
    MfArch arch;
    MfAccel accel; /* never AUTO */
    char *connect; /* owned; URI of the libvirt that starts the machine; NULL: mayfly does */
    char *qemu;    /* owned; path; NULL: libvirt's choice */
    char *machine; /* owned; QEMU's machine type with its options, without accel */
    char *cpu;     /* owned; CPU model */
    guint cpus;
    guint64 memory;         /* bytes; the sum of the nodes' */
    GPtrArray *numa;        /* owned; of MfNumaNode; empty: one node */
    char *kernel;           /* owned; path of the image to boot; NULL: the first disk boots */
    char *initrd;           /* owned; path or NULL */
    char *append;           /* owned; the whole kernel command line */
    GPtrArray *shares;      /* owned; of MfShare */
    MfShareType share_type; /* of all shares; never AUTO */
    char *virtiofsd;        /* owned; path of the daemon; NULL where the shares are 9p */
    GPtrArray *disks;       /* owned; of MfDisk, resolved */
    MfFirmware *firmware;   /* owned; UEFI, with variables of this run's own; or NULL */
    char *bios;             /* owned; path of firmware in place of the machine's own, or NULL */
    MfSmbios *smbios;       /* owned; or NULL */
    MfTpm tpm;
    char *swtpm; /* owned; path of the program that is the TPM; NULL without one */
    MfNet net;
    GArray *forwards;         /* owned; of MfForward */
    gboolean paused;          /* the processors wait for QMP's cont */
    gboolean held;            /* QEMU stays when the guest has ended, for what is left to be seen */
    gboolean screen;          /* it has one */
    gboolean debug_exit;      /* the guest can end QEMU with an exit status (debug-exit.h) */
    gboolean script_ports;    /* raw ports for the command's streams: no mayfly-guest is there */
    char *qmp_socket;         /* owned; path of a further QMP server for other tools, or NULL */
    char **extra_args;        /* owned; appended verbatim, last */
    const MfBacking *backing; /* borrowed; NULL: memory of QEMU's own */
} MfSpec;

MfSpec *mf_spec_new(void);
void mf_spec_free(MfSpec *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfSpec, mf_spec_free)

/* "QEMU's monitor", "the guest's agent", ...: what is behind a channel, for messages. */
const char *mf_channel_describe(MfChannel channel);

/* The name of its virtio-serial port; NULL for one that is none. */
const char *mf_channel_get_port(MfChannel channel);

/* Whether this spec has that channel. */
gboolean mf_spec_has_channel(const MfSpec *self, MfChannel channel);

/*
 * The QEMU command line, in layers that never change places: what the machine is (type,
 * accelerator, CPU, memory), its firmware, the kernel, the channels to mayfly, its devices (those
 * of every machine, shares, disks and discs, network), and last the user's own arguments, as they
 * are. QEMU lets the last of two settings win, so these win over everything. Owned by the caller.
 */
MfArgv *mf_spec_to_argv(const MfSpec *self);

/* Of that what libvirt's domains have no words for, or other ones: firmware with variables of this
 * run's own, SMBIOS texts, disks whose writes are thrown away, ports that lead into the guest, a
 * public QMP socket, and the user's own arguments. */
void mf_spec_add_rest_to_argv(const MfSpec *self, MfArgv *argv);
