/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "run/stream.h"
#include "wire/frame.h"

/* The guest's end of the frames, over a real socket pair on the test's own main loop: says what it
 * is told to, and writes down what it hears. */
typedef struct {
    int fd;                          /* owned; -1 when hung up */
    struct mf_frame_assembler input; /* owned */
    GByteArray *saying;              /* owned */
    gsize said;                      /* of it */
    guint read_source, write_source;
    GString *heard;        /* owned; "TAG:<bytes in hex> " for each frame but SINP */
    GByteArray *stdin_got; /* owned; what the SINP frames carried */
} StreamPeer;

/* *ret_stream is the host's end, owned by the caller. */
StreamPeer *stream_peer_new(MfStream **ret_stream);
void stream_peer_free(StreamPeer *self);

void stream_peer_say(StreamPeer *self, guint32 type, gconstpointer payload, gsize size);
void stream_peer_say_text(StreamPeer *self, guint32 type, const char *text);
void stream_peer_say_u32(StreamPeer *self, guint32 type, guint32 value);
void stream_peer_say_bytes(StreamPeer *self, gconstpointer bytes, gsize size);

/* Flips the checksum of the frame that was said last, which has that much payload. */
void stream_peer_tear(StreamPeer *self, gsize payload_size);

/* Stops or starts to read what the host says. */
void stream_peer_set_reading(StreamPeer *self, gboolean reading);

/* What was said and has not gone into the socket. */
gsize stream_peer_get_unsent(const StreamPeer *self);

void stream_peer_hang_up(StreamPeer *self);

/* Runs the main loop until there is nothing to do at once. */
void stream_peer_settle(void);
