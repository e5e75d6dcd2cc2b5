/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "machine/kernel.h"

/*
 * The initramfs of a kernel: mayfly-guest as /init (from the program's own resources), /dev, /proc,
 * /sys and the modules this kernel needs to reach its shares (virtio PCI, virtio console, 9p or
 * virtiofs, overlay; in load order, listed in MF_INITRAMFS_MODULES, decompressed), newc,
 * uncompressed. Built once and cached under the kernel's file id, its module directory's
 * modules.dep id, 'needs' and the guest's build.
 */

/* Returns the path in the cache, owned by the caller. MF_ERROR_HOST, MF_ERROR_CONFIG. */
char *mf_initramfs_prepare(MfKernel *kernel, MfKernelNeeds needs, GError **error);
