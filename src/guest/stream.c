/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/stream.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "guest/log.h"

/* Reads at one go before other descriptors get their turn. A port gives a page at most each time.
 */
#define READS_PER_TURN 64

static void
lose(struct mfg_stream *stream)
{
    mfg_stream_close(stream);
    if (stream->events->lost)
        stream->events->lost(stream->data);
}

/* Writes what the host takes. Returns false when it is gone. */
static bool
write_queued(struct mfg_stream *stream)
{
    while (stream->start < stream->end) {
        ssize_t n = mfg_channel_write(&stream->channel, stream->queue + stream->start,
                                      stream->end - stream->start);

        if (n < 0)
            return false;
        if (n == 0)
            break;
        stream->start += (size_t)n;
    }
    if (stream->start == stream->end)
        stream->start = stream->end = 0;
    mfg_channel_want(&stream->channel, true, stream->start < stream->end);
    return true;
}

static void
flush(struct mfg_stream *stream)
{
    if (!write_queued(stream)) {
        lose(stream);
        return;
    }
    /* Not at the first free byte: each wake-up is worth some work. */
    if (stream->starved && mfg_stream_queued(stream) <= MFG_STREAM_QUEUE_MAX / 2) {
        stream->starved = false;
        stream->events->room(stream->data);
    }
}

static void
deliver(struct mfg_stream *stream)
{
    struct mf_frame frame;

    while (mfg_stream_is_open(stream) && mf_frame_assembler_next(&stream->input, &frame)) {
        if (frame.crc_ok)
            stream->events->frame(stream->data, &frame);
        else
            mfg_log("dropped a frame of type 0x%08x: its checksum is wrong", frame.type);
    }
}

static void
on_readable(void *data)
{
    struct mfg_stream *stream = data;
    uint8_t buffer[MF_FRAME_CHUNK_MAX];

    for (int i = 0; i < READS_PER_TURN; i++) {
        ssize_t n = mfg_channel_read(&stream->channel, buffer, sizeof(buffer));

        if (n < 0) {
            lose(stream);
            return;
        }
        if (n == 0)
            return;
        if (!mf_frame_assembler_feed(&stream->input, buffer, (size_t)n))
            mfg_log("dropped %zd bytes from the host: no memory", n);
        deliver(stream);
        if (!mfg_stream_is_open(stream))
            return;
    }
}

static void
on_writable(void *data)
{
    flush(data);
}

static void
on_hung_up(void *data)
{
    struct mfg_stream *stream = data;

    /* What is queued for a port stays: the host that comes back has to have it. */
    if (stream->channel.kind == MFG_CHANNEL_SOCKET)
        lose(stream);
}

bool
mfg_stream_open(struct mfg_stream *stream, struct mfg_loop *loop, int fd,
                enum mfg_channel_kind kind, const struct mfg_stream_events *events, void *data)
{
    static const struct mfg_channel_events channel_events = {
        .readable = on_readable, .writable = on_writable, .hung_up = on_hung_up};

    *stream = (struct mfg_stream){
        .input = MF_FRAME_ASSEMBLER_INIT(MF_FRAME_PAYLOAD_MAX),
        .queue = malloc(MFG_STREAM_QUEUE_MAX),
        .events = events,
        .data = data,
    };
    if (mfg_channel_open(&stream->channel, loop, fd, kind, &channel_events, stream)) {
        if (stream->queue)
            return true;
        mfg_channel_close(&stream->channel);
        errno = ENOMEM;
    }
    free(stream->queue);
    stream->queue = NULL;
    return false;
}

void
mfg_stream_close(struct mfg_stream *stream)
{
    if (!mfg_stream_is_open(stream))
        return;
    mfg_channel_close(&stream->channel);
    mf_frame_assembler_clear(&stream->input);
    free(stream->queue);
    stream->queue = NULL;
    stream->start = stream->end = 0;
}

bool
mfg_stream_is_open(const struct mfg_stream *stream)
{
    return stream->queue != NULL;
}

size_t
mfg_stream_queued(const struct mfg_stream *stream)
{
    return stream->end - stream->start;
}

/* Whether a payload of 'length' fits before 'limit'; makes its room contiguous. */
static bool
make_room(struct mfg_stream *stream, size_t length, size_t limit)
{
    size_t queued = mfg_stream_queued(stream);

    if (queued + MF_FRAME_HEADER_SIZE + length > limit)
        return false;
    if (stream->end + MF_FRAME_HEADER_SIZE + length > MFG_STREAM_QUEUE_MAX) {
        memmove(stream->queue, stream->queue + stream->start, queued);
        stream->start = 0;
        stream->end = queued;
    }
    return true;
}

uint8_t *
mfg_stream_reserve(struct mfg_stream *stream)
{
    if (!mfg_stream_is_open(stream))
        return NULL;
    if (!make_room(stream, MF_FRAME_CHUNK_MAX, MFG_STREAM_QUEUE_MAX - MFG_STREAM_QUEUE_RESERVE)) {
        stream->starved = true;
        return NULL;
    }
    return stream->queue + stream->end + MF_FRAME_HEADER_SIZE;
}

void
mfg_stream_commit(struct mfg_stream *stream, uint32_t type, size_t length)
{
    uint8_t *header = stream->queue + stream->end;

    mf_frame_encode_header(header, type, header + MF_FRAME_HEADER_SIZE, length);
    stream->end += MF_FRAME_HEADER_SIZE + length;
    flush(stream);
}

void
mfg_stream_send(struct mfg_stream *stream, uint32_t type, const void *payload, size_t length)
{
    if (!mfg_stream_is_open(stream))
        return;
    if (!make_room(stream, length, MFG_STREAM_QUEUE_MAX)) {
        mfg_log("left out a frame of type 0x%08x: the host does not read", type);
        return;
    }
    if (length > 0)
        memcpy(stream->queue + stream->end + MF_FRAME_HEADER_SIZE, payload, length);
    mfg_stream_commit(stream, type, length);
}

void
mfg_stream_drain(struct mfg_stream *stream)
{
    struct pollfd poll_fd = {.fd = stream->channel.fd, .events = POLLOUT};

    while (mfg_stream_queued(stream) > 0) {
        if (poll(&poll_fd, 1, -1) < 0 && errno != EINTR)
            return;
        if (!write_queued(stream) || (poll_fd.revents & POLLHUP))
            return;
    }
}
