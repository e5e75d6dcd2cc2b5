/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

/*
 * The kernel's own file systems: /dev, /proc, /sys and /run with everything mounted below them.
 * They are made once, in the initramfs, where no look-up goes to the host, and moved as whole trees
 * into the root of a run.
 */

/* The tops of those trees, NULL at the end. */
extern const char *const mfg_kernelfs_trees[];

/* Mounts /dev. Before everything else: the log and the console are there. */
bool mfg_kernelfs_mount_dev(void);

/* Mounts the others. A file system that this kernel does not have is left out silently, since a
 * kernel without it is what the user wants to test; false when /proc or /sys cannot be mounted. */
bool mfg_kernelfs_mount_all(void);
