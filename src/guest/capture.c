/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "guest/log.h"

#define READ_SIZE (64u << 10)

static void
close_end(struct mfg_watch *watch, int *fd)
{
    mfg_watch_remove(watch);
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* Where the next bytes go, and how many; past the cap, and without memory, to a place that nobody
 * looks at. */
static uint8_t *
next_room(struct mfg_capture *capture, size_t *ret_size)
{
    static uint8_t nowhere[READ_SIZE];
    size_t capacity = capture->capacity ? 2 * capture->capacity : READ_SIZE;
    uint8_t *data;

    if (capture->size == capture->capacity && capture->capacity < MFG_CAPTURE_MAX &&
        !capture->truncated) {
        data = realloc(capture->data, capacity);
        if (data) {
            capture->data = data;
            capture->capacity = capacity;
        }
    }
    if (capture->size == capture->capacity || capture->truncated) {
        *ret_size = sizeof(nowhere);
        return nowhere;
    }
    *ret_size = capture->capacity - capture->size;
    return capture->data + capture->size;
}

static void
on_readable(void *data, uint32_t events)
{
    struct mfg_capture *capture = data;
    size_t room;
    uint8_t *at = next_room(capture, &room);
    ssize_t n = read(capture->fd, at, room);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0)
        close_end(&capture->watch, &capture->fd);
    else if (at == capture->data + capture->size)
        capture->size += (size_t)n;
    else
        capture->truncated = true;
}

void
mfg_capture_open(struct mfg_capture *capture, struct mfg_loop *loop, int fd)
{
    *capture = (struct mfg_capture){.fd = fd};
    if (fd < 0)
        return;
    if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0 ||
        !mfg_watch_add(&capture->watch, loop, fd, EPOLLIN, on_readable, capture)) {
        mfg_log("cannot capture a program's output: %m");
        close_end(&capture->watch, &capture->fd);
    }
}

void
mfg_capture_clear(struct mfg_capture *capture)
{
    close_end(&capture->watch, &capture->fd);
    free(capture->data);
    capture->data = NULL;
    capture->size = capture->capacity = 0;
}

bool
mfg_capture_is_open(const struct mfg_capture *capture)
{
    return capture->fd >= 0;
}

uint8_t *
mfg_capture_take(struct mfg_capture *capture, size_t *ret_size)
{
    uint8_t *data = capture->data;

    *ret_size = capture->size;
    capture->data = NULL;
    capture->size = capture->capacity = 0;
    return data;
}

static void
on_writable(void *data, uint32_t events)
{
    struct mfg_feed *feed = data;
    ssize_t n = write(feed->fd, feed->data + feed->at, feed->size - feed->at);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    feed->at += n > 0 ? (size_t)n : 0;
    /* A program need not read its input. */
    if (n < 0 || feed->at == feed->size)
        mfg_feed_clear(feed);
}

void
mfg_feed_open(struct mfg_feed *feed, struct mfg_loop *loop, int fd, uint8_t *data, size_t size)
{
    *feed = (struct mfg_feed){.fd = fd, .data = data, .size = size};
    if (fd < 0 || size == 0 || fcntl(fd, F_SETFL, O_NONBLOCK) < 0 ||
        !mfg_watch_add(&feed->watch, loop, fd, EPOLLOUT, on_writable, feed))
        mfg_feed_clear(feed);
}

void
mfg_feed_clear(struct mfg_feed *feed)
{
    close_end(&feed->watch, &feed->fd);
    free(feed->data);
    feed->data = NULL;
}
