/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

#define MF_COMPRESSION_MAGIC_MAX 6

/* "xz", "lz4", "zstd", "gzip", "bzip2", "lzma" or "lzo" by the first bytes of a stream; NULL when
 * they are none of these. Static. */
const char *mf_compression_detect(const guint8 *magic, gsize size);
