/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest/log.h"
#include "guest/terminal.h"

/* Acknowledged in pieces that keep the host sending without a frame for each page. */
#define ACKNOWLEDGE_SIZE (MF_STDIN_WINDOW / 4)

/* Waits with it while the host does not read; mfg_input_resume() does it then. */
static void
acknowledge(struct mfg_input *input)
{
    uint8_t *payload;

    if (input->unacknowledged == 0)
        return;
    payload = mfg_stream_reserve(input->stream);
    if (!payload)
        return;
    mf_frame_put_u32(payload, input->unacknowledged);
    input->unacknowledged = 0;
    mfg_stream_commit(input->stream, MF_FRAME_SINA, sizeof(uint32_t));
}

static void
consume(struct mfg_input *input, size_t size)
{
    input->start += size;
    input->unacknowledged += (uint32_t)size;
    if (input->start == input->end)
        input->start = input->end = 0;
    if (input->unacknowledged >= ACKNOWLEDGE_SIZE || input->end == 0)
        acknowledge(input);
}

static void
release(struct mfg_input *input)
{
    if (input->fd < 0)
        return;
    mfg_watch_remove(&input->watch);
    close(input->fd);
    input->fd = -1;
    free(input->data);
    input->data = NULL;
}

void
mfg_input_discard(struct mfg_input *input)
{
    release(input);
    consume(input, input->end - input->start);
}

/* The terminal itself stays open: it is the output too. One that has no room for the end now gets
 * it when it has. */
static void
finish(struct mfg_input *input)
{
    uint8_t bytes[2];
    int n =
        input->is_terminal ? mfg_terminal_end_of_input(input->fd, input->at_line_start, bytes) : 0;
    ssize_t written = n > 0 ? write(input->fd, bytes, (size_t)n) : 0;

    if (written < 0 && errno != EAGAIN && errno != EINTR)
        mfg_log("cannot end the terminal's input: %m");
    else if (written < n) {
        /* The first of two has handed the line over. */
        input->at_line_start = input->at_line_start || written > 0;
        mfg_watch_set(&input->watch, EPOLLOUT);
        return;
    }
    release(input);
}

static void
push(struct mfg_input *input)
{
    while (input->start < input->end) {
        const uint8_t *data = input->data + input->start;
        ssize_t n = write(input->fd, data, input->end - input->start);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            break;
        if (n < 0) {
            mfg_input_discard(input);
            return;
        }
        input->at_line_start = data[n - 1] == '\n';
        consume(input, (size_t)n);
    }
    if (input->ended && input->end == 0)
        finish(input);
    else
        mfg_watch_set(&input->watch, input->end ? EPOLLOUT : 0);
}

static void
on_writable(void *data, uint32_t events)
{
    struct mfg_input *input = data;

    /* A terminal that nobody has open any more fails no write: it is full at some time, and the
     * loop would turn for ever. */
    if (input->is_terminal && (events & EPOLLHUP))
        mfg_input_discard(input);
    else
        push(input);
}

bool
mfg_input_open(struct mfg_input *input, struct mfg_loop *loop, struct mfg_stream *stream, int fd,
               bool is_terminal)
{
    *input = (struct mfg_input){
        .stream = stream, .fd = fd, .is_terminal = is_terminal, .at_line_start = true};
    if (fd < 0)
        return true;
    input->data = malloc(MF_STDIN_WINDOW);
    if (input->data && fcntl(fd, F_SETFL, O_NONBLOCK) == 0 &&
        mfg_watch_add(&input->watch, loop, fd, 0, on_writable, input))
        return true;

    int saved = errno;
    release(input);
    errno = saved;
    return false;
}

void
mfg_input_take(struct mfg_input *input, const uint8_t *data, size_t size)
{
    size_t room = MF_STDIN_WINDOW - (input->end - input->start);

    if (input->fd < 0 || input->ended) {
        input->unacknowledged += (uint32_t)size;
        acknowledge(input);
        return;
    }
    if (size > room) {
        mfg_log("dropped %zu bytes of standard input: the host sent more than the window of %u",
                size - room, MF_STDIN_WINDOW);
        size = room;
    }
    if (input->end + size > MF_STDIN_WINDOW) {
        memmove(input->data, input->data + input->start, input->end - input->start);
        input->end -= input->start;
        input->start = 0;
    }
    memcpy(input->data + input->end, data, size);
    input->end += size;
    push(input);
}

void
mfg_input_end(struct mfg_input *input)
{
    input->ended = true;
    if (input->fd >= 0)
        push(input);
}

void
mfg_input_close(struct mfg_input *input)
{
    release(input);
    input->start = input->end = 0;
    input->unacknowledged = 0;
}

void
mfg_input_resume(struct mfg_input *input)
{
    acknowledge(input);
}
