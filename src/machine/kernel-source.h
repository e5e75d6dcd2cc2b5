/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "machine/tree-copy.h"

/*
 * A kernel as it lies on this host: which file is the image, and where its configuration and its
 * modules are. 'path' is an image, or a directory that is one of these:
 *
 *   an unpacked package      boot/vmlinuz-RELEASE and lib/modules/RELEASE (or usr/lib/modules)
 *   a module directory       vmlinuz or vmlinux, perhaps beside modules.dep
 *   a kernel build tree      include/config/kernel.release; the modules of modules.order
 */
typedef struct {
    char *image;
    gboolean is_elf; /* a vmlinux */
    char *release;   /* NULL when the image does not say */
    char *config;    /* NULL when there is none */
    char *modules;   /* a module directory; NULL when there is none */
    char *tree;      /* the build tree; NULL outside of one */
} MfKernelSource;

/* MF_ERROR_CONFIG with what was expected. Owned by the caller. */
MfKernelSource *mf_kernel_source_find(const char *path, GError **error);
void mf_kernel_source_free(MfKernelSource *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfKernelSource, mf_kernel_source_free)

/* Plans the copy of everything to the layout of a catalog entry. MF_ERROR_CONFIG. */
gboolean mf_kernel_source_plan(const MfKernelSource *self, MfTreeCopy *copy, GError **error);
