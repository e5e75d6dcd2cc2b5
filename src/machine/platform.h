/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

#include "machine/arch.h"
#include "machine/host.h"

/* What QEMU and the kernel call the same thing on each architecture. All text is static. */
typedef struct {
    const char *console;      /* the kernel's name of the serial port: "ttyS0" */
    const char *kernel_args;  /* that only this architecture's kernels need, with a space before
                               * each; "" for none */
    const char *counter_args; /* likewise, for a clock made of the processor's cycle counter: its
                               * rate in kHz belongs behind; "" where none is */
    const char *virtio;       /* how virtio devices are attached: "pci" as in virtio-serial-pci */
    const char *panic_device; /* tells QEMU of a panic; NULL where the CPU does */
    const char *identity_device; /* tells the guest that it was restored; NULL for none */
    gboolean has_ide;          /* the machine has a controller that optical drives are at home on */
    const char *screen_device; /* a screen for the guest */
    /* With these of the kernel's arguments an NMI is a panic that tells where all processors are:
     * 0x40 of panic_print. A space before each; "" where QEMU can send none. */
    const char *hang_args;
    gsize command_line_max; /* Linux's COMMAND_LINE_SIZE, with the final NUL */
} MfPlatform;

/* Borrowed. */
const MfPlatform *mf_platform_get(MfArch arch);

/* Whether Linux keeps all of that command line: what is longer it cuts, or does not boot with, and
 * says nothing of it. MF_ERROR_CONFIG that tells both lengths. */
gboolean mf_platform_check_command_line(MfArch arch, const char *line, GError **error);

/* The machine type with its options, and the CPU model, of a machine for which none were named.
 * 'accel' is never AUTO. Static. */
const char *mf_platform_machine(MfArch arch, MfAccel accel);
const char *mf_platform_cpu(MfArch arch, MfAccel accel);

/* Value of the option "ioeventfd" of a virtio device whose guest waits for each answer, or NULL for
 * QEMU's default. Static. */
const char *mf_platform_ioeventfd(MfAccel accel);
