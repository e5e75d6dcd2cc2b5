/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "machine/kernel.h"

/*
 * What is known about a kernel image. The first group comes from its headers; the second needs the
 * whole kernel, decompressed, and is there once 'scanned' is set.
 */
typedef struct {
    MfKernelFormat format;
    MfArch arch;
    char *release;           /* owned; NULL when not known (yet) */
    const char *compression; /* static; NULL for none */
    guint64 payload_offset;  /* of the compressed kernel in the image, 'payload_length' bytes: */
    guint64 payload_length;  /* 0 when nothing is to be unpacked */
    guint64 announced_size;  /* of the kernel behind the payload, where the image says; else 0 */

    gboolean scanned;
    gboolean pvh;
    gboolean has_config;   /* IKCONFIG: its text is in the cache */
    guint64 unpacked_size; /* of the unpacked kernel in the cache; 0 when there is none */
} MfKernelFacts;

#define MF_KERNEL_RELEASE_MAX 64 /* as for uname(2) */

/* The release at the start of 'text': its first word, of at most MF_KERNEL_RELEASE_MAX characters,
 * which is fit to be a file name; NULL when it is not. Owned by the caller. */
char *mf_kernel_release_read(const guint8 *text, gsize size);

void mf_kernel_facts_clear(MfKernelFacts *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MfKernelFacts, mf_kernel_facts_clear)

/* Reads what mf_kernel_facts_save() wrote. FALSE when there is nothing, or nothing of use: a
 * damaged file or one of another version of this format is as good as none. */
gboolean mf_kernel_facts_load(const char *path, MfKernelFacts *ret_facts);

/* MF_ERROR_HOST. */
gboolean mf_kernel_facts_save(const MfKernelFacts *self, const char *path, GError **error);
