/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * Compressed bytes in a file: a kernel's payload, a module, an embedded configuration. This is
 * the one place that reads through libarchive.
 */
typedef struct {
    int fd; /* borrowed; read with pread, so its position does not matter */
    guint64 offset;
    guint64 length;          /* of the compressed stream alone, without what trails it */
    const char *compression; /* as mf_compression_detect() names it */
} MfPacked;

/* Whether this build of libarchive decompresses it without running another program. */
gboolean mf_packed_is_supported(const char *compression);

/* Decompresses all of it (a gzip stream: of one member) to 'out_fd', at its position.
 * MF_ERROR_CONFIG when the stream is damaged, ends early or is larger than 'max' bytes;
 * MF_ERROR_HOST when writing or memory fails. */
gboolean
mf_packed_unpack(const MfPacked *self, int out_fd, guint64 max, guint64 *ret_size, GError **error);

/* The same into memory. Owned by the caller. */
GBytes *mf_packed_read(const MfPacked *self, gsize max, GError **error);

/* The first bytes, at most 'size', of what it decompresses to; 0 when that fails. */
gsize mf_packed_peek(const MfPacked *self, guint8 *buffer, gsize size);
