/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/loop.h"

/*
 * A pipe end of a program whose output is kept, or whose input is given, as a whole.
 */

/* What QEMU's agent keeps of each stream; the rest is read and thrown away, so that the program
 * does not notice. */
#define MFG_CAPTURE_MAX (16u << 20)

struct mfg_capture {
    struct mfg_watch watch;
    int fd;        /* owned; -1: ended */
    uint8_t *data; /* owned */
    size_t size, capacity;
    bool truncated;
};

/* Takes over 'fd', in any case; -1 for nothing to capture. */
void mfg_capture_open(struct mfg_capture *capture, struct mfg_loop *loop, int fd);
void mfg_capture_clear(struct mfg_capture *capture);
bool mfg_capture_is_open(const struct mfg_capture *capture);

/* Hands over what was kept (malloc). */
uint8_t *mfg_capture_take(struct mfg_capture *capture, size_t *ret_size);

struct mfg_feed {
    struct mfg_watch watch;
    int fd;        /* owned; -1: all was written, or nobody reads */
    uint8_t *data; /* owned */
    size_t at, size;
};

/* Takes over 'fd' and 'data' (malloc), in any case. */
void
mfg_feed_open(struct mfg_feed *feed, struct mfg_loop *loop, int fd, uint8_t *data, size_t size);
void mfg_feed_clear(struct mfg_feed *feed);
