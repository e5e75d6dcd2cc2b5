/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/backlog.h"
#include "guest/stream.h"

/*
 * One output of a payload, from its pipe into RAWO frames. It is read whenever there is something,
 * whether or not the host reads, so that the payload waits for nobody and is never without a
 * reader: the first MF_PAYLOAD_KEEP_MAX bytes wait here until the host takes them, the others are
 * counted and thrown away.
 */
struct mfg_raw_output {
    struct mfg_watch watch;
    struct mfg_stream *stream; /* borrowed */
    struct mfg_backlog backlog;
    int fd; /* owned; -1: ended */
    uint32_t index;
    uint8_t number;             /* 1 or 2 */
    uint64_t bytes, kept;       /* all that was read; the first of these are for the host */
    bool cut;                   /* nothing more is kept */
    bool ended;                 /* its end is on its way to the host */
    void (*filled)(void *data); /* something came, or the end did: the host may take some */
    void *data;
};

/* Takes over 'fd', in any case: one that cannot be read has ended, and that is logged. */
void
mfg_raw_output_open(struct mfg_raw_output *output, struct mfg_loop *loop, struct mfg_stream *stream,
                    int fd, uint32_t index, int number, void (*filled)(void *data), void *data);

/* Sends one frame, of what waits or of the end, if there is such and the stream has room. Returns
 * whether it did: then there may be more. */
bool mfg_raw_output_send(struct mfg_raw_output *output);

/* Reads what is there and waits for nothing more. */
void mfg_raw_output_finish(struct mfg_raw_output *output);

/* Frees what it holds; it can be done twice. */
void mfg_raw_output_clear(struct mfg_raw_output *output);
