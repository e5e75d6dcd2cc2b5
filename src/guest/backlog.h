/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * Bytes that wait for somebody who takes them later, first in, first out. Memory is taken as they
 * come, and given back when they are gone. All zeros is an empty one.
 */
struct mfg_backlog {
    uint8_t *data; /* owned */
    size_t start, end, capacity;
};

/* Room for 'size' more bytes, to be filled and then counted by mfg_backlog_commit(); NULL without
 * memory. */
uint8_t *mfg_backlog_reserve(struct mfg_backlog *backlog, size_t size);
void mfg_backlog_commit(struct mfg_backlog *backlog, size_t size);

size_t mfg_backlog_size(const struct mfg_backlog *backlog);

/* Takes out at most 'size' of the oldest bytes. Returns how many. */
size_t mfg_backlog_take(struct mfg_backlog *backlog, uint8_t *into, size_t size);

void mfg_backlog_clear(struct mfg_backlog *backlog);
