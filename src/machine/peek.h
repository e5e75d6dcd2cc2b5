/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <string.h>

/*
 * Numbers in binary files, at any alignment, and the bytes at an offset of one, read and written.
 * Callers check bounds first.
 */

static inline guint16
mf_peek_le16(const guint8 *at)
{
    guint16 value;

    memcpy(&value, at, sizeof(value));
    return GUINT16_FROM_LE(value);
}

static inline guint32
mf_peek_le32(const guint8 *at)
{
    guint32 value;

    memcpy(&value, at, sizeof(value));
    return GUINT32_FROM_LE(value);
}

static inline guint32
mf_peek_be32(const guint8 *at)
{
    guint32 value;

    memcpy(&value, at, sizeof(value));
    return GUINT32_FROM_BE(value);
}

static inline guint64
mf_peek_be64(const guint8 *at)
{
    guint64 value;

    memcpy(&value, at, sizeof(value));
    return GUINT64_FROM_BE(value);
}

static inline void
mf_poke_le16(guint8 *at, guint16 value)
{
    value = GUINT16_TO_LE(value);
    memcpy(at, &value, sizeof(value));
}

static inline void
mf_poke_le32(guint8 *at, guint32 value)
{
    value = GUINT32_TO_LE(value);
    memcpy(at, &value, sizeof(value));
}

static inline void
mf_poke_be32(guint8 *at, guint32 value)
{
    value = GUINT32_TO_BE(value);
    memcpy(at, &value, sizeof(value));
}

static inline void
mf_poke_be64(guint8 *at, guint64 value)
{
    value = GUINT64_TO_BE(value);
    memcpy(at, &value, sizeof(value));
}

/* Reads 'size' bytes at 'offset', fewer only at the end of the file. -1 with errno. */
gssize mf_peek_read(int fd, void *buffer, gsize size, guint64 offset);

/* Writes all of 'size' bytes at 'offset'. FALSE with errno. */
gboolean mf_poke_write(int fd, const void *data, gsize size, guint64 offset);
