/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/frame.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* The buffer starts at this size, and is given back once it has grown beyond KEEP and is empty:
 * one message of 16 MiB must not stay in memory for the rest of the run. */
#define CAPACITY_MIN  4096
#define CAPACITY_KEEP (256u << 10)

void
mf_frame_put_u32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

uint32_t
mf_frame_get_u32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

uint64_t
mf_frame_get_u64(const uint8_t *at)
{
    return (uint64_t)mf_frame_get_u32(at) | (uint64_t)mf_frame_get_u32(at + 4) << 32;
}

void
mf_frame_put_u16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
}

uint16_t
mf_frame_get_u16(const uint8_t *at)
{
    return (uint16_t)(at[0] | at[1] << 8);
}

uint32_t
mf_frame_crc32(const void *data, size_t size)
{
    /* zlib takes a NULL pointer for "give me the initial value", which is 0 as well. */
    return (uint32_t)crc32_z(0, data, size);
}

void
mf_frame_encode_header(uint8_t *header, uint32_t type, const void *payload, size_t length)
{
    mf_frame_put_u32(header, type);
    mf_frame_put_u32(header + 4, (uint32_t)length);
    mf_frame_put_u32(header + 8, mf_frame_crc32(payload, length));
    mf_frame_put_u32(header + 12, 0);
}

static void
decode(const uint8_t *data, struct mf_frame *ret_frame)
{
    uint32_t length = mf_frame_get_u32(data + 4);
    const uint8_t *payload = data + MF_FRAME_HEADER_SIZE;

    *ret_frame = (struct mf_frame){
        .type = mf_frame_get_u32(data),
        .crc_ok = mf_frame_crc32(payload, length) == mf_frame_get_u32(data + 8),
        .pad_ok = mf_frame_get_u32(data + 12) == 0,
        .payload = payload,
        .length = length,
    };
}

size_t
mf_frame_assembler_pending(const struct mf_frame_assembler *assembler)
{
    return assembler->end - assembler->start;
}

void
mf_frame_assembler_clear(struct mf_frame_assembler *assembler)
{
    free(assembler->data);
    *assembler = MF_FRAME_ASSEMBLER_INIT(assembler->cap);
}

/* Moves what is pending to the front, where the space of the frames taken out is used again. */
static void
compact(struct mf_frame_assembler *assembler)
{
    size_t pending = mf_frame_assembler_pending(assembler);

    if (pending > 0 && assembler->start > 0)
        memmove(assembler->data, assembler->data + assembler->start, pending);
    assembler->start = 0;
    assembler->end = pending;
}

/* Doubles, so that a big frame in small pieces costs linear time, but not beyond what a caller
 * that takes its frames out can ever need. */
static bool
make_room(struct mf_frame_assembler *assembler, size_t size)
{
    size_t capacity = assembler->capacity ? assembler->capacity : CAPACITY_MIN;
    size_t needed, limit;
    uint8_t *data;

    if (__builtin_add_overflow(assembler->end, size, &needed) ||
        __builtin_add_overflow(2 * assembler->cap, size, &limit))
        return false;
    if (needed <= assembler->capacity)
        return true;
    while (capacity < needed && capacity <= SIZE_MAX / 2)
        capacity *= 2;
    if (capacity > limit || capacity < needed)
        capacity = needed > limit ? needed : limit;

    data = realloc(assembler->data, capacity);
    if (!data)
        return false;
    assembler->data = data;
    assembler->capacity = capacity;
    return true;
}

bool
mf_frame_assembler_feed(struct mf_frame_assembler *assembler, const void *data, size_t size)
{
    if (size == 0)
        return true;
    compact(assembler);
    if (!make_room(assembler, size))
        return false;
    memcpy(assembler->data + assembler->end, data, size);
    assembler->end += size;
    return true;
}

static void
forget(struct mf_frame_assembler *assembler)
{
    if (assembler->capacity > CAPACITY_KEEP)
        mf_frame_assembler_clear(assembler);
    assembler->start = assembler->end = 0;
}

bool
mf_frame_assembler_next(struct mf_frame_assembler *assembler, struct mf_frame *ret_frame)
{
    size_t pending = mf_frame_assembler_pending(assembler);
    const uint8_t *data;
    size_t length;

    if (pending == 0)
        forget(assembler);
    if (pending < MF_FRAME_HEADER_SIZE)
        return false;
    data = assembler->data + assembler->start;
    length = mf_frame_get_u32(data + 4);
    if (length > pending - MF_FRAME_HEADER_SIZE) {
        if (pending > 2 * assembler->cap)
            forget(assembler);
        return false;
    }
    /* Judged only now, with the whole payload there: then what is thrown away is at least all of
     * the bad frame, and its payload is not taken for headers. */
    if (length > assembler->cap) {
        forget(assembler);
        return false;
    }
    decode(data, ret_frame);
    assembler->start += MF_FRAME_HEADER_SIZE + length;
    return true;
}

uint8_t *
mf_frame_assembler_take_residual(struct mf_frame_assembler *assembler, size_t *ret_size)
{
    uint8_t *data = NULL;

    compact(assembler);
    *ret_size = assembler->end;
    if (assembler->end > 0) {
        data = assembler->data;
        assembler->data = NULL;
    }
    mf_frame_assembler_clear(assembler);
    return data;
}

bool
mf_frame_parse(const uint8_t *data, size_t size, size_t cap, size_t *at, struct mf_frame *ret_frame)
{
    size_t left = size - *at;
    size_t length;

    if (left < MF_FRAME_HEADER_SIZE)
        return false;
    length = mf_frame_get_u32(data + *at + 4);
    if (length > cap || length > left - MF_FRAME_HEADER_SIZE)
        return false;
    decode(data + *at, ret_frame);
    *at += MF_FRAME_HEADER_SIZE + length;
    return true;
}
