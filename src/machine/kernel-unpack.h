/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "machine/kernel-facts.h"

#define MF_KERNEL_SUFFIX_IMAGE  ".vmlinux"
#define MF_KERNEL_SUFFIX_CONFIG ".config"

/*
 * Completes the facts of the image open at 'fd' (the second group): unpacks the kernel, looks
 * through it, and leaves in the cache, under 'id', the unpacked kernel if QEMU can boot it and the
 * configuration if there is one. MF_ERROR_CONFIG when the payload is damaged, MF_ERROR_HOST when
 * the cache cannot hold it; the facts are then unchanged.
 */
gboolean mf_kernel_unpack(int fd, guint64 size, const char *path, const char *id,
                          MfKernelFacts *facts, GError **error);
