/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "machine/kernel-facts.h"

/* An unpacked kernel larger than this is a damaged header, not a kernel. */
#define MF_KERNEL_UNPACKED_MAX (G_GUINT64_CONSTANT(1) << 30)

/*
 * Recognises the image open at 'fd' ('size' bytes; 'path' for messages) by its headers, and checks
 * that it is whole as far as they tell. Fills in the first group of the facts; 'release' only where
 * a header has it. MF_ERROR_CONFIG with a sentence when it is no kernel that mayfly can boot;
 * MF_ERROR_HOST when it cannot be read.
 */
gboolean mf_kernel_format_probe(int fd, guint64 size, const char *path, MfKernelFacts *ret_facts,
                                GError **error);
