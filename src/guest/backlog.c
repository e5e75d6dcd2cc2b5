/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/backlog.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CAPACITY_MIN (64u << 10)

size_t
mfg_backlog_size(const struct mfg_backlog *backlog)
{
    return backlog->end - backlog->start;
}

/* To the front, once what is moved is less than what is gained: so each byte is moved but a few
 * times. */
static void
compact(struct mfg_backlog *backlog)
{
    size_t size = mfg_backlog_size(backlog);

    if (backlog->start < size)
        return;
    memcpy(backlog->data, backlog->data + backlog->start, size);
    backlog->start = 0;
    backlog->end = size;
}

uint8_t *
mfg_backlog_reserve(struct mfg_backlog *backlog, size_t size)
{
    size_t capacity = backlog->capacity ? backlog->capacity : CAPACITY_MIN;
    uint8_t *data;

    if (backlog->start > 0 && backlog->capacity - backlog->end < size)
        compact(backlog);
    while (capacity - backlog->end < size)
        capacity *= 2;
    if (capacity > backlog->capacity) {
        data = realloc(backlog->data, capacity);
        if (!data)
            return NULL;
        backlog->data = data;
        backlog->capacity = capacity;
    }
    return backlog->data + backlog->end;
}

void
mfg_backlog_commit(struct mfg_backlog *backlog, size_t size)
{
    backlog->end += size;
}

size_t
mfg_backlog_take(struct mfg_backlog *backlog, uint8_t *into, size_t size)
{
    size_t waiting = mfg_backlog_size(backlog), taken = size < waiting ? size : waiting;

    if (taken > 0)
        memcpy(into, backlog->data + backlog->start, taken);
    backlog->start += taken;
    if (taken < waiting)
        return taken;
    backlog->start = backlog->end = 0;
    if (backlog->capacity > CAPACITY_MIN)
        mfg_backlog_clear(backlog);
    return taken;
}

void
mfg_backlog_clear(struct mfg_backlog *backlog)
{
    free(backlog->data);
    *backlog = (struct mfg_backlog){0};
}
