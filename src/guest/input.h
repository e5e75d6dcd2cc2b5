/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/stream.h"

/*
 * The standard input of a command: bytes from the host wait in a buffer of the size that the host
 * may send unacknowledged, and are acknowledged (SINA) as the command takes them. When the command
 * does not read its input any more, what comes is acknowledged and thrown away, as a local command
 * leaves its input unread.
 */
struct mfg_input {
    struct mfg_watch watch;
    struct mfg_stream *stream; /* borrowed */
    int fd;                    /* owned; -1: nobody reads */
    bool is_terminal;
    bool ended;         /* no more will come */
    bool at_line_start; /* of a terminal */
    uint8_t *data;      /* owned, MF_STDIN_WINDOW bytes */
    size_t start, end;
    uint32_t unacknowledged;
};

/* Takes over 'fd'; -1 for a command that has no input. Returns false with errno. */
bool mfg_input_open(struct mfg_input *input, struct mfg_loop *loop, struct mfg_stream *stream,
                    int fd, bool is_terminal);

/* Bytes from the host. Those beyond the window are logged and dropped. */
void mfg_input_take(struct mfg_input *input, const uint8_t *data, size_t size);

/* No more will come: the command sees the end when it has read the rest. */
void mfg_input_end(struct mfg_input *input);

/* The stream has room again. */
void mfg_input_resume(struct mfg_input *input);

/* Nobody is to read it: what waits and what comes is acknowledged and thrown away. */
void mfg_input_discard(struct mfg_input *input);

/* The command is over: nothing is acknowledged any more, as that would count for the next one. */
void mfg_input_close(struct mfg_input *input);
