/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

#include "machine/spec.h"

/*
 * What a saved machine can be restored for: everything that is in its memory or in its devices'
 * state. The key is a text of one part a line, which a person can read and compare, and the SHA-256
 * of it:
 *
 *     format       of the saved machine's files, and of this text
 *     guest        the build of mayfly-guest
 *     qemu         the identity of the QEMU program's file
 *     kernel       the identity of the image that QEMU boots, so a rebuilt one differs
 *     initramfs    the identity of the archive
 *     disk         the identity of the disk image that boots in place of a kernel, and of those
 *                  below it
 *     firmware     the identity of firmware that does not come with QEMU, and of the variables that
 *                  it begins with
 *     host-cpu     vendor, model, stepping, microcode and features of the host's first CPU
 *     host-kernel  under KVM, which shares in what the CPU model 'host' is
 *     machine      QEMU's command line: machine type, accelerator, CPU model and count, memory,
 *                  kernel command line, and every device with its tags, in the order of their slots
 *
 * The command line is the spec's own, with a placeholder for each path of the host. So a device or
 * an option that the spec learns of is in the key without anybody thinking of it; and with a path
 * that it learns of, and that has no placeholder, no machine is saved. The run's
 * command, environment, shared directories and root are not: nothing of them is in the machine when
 * it is saved.
 *
 * An identity is device, inode, size and times of a file (mf_cache_file_id); it is "none" where
 * there is no such file.
 */
typedef struct {
    char *text; /* owned */
    char *id;   /* owned; lower-case hexadecimal, 64 digits */
} MfWarmKey;

/* The parts that are not in the spec. All owned. */
typedef struct {
    char *guest;
    char *qemu;
    char *kernel;
    char *initramfs;
    char *disk;
    char *firmware;
    char *host_cpu;
    char *host_kernel;
} MfWarmFacts;

/* NULL when machines of this spec can be saved; else why not, as the end of a sentence. */
const char *mf_warm_why_not(const MfSpec *spec);

/* Looks at the files that 'spec' names, and at the host. MF_ERROR_HOST; also for a disk image of
 * which a change could not be seen. */
gboolean mf_warm_facts_gather(const MfSpec *spec, MfWarmFacts *ret_facts, GError **error);
void mf_warm_facts_clear(MfWarmFacts *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MfWarmFacts, mf_warm_facts_clear)

/* The features of a CPU out of the text of /proc/cpuinfo, without what changes from one moment to
 * the next. Owned by the caller. */
char *mf_warm_describe_cpu(const char *cpuinfo);

/* A pure function. */
MfWarmKey *mf_warm_key_new(const MfSpec *spec, const MfWarmFacts *facts);

/* The key by what the files and the host are now. MF_ERROR_HOST as mf_warm_facts_gather(). */
MfWarmKey *mf_warm_key_find(const MfSpec *spec, GError **error);
void mf_warm_key_free(MfWarmKey *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfWarmKey, mf_warm_key_free)
