/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

#include "machine/arch.h"
#include "machine/disk.h"
#include "machine/firmware.h"
#include "machine/host.h"
#include "machine/net.h"
#include "machine/numa.h"
#include "machine/share.h"
#include "machine/smbios.h"
#include "machine/tpm.h"
#include "run/console-rules.h"
#include "run/expect.h"
#include "run/payload.h"
#include "run/splat-policy.h"

/* What somebody wants to be run: as asked for, nothing looked up yet. */

typedef enum {
    MF_ROOT_OVERLAY, /* read-only export, the guest's writes go to a tmpfs above it */
    MF_ROOT_RO,
    MF_ROOT_RW,
} MfRootMode;

typedef enum {
    MF_INIT_AGENT,  /* mayfly-guest stays PID 1 */
    MF_INIT_SCRIPT, /* the rendered init script is PID 1, with the root's own qemu-ga */
} MfInit;

/* What the guest's 9p client keeps of the root. */
typedef enum {
    MF_9P_CACHE_DEFAULT, /* MF_9P_CACHE_CHOSEN */
    MF_9P_CACHE_NONE,
    MF_9P_CACHE_MMAP,
    MF_9P_CACHE_LOOSE,
    MF_9P_CACHE_FSCACHE,
} Mf9pCache;

/* How the machine has what it boots by itself. */
typedef enum {
    MF_MEDIUM_DISK, /* an image of a disk */
    MF_MEDIUM_DISC, /* an image of an optical disc, such as of ISO 9660 */
    MF_MEDIUM_FAT,  /* a directory, of which it gets a copy, as a disk with a FAT file system */
} MfMedium;

const char *mf_root_mode_name(MfRootMode mode);
gboolean mf_root_mode_parse(const char *text, MfRootMode *ret_mode, GError **error);
const char *mf_init_name(MfInit init);
gboolean mf_init_parse(const char *text, MfInit *ret_init, GError **error);
const char *mf_9p_cache_name(Mf9pCache cache);
gboolean mf_9p_cache_parse(const char *text, Mf9pCache *ret_cache, GError **error);

/* In every mode of the root the fastest that stays correct. loose and fscache keep sizes and pages
 * of files that the host may change, so that a file that it rewrites is read as a mixture; none
 * cannot map files shared and writable, and takes twice as long to read. */
#define MF_9P_CACHE_CHOSEN MF_9P_CACHE_MMAP

#define MF_TARGET_DEFAULT_CPUS            2
#define MF_TARGET_DEFAULT_MEMORY          (G_GUINT64_CONSTANT(1) << 30)
#define MF_TARGET_MIN_MEMORY              (G_GUINT64_CONSTANT(64) << 20)
#define MF_TARGET_DEFAULT_BOOT_TIMEOUT_MS 120000
/* Each is a device on the machine's one bus of 32 slots. */
#define MF_TARGET_MAX_MOUNTS       20
#define MF_TARGET_MAX_DEVICES      23 /* mounts and disks */
#define MF_TARGET_MAX_CPUS         255
#define MF_TARGET_MAX_SNAPSHOTS    1000
#define MF_TARGET_DEFAULT_HOSTNAME "mayfly"
#define MF_TARGET_DEFAULT_ROWS     24
#define MF_TARGET_DEFAULT_COLUMNS  80

