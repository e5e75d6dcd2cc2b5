/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/raw-output.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "guest/log.h"
#include "wire/guest-protocol.h"

#define READ_SIZE (64u << 10)

/* What is read at one go before others get their turn, from a writer who never pauses. A pipe that
 * holds as much spares most of the switches between the two, which is half of the time where
 * processors are emulated. */
#define READS_PER_TURN 16
#define PIPE_SIZE      (READS_PER_TURN * READ_SIZE)

static void
close_pipe(struct mfg_raw_output *output)
{
    mfg_watch_remove(&output->watch);
    if (output->fd >= 0)
        close(output->fd);
    output->fd = -1;
}

/* Where the next bytes go, and how many: past what is kept to a place that nobody looks at. */
static uint8_t *
next_room(struct mfg_raw_output *output, size_t *ret_size)
{
    static uint8_t nowhere[READ_SIZE];
    uint64_t left = MF_PAYLOAD_KEEP_MAX - output->kept;
    size_t size = left < READ_SIZE ? (size_t)left : READ_SIZE;
    uint8_t *room = output->cut || size == 0 ? NULL : mfg_backlog_reserve(&output->backlog, size);

    if (room) {
        *ret_size = size;
        return room;
    }
    /* For want of memory, too, what is kept is one piece from the start. */
    output->cut = true;
    *ret_size = sizeof(nowhere);
    return nowhere;
}

/* Returns false when there is nothing to be read now, or no more at all. */
static bool
read_some(struct mfg_raw_output *output)
{
    size_t size;
    uint8_t *room = next_room(output, &size);
    ssize_t n = read(output->fd, room, size);

    if (n < 0 && errno == EINTR)
        return true;
    if (n < 0 && errno == EAGAIN)
        return false;
    if (n <= 0) {
        close_pipe(output);
        return false;
    }
    output->bytes += (uint64_t)n;
    if (!output->cut) {
        mfg_backlog_commit(&output->backlog, (size_t)n);
        output->kept += (uint64_t)n;
    }
    return true;
}

static void
on_readable(void *data, uint32_t events)
{
    struct mfg_raw_output *output = data;

    for (int i = 0; i < READS_PER_TURN && read_some(output); i++)
        ;
    output->filled(output->data);
}

void
mfg_raw_output_open(struct mfg_raw_output *output, struct mfg_loop *loop, struct mfg_stream *stream,
                    int fd, uint32_t index, int number, void (*filled)(void *data), void *data)
{
    *output = (struct mfg_raw_output){
        .stream = stream,
        .fd = fd,
        .index = index,
        .number = (uint8_t)number,
        .filled = filled,
        .data = data,
    };
    fcntl(fd, F_SETPIPE_SZ, PIPE_SIZE);
    if (fcntl(fd, F_SETFL, O_NONBLOCK) == 0 &&
        mfg_watch_add(&output->watch, loop, fd, EPOLLIN, on_readable, output))
        return;
    mfg_log("cannot read what payload %u writes: %m", index);
    close_pipe(output);
}

bool
mfg_raw_output_send(struct mfg_raw_output *output)
{
    uint8_t *payload;
    size_t size;

    if (output->ended || (mfg_backlog_size(&output->backlog) == 0 && output->fd >= 0))
        return false;
    payload = mfg_stream_reserve(output->stream);
    if (!payload)
        return false;
    memset(payload, 0, MF_PAYLOAD_RAW_HEADER);
    mf_frame_put_u32(payload, output->index);
    payload[4] = output->number;
    size = mfg_backlog_take(&output->backlog, payload + MF_PAYLOAD_RAW_HEADER,
                            MF_FRAME_CHUNK_MAX - MF_PAYLOAD_RAW_HEADER);
    output->ended = size == 0;
    mfg_stream_commit(output->stream, MF_FRAME_RAWO, MF_PAYLOAD_RAW_HEADER + size);
    return true;
}

void
mfg_raw_output_finish(struct mfg_raw_output *output)
{
    int waiting = 0;
    uint64_t end;

    /* Not for as long as somebody goes on writing. */
    if (output->fd >= 0 && ioctl(output->fd, FIONREAD, &waiting) < 0)
        waiting = 0;
    end = output->bytes + (uint64_t)waiting;
    while (output->fd >= 0 && output->bytes < end && read_some(output))
        ;
    close_pipe(output);
}

void
mfg_raw_output_clear(struct mfg_raw_output *output)
{
    close_pipe(output);
    mfg_backlog_clear(&output->backlog);
}
