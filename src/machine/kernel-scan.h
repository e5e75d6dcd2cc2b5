/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* What only the kernel itself tells: a vmlinux or a raw Image, not compressed. */
typedef struct {
    gboolean pvh;          /* XEN_ELFNOTE_PHYS32_ENTRY is there */
    char *release;         /* owned; NULL when there is no banner */
    guint64 config_offset; /* the gzip stream of IKCONFIG, 'config_length' bytes; 0: none */
    guint64 config_length;
} MfKernelScan;

void mf_kernel_scan_clear(MfKernelScan *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MfKernelScan, mf_kernel_scan_clear)

/* Looks through the file of 'size' bytes once; of an ELF file only through what is loaded.
 * MF_ERROR_HOST when it cannot be read. */
gboolean mf_kernel_scan(int fd, guint64 size, MfKernelScan *ret_scan, GError **error);
