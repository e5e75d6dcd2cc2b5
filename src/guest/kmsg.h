/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "guest/stream.h"

/*
 * The kernel's log as DMSG frames. The kernel keeps what the stream has no room for, and says when
 * it had to drop some of it, so nothing is queued here.
 */
#define MFG_KMSG_RECORD_MAX 8192 /* what the kernel gives at most */

struct mfg_kmsg {
    struct mfg_watch watch;
    struct mfg_stream *stream;     /* borrowed */
    int fd;                        /* owned; -1 when closed */
    void (*caught_up)(void *data); /* NULL when it was called */
    void *data;
    unsigned int passes;
};

/* Starts with the oldest record that the kernel still has. caught_up(data) is called once, when all
 * that was there is on its way, or is too much to wait for; at once when there is no /dev/kmsg,
 * which is logged. */
void mfg_kmsg_open(struct mfg_kmsg *kmsg, struct mfg_loop *loop, struct mfg_stream *stream,
                   void (*caught_up)(void *data), void *data);
void mfg_kmsg_close(struct mfg_kmsg *kmsg);

/* Sends what the kernel has said until now, as far as the stream has room. */
void mfg_kmsg_flush(struct mfg_kmsg *kmsg);

/* The stream has room again. */
void mfg_kmsg_resume(struct mfg_kmsg *kmsg);

/* Turns one record of /dev/kmsg into a line as dmesg(1) has it, newline included, without a final
 * NUL. Returns its length; 0 for what is no record, or when it is longer than 'line_size'. */
size_t mfg_kmsg_format(const char *record, size_t size, char *line, size_t line_size);
