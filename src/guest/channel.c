/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static void
update_watch(struct mfg_channel *channel)
{
    uint32_t events = (channel->reading ? EPOLLIN : 0u) | (channel->writing ? EPOLLOUT : 0u);

    /* Edge-triggered, a lasting hang-up is reported once, and the host's return is news. */
    if (channel->hung_up)
        events = EPOLLIN | EPOLLOUT | EPOLLET;
    else if (events == 0)
        events = EPOLLET; /* to learn of a hang-up all the same */
    mfg_watch_set(&channel->watch, events);
}

static void
on_port_event(struct mfg_channel *channel, uint32_t events)
{
    bool hung_up = (events & EPOLLHUP) != 0;

    if (hung_up != channel->hung_up) {
        channel->hung_up = hung_up;
        update_watch(channel);
        if (hung_up)
            channel->events->hung_up(channel->data);
    }
}

static void
on_event(void *data, uint32_t events)
{
    struct mfg_channel *channel = data;

    if ((events & EPOLLIN) && channel->reading)
        channel->events->readable(channel->data);
    if (channel->fd < 0)
        return;
    if ((events & EPOLLOUT) && !(events & EPOLLHUP) && channel->writing)
        channel->events->writable(channel->data);
    if (channel->fd < 0)
        return;
    if (channel->kind == MFG_CHANNEL_PORT)
        on_port_event(channel, events);
    else if ((events & (EPOLLHUP | EPOLLERR)) && !((events & EPOLLIN) && channel->reading))
        channel->events->hung_up(channel->data);
}

bool
mfg_channel_open(struct mfg_channel *channel, struct mfg_loop *loop, int fd,
                 enum mfg_channel_kind kind, const struct mfg_channel_events *events, void *data)
{
    *channel = (struct mfg_channel){
        .kind = kind, .fd = fd, .reading = true, .events = events, .data = data};

    int flags = fcntl(fd, F_GETFL);
    if (flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 &&
        mfg_watch_add(&channel->watch, loop, fd, EPOLLIN, on_event, channel))
        return true;

    int saved = errno;
    mfg_channel_close(channel);
    errno = saved;
    return false;
}

void
mfg_channel_close(struct mfg_channel *channel)
{
    mfg_watch_remove(&channel->watch);
    if (channel->fd >= 0)
        close(channel->fd);
    channel->fd = -1;
}

void
mfg_channel_want(struct mfg_channel *channel, bool reading, bool writing)
{
    channel->reading = reading;
    channel->writing = writing;
    update_watch(channel);
}

/* What a failed transfer means; 0 or -1. */
static ssize_t
judge_failure(void)
{
    return errno == EAGAIN || errno == EINTR ? 0 : -1;
}

ssize_t
mfg_channel_read(struct mfg_channel *channel, void *buffer, size_t size)
{
    ssize_t n = read(channel->fd, buffer, size);

    if (n < 0)
        return judge_failure();
    /* A port without a host reads as empty; only a socket ends that way. */
    return n == 0 && channel->kind == MFG_CHANNEL_SOCKET ? -1 : n;
}

ssize_t
mfg_channel_write(struct mfg_channel *channel, const void *data, size_t size)
{
    ssize_t n = write(channel->fd, data, size);

    return n < 0 ? judge_failure() : n;
}

static int
unix_socket(const char *path, int type, struct sockaddr_un *ret_address)
{
    *ret_address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(ret_address->sun_path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(ret_address->sun_path, path, strlen(path) + 1);
    return socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
}

/* Closes 'fd' when the call on it failed, and keeps errno. */
static int
keep_if(int fd, bool good)
{
    int saved = errno;

    if (good)
        return fd;
    if (fd >= 0)
        close(fd);
    errno = saved;
    return -1;
}

int
mfg_channel_connect(const char *path, int type)
{
    struct sockaddr_un address;
    int fd = unix_socket(path, type, &address);

    return keep_if(fd, fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
}

int
mfg_channel_listen(const char *path, int type)
{
    struct sockaddr_un address;
    struct stat status;
    int fd = unix_socket(path, type, &address);

    if (lstat(path, &status) == 0 && S_ISSOCK(status.st_mode))
        unlink(path);
    return keep_if(fd, fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
                           listen(fd, 1) == 0);
}
