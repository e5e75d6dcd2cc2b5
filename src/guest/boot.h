/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

/*
 * The way from the kernel's first instruction in user space to the ready point. Everything here is
 * the same for every run of this kernel, so that a machine saved behind it serves all of them.
 */

/* As PID 1 in the initramfs: mounts /dev, /proc, /sys and /run with what belongs below them, opens
 * the standard streams, loads the modules that MF_INITRAMFS_MODULES lists, brings the loopback
 * interface up, puts the guest program at MF_GUEST_SELF, and prepares for a root. What cannot be
 * had is logged and left out; false only when /dev or /sys cannot be mounted, without which no port
 * can be found. */
bool mfg_boot_prepare(void);
