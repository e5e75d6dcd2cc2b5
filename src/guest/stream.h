/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/channel.h"
#include "wire/frame.h"

/*
 * Frames on the stream port. What is to be sent waits in one bounded queue; who produces in bulk
 * asks for room first and stops reading its source while there is none, so that a host that does
 * not read stops the command in the end, and memory does not grow.
 */

/* The queue; its last part is for frames that are not bulk: ends, exits, acknowledgements. */
#define MFG_STREAM_QUEUE_MAX     (512u << 10)
#define MFG_STREAM_QUEUE_RESERVE (64u << 10)

struct mfg_stream_events {
    /* A whole frame with a right checksum; its payload is valid during the call. */
    void (*frame)(void *data, const struct mf_frame *frame);
    /* There is room again after mfg_stream_reserve() had none. */
    void (*room)(void *data);
    /* The host is gone for good (not for a port: there it may come back). The stream is closed. */
    void (*lost)(void *data);
};

struct mfg_stream {
    struct mfg_channel channel;
    struct mf_frame_assembler input;
    uint8_t *queue; /* owned */
    size_t start, end;
    bool starved; /* somebody waits for room */
    const struct mfg_stream_events *events;
    void *data;
};

/* Takes over 'fd', in any case. Returns false with errno. */
bool
mfg_stream_open(struct mfg_stream *stream, struct mfg_loop *loop, int fd,
                enum mfg_channel_kind kind, const struct mfg_stream_events *events, void *data);
void mfg_stream_close(struct mfg_stream *stream);
bool mfg_stream_is_open(const struct mfg_stream *stream);

/* Sends a frame that is not bulk. One that does not fit into the queue's reserve is logged and
 * left out. */
void mfg_stream_send(struct mfg_stream *stream, uint32_t type, const void *payload, size_t length);

/* Room for MF_FRAME_CHUNK_MAX bytes of payload, to be filled and then sent by
 * mfg_stream_commit(); NULL when there is none: room() is called when there is. */
uint8_t *mfg_stream_reserve(struct mfg_stream *stream);
void mfg_stream_commit(struct mfg_stream *stream, uint32_t type, size_t length);

/* Bytes that wait to be written. */
size_t mfg_stream_queued(const struct mfg_stream *stream);

/* Waits, blocking, until the host has taken all that is queued, or is gone. For the moment before
 * the program ends or becomes another one. */
void mfg_stream_drain(struct mfg_stream *stream);
