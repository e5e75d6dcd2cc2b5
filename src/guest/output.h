/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/stream.h"

/*
 * One output of a command, from its pipe or terminal into frames of one type, ended by a frame
 * without payload.
 */
struct mfg_output {
    struct mfg_watch watch;
    struct mfg_stream *stream; /* borrowed */
    uint32_t type;
    int fd; /* owned; -1: ended */
    bool counting;
    size_t owed;
    void (*progressed)(void *data);
    void *data;
};

/* Takes over 'fd'; -1 for an output that does not exist, which ends at once. Calls progressed(data)
 * whenever mfg_output_is_owed() or mfg_output_is_open() may have changed. */
void mfg_output_open(struct mfg_output *output, struct mfg_loop *loop, struct mfg_stream *stream,
                     uint32_t type, int fd, void (*progressed)(void *data), void *data);

bool mfg_output_is_open(const struct mfg_output *output);

/* The command has exited: from now on 'owed' counts what it had written by then and was not sent
 * yet. */
void mfg_output_note_exit(struct mfg_output *output);
bool mfg_output_is_owed(const struct mfg_output *output);

/* The stream has room again. */
void mfg_output_resume(struct mfg_output *output);

/* Nobody reads it any more: closes the pipe, so that the next write to it fails. */
void mfg_output_close(struct mfg_output *output);

/* The same without a frame, for the end of everything. */
void mfg_output_clear(struct mfg_output *output);

/* Outputs that nobody reads, but whose writers are not to be disturbed: read and thrown away until
 * their end. */
struct mfg_drain;

/* Moves an open output to the list 'drains', and sends its end. */
void mfg_output_abandon(struct mfg_output *output, struct mfg_drain **drains);
void mfg_output_clear_drains(struct mfg_drain **drains);
