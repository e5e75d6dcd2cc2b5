/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "guest/log.h"

static void
release(struct mfg_output *output)
{
    mfg_watch_remove(&output->watch);
    close(output->fd);
    output->fd = -1;
    output->owed = 0;
}

static void
end(struct mfg_output *output)
{
    release(output);
    mfg_stream_send(output->stream, output->type, NULL, 0);
    output->progressed(output->data);
}

static void
on_readable(void *data, uint32_t events)
{
    struct mfg_output *output = data;
    uint8_t *payload = mfg_stream_reserve(output->stream);
    ssize_t n;

    if (!payload) {
        mfg_watch_set(&output->watch, 0);
        return;
    }
    n = read(output->fd, payload, MF_FRAME_CHUNK_MAX);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    /* A terminal that nobody has open any more gives an error, EIO, for an end. */
    if (n <= 0) {
        end(output);
        return;
    }
    output->owed -= (size_t)n < output->owed ? (size_t)n : output->owed;
    mfg_stream_commit(output->stream, output->type, (size_t)n);
    if (output->counting)
        output->progressed(output->data);
}

void
mfg_output_open(struct mfg_output *output, struct mfg_loop *loop, struct mfg_stream *stream,
                uint32_t type, int fd, void (*progressed)(void *data), void *data)
{
    *output = (struct mfg_output){
        .stream = stream, .type = type, .fd = fd, .progressed = progressed, .data = data};
    if (fd >= 0 && fcntl(fd, F_SETFL, O_NONBLOCK) == 0 &&
        mfg_watch_add(&output->watch, loop, fd, EPOLLIN, on_readable, output))
        return;
    if (fd >= 0) {
        mfg_log("cannot read what the command writes: %m");
        release(output);
    }
    mfg_stream_send(stream, type, NULL, 0);
}

bool
mfg_output_is_open(const struct mfg_output *output)
{
    return output->fd >= 0;
}

void
mfg_output_note_exit(struct mfg_output *output)
{
    int readable = 0;

    output->counting = true;
    if (mfg_output_is_open(output) && ioctl(output->fd, FIONREAD, &readable) == 0 && readable > 0)
        output->owed = (size_t)readable;
}

bool
mfg_output_is_owed(const struct mfg_output *output)
{
    return output->owed > 0;
}

void
mfg_output_resume(struct mfg_output *output)
{
    if (mfg_output_is_open(output))
        mfg_watch_set(&output->watch, EPOLLIN);
}

void
mfg_output_close(struct mfg_output *output)
{
    if (mfg_output_is_open(output))
        end(output);
}

void
mfg_output_clear(struct mfg_output *output)
{
    if (mfg_output_is_open(output))
        release(output);
}

struct mfg_drain {
    struct mfg_drain *next;  /* owned */
    struct mfg_drain **list; /* borrowed */
    struct mfg_watch watch;
    int fd; /* owned */
};

static void
free_drain(struct mfg_drain *drain)
{
    struct mfg_drain **link = drain->list;

    while (*link != drain)
        link = &(*link)->next;
    *link = drain->next;
    mfg_watch_remove(&drain->watch);
    close(drain->fd);
    free(drain);
}

static void
on_drainable(void *data, uint32_t events)
{
    struct mfg_drain *drain = data;
    static uint8_t nowhere[MF_FRAME_CHUNK_MAX];
    ssize_t n = read(drain->fd, nowhere, sizeof(nowhere));

    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        free_drain(drain);
}

void
mfg_output_abandon(struct mfg_output *output, struct mfg_drain **drains)
{
    struct mfg_loop *loop = output->watch.loop;
    struct mfg_drain *drain;

    if (!mfg_output_is_open(output))
        return;
    mfg_watch_remove(&output->watch);
    drain = calloc(1, sizeof(*drain));
    if (!drain || !mfg_watch_add(&drain->watch, loop, output->fd, EPOLLIN, on_drainable, drain)) {
        free(drain);
        release(output);
    } else {
        drain->fd = output->fd;
        drain->list = drains;
        drain->next = *drains;
        *drains = drain;
        output->fd = -1;
    }
    mfg_stream_send(output->stream, output->type, NULL, 0);
}

void
mfg_output_clear_drains(struct mfg_drain **drains)
{
    while (*drains)
        free_drain(*drains);
}
