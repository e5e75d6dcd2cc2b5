/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/compression.h"

#include <string.h>

static const struct {
    const char *name;
    guint8 magic[MF_COMPRESSION_MAGIC_MAX];
    gsize magic_size;
} compressions[] = {
    {"xz", {0xfd, '7', 'z', 'X', 'Z', 0}, 6},
    {"lz4", {0x02, 0x21, 0x4c, 0x18}, 4}, /* the legacy frames (lz4 -l) that kernels use */
    {"zstd", {0x28, 0xb5, 0x2f, 0xfd}, 4},
    {"gzip", {0x1f, 0x8b}, 2},
    {"bzip2", {'B', 'Z', 'h'}, 3},
    {"lzma", {0x5d, 0, 0}, 3},
    {"lzo", {0x89, 'L', 'Z', 'O'}, 4},
};

const char *
mf_compression_detect(const guint8 *magic, gsize size)
{
    for (gsize i = 0; i < G_N_ELEMENTS(compressions); i++) {
        if (size >= compressions[i].magic_size &&
            memcmp(magic, compressions[i].magic, compressions[i].magic_size) == 0)
            return compressions[i].name;
    }
    return NULL;
}