typedef struct {
    char *kernel; /* owned; path of an image, or a catalog name; NULL: the default one */
    char *root;   /* owned; directory, "/" by default */
    MfRootMode root_mode;
    MfShareType share_type;
    Mf9pCache cache;
    MfInit init;
    char *init_template; /* owned; path of the user's init script template, or NULL */
    gboolean no_initramfs;
    gboolean cold;    /* boot, and leave saved machines alone */
    gboolean no_save; /* restore a saved machine, but save none */
    gboolean kaslr;   /* keep the bzImage: its decompressor randomises */

    MfArch arch;
    MfAccel accel;
    guint cpus;
    guint64 memory;      /* bytes */
    char *qemu;          /* owned; program, or NULL to look for it */
    char *connect;       /* owned; URI of the libvirt that starts the machine; NULL: mayfly does */
    char **shared_paths; /* owned; directories that are the same on that libvirt's host; or NULL */
    char **qemu_args;    /* owned */
    char *qmp_socket;    /* owned; or NULL */
    char *kernel_args;   /* owned; appended last, so it wins; or NULL */

    GPtrArray *mounts; /* owned; of MfShare */
    char *share;       /* owned; the caller's directory, shared at MF_GUEST_SHARE; NULL: it is
                        * gone */

    char **argv;    /* owned; at most one of argv and shell is set; none: a login shell */
    char *shell;    /* owned; text for a shell */
    char **env;     /* owned; NAME=VALUE */
    char *workdir;  /* owned; NULL: the share's, by its own path where the root is the host's */
    char *user;     /* owned; or NULL */
    char *hostname; /* owned */

    /* A target with payloads has these in place of a command. Its directory, environment and user
     * are theirs, its timeout that of all steps together. */
    GPtrArray *payloads; /* owned; of MfPayload; empty: a command */
    GPtrArray *steps;    /* owned; of MfStep; empty: the default ones */
    guint repeat;        /* how many times the steps are taken, in one guest; at least 1 */

    gboolean tty; /* the command's streams are a terminal of this size */
    guint16 rows, columns;

    /* A bare target boots with nothing of mayfly's in it, and runs no command: its console and its
     * machine's end are all that is judged. */
    gboolean bare;
    char *initramfs;         /* owned; of its kernel; or NULL */
    guint success_exit_code; /* what QEMU has to exit with, by the guest's doing; 0: no matter */

    /* An image target boots this medium by itself; it has no kernel, and no root. */
    char *image;              /* owned; or NULL */
    MfMedium medium;          /* what that is */
    gboolean image_writable;  /* a disk only; else its writes go to an overlay that is gone with the
                               * run */
    gboolean uefi;            /* UEFI firmware in place of a BIOS; it boots a kernel too */
    MfSecureBoot secure_boot; /* of the UEFI firmware */
    char *secure_boot_vars;   /* owned; the variables that CUSTOM starts from; else NULL */
    char *bios;               /* owned; this firmware file; or NULL */

    MfSmbios *smbios; /* owned; what the machine says of itself; or NULL */
    MfTpm tpm;
    char *machine;    /* owned; QEMU's machine type; NULL: the architecture's usual one */
    char *cpu;        /* owned; CPU model; NULL: the accelerator's usual one */
    GPtrArray *numa;  /* owned; of MfNumaNode, whose sum 'memory' is then; empty: one node */
    GPtrArray *disks; /* owned; of MfDisk; beside the image */
    MfNet net;
    GArray *forwards; /* owned; of MfForward */

    char *stdin_path; /* owned; what the command reads; NULL: whatever the caller gives */

    /* Shell texts that run in the guest as root, in the command's environment and directory. What
     * they write goes to the standard error: the standard output is the command's alone. After one
     * of setup fails nothing but the teardown runs; all of the teardown runs, however setup and
     * command ended, as long as the guest lives. The run fails with each. */
    char **setup;    /* owned; before the command; or NULL */
    char **teardown; /* owned; after it; or NULL */

    MfExpect *expect;         /* owned; NULL: status 0 */
    GPtrArray *checks;        /* owned; of MfCheck: of the scenario's metrics; may be empty */
    MfSubtestFormat subtests; /* that the command tells of on its standard output */
    GPtrArray *console;       /* owned; of MfConsoleRule; empty: nothing is asked of the console */
    char **artifacts; /* owned; patterns (glob(7)) of the guest's files to be copied out, relative
                       * ones to the command's directory; or NULL */
    char *artifacts_dir; /* owned; where they go on the host; NULL with no artifacts */

    MfSplatRule splat; /* what it means when the guest's kernel complains */
    char *splat_allow; /* owned; file of patterns of what is ignored; or NULL */
    char *splat_deny;  /* owned; file of patterns of what fails the run; or NULL */

    guint on_crash;  /* of MfOnCrash: what is kept of a guest that crashed or hung */
    guint snapshots; /* how many the guest may ask for: see run/snapshots.h */
    char *crash_dir; /* owned; where both go on the host; NULL with nothing to keep */

    gint64 timeout_ms;      /* of the command, and of each text of setup and teardown; 0 is none */
    gint64 boot_timeout_ms; /* until the first of them starts; 0 is none */
    gint64 watchdog_ms;     /* of a scenario, which the guest tells of; 0 is none */
    gint64 hang_timeout_ms; /* a guest of which nothing was heard for that long has hung; 0: for
                             * ever */
} MfTarget;

/* Whether 'word' is one of the words of a kernel command line (may be NULL). */
gboolean mf_kernel_args_have(const char *kernel_args, const char *word);

/* Whether 'name' can be the guest's host name: lowercase letters, digits and hyphens in labels of
 * at most 63 bytes between dots, at most 64 in all. MF_ERROR_CONFIG. */
gboolean mf_target_check_hostname(const char *name, GError **error);

/* Whether 'user' is of the form USER or USER:GROUP; the guest knows which there are.
 * MF_ERROR_CONFIG. */
gboolean mf_target_check_user(const char *user, GError **error);

/* Whether 'arguments' fit into the kernel's command line, which is one line. MF_ERROR_CONFIG. */
gboolean mf_target_check_kernel_args(const char *arguments, GError **error);

/* Makes this the target of a medium that boots by itself, whose system has other programs and users
 * than the caller's: the environment so far gives way to a plain one of root's. */
void mf_target_set_image(MfTarget *self, const char *image, MfMedium medium);

/* Settles what follows from the rest of the target, when that is complete: a machine with a TPM
 * boots a kernel with its initramfs through UEFI. A BIOS has put its ACPI tables, which a TPM makes
 * larger, where QEMU then puts the initramfs. */
void mf_target_settle(MfTarget *self);

/* A target with every default. The environment and the directory are the caller's. */
MfTarget *mf_target_new(void);
void mf_target_free(MfTarget *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfTarget, mf_target_free)
