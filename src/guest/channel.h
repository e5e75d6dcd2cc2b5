/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "guest/loop.h"

/*
 * A non-blocking channel to the host: a virtio-serial port, or, outside a VM, a unix socket.
 *
 * They differ in what a hang-up means. A socket is over then. A port is not: the host may open its
 * end again, so the channel waits for that, without spinning on the hang-up that the kernel reports
 * all the while.
 */
enum mfg_channel_kind { MFG_CHANNEL_PORT, MFG_CHANNEL_SOCKET };

struct mfg_channel_events {
    void (*readable)(void *data);
    void (*writable)(void *data);
    /* A port's host end was closed (once each time), or a socket is over. */
    void (*hung_up)(void *data);
};

struct mfg_channel {
    struct mfg_watch watch;
    enum mfg_channel_kind kind;
    int fd; /* owned; -1 when closed */
    bool reading, writing;
    bool hung_up; /* of a port */
    const struct mfg_channel_events *events;
    void *data;
};

/* Takes over 'fd', in any case; makes it non-blocking and starts reading. Returns false with errno.
 */
bool
mfg_channel_open(struct mfg_channel *channel, struct mfg_loop *loop, int fd,
                 enum mfg_channel_kind kind, const struct mfg_channel_events *events, void *data);
void mfg_channel_close(struct mfg_channel *channel);

/* Which of readable() and writable() to call from now on. */
void mfg_channel_want(struct mfg_channel *channel, bool reading, bool writing);

/* Both return how much was transferred, 0 when nothing can be now, and -1 when the peer is gone for
 * good: then the caller closes the channel. */
ssize_t mfg_channel_read(struct mfg_channel *channel, void *buffer, size_t size);
ssize_t mfg_channel_write(struct mfg_channel *channel, const void *data, size_t size);

/* Connects to a listening unix socket of 'type' (SOCK_STREAM, SOCK_SEQPACKET). Returns the
 * descriptor, or -1 with errno. */
int mfg_channel_connect(const char *path, int type);

/* A unix socket of 'type' that listens at 'path'; one left there by an earlier agent is replaced.
 * Returns the descriptor, or -1 with errno. */
int mfg_channel_listen(const char *path, int type);
