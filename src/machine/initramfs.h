/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "machine/kernel.h"

/*
 * The initramfs of a kernel: mayfly-guest as /init (from the program's own resources), /dev, /proc,
 * /sys and the modules this kernel needs to reach its shares (virtio PCI, virtio console, 9p or
 * virtiofs, overlay; in load order, listed in MF_INITRAMFS_MODULES, decompressed), newc,
 * uncompressed. Built once and cached under the kernel's file id, its list of modules, the files of
 * those that are in it, 'needs' and the guest's build.
 */

/* The guest program is this and the architecture's name; with ".sha256" behind, a text that changes
 * when it does. */
#define MF_INITRAMFS_GUEST_RESOURCE "/mayfly/mayfly-guest-"

/* The guest program, and that text. MF_ERROR_HOST when this program was built without a guest of
 * that architecture. */
GBytes *mf_initramfs_guest(MfArch arch, GError **error);
GBytes *mf_initramfs_guest_hash(MfArch arch, GError **error);

/* Returns the path in the cache, owned by the caller. MF_ERROR_CONFIG when the kernel lacks what
 * 'needs' asks for (mf_kernel_check() is part of building one, so callers need not call it) or a
 * module is damaged; MF_ERROR_HOST when the cache cannot hold it, or this program was built without
 * a guest of that architecture. */
char *mf_initramfs_prepare(MfKernel *kernel, MfKernelNeeds needs, GError **error);
