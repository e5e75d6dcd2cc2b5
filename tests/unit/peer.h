/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

#include "wire/transport.h"

/*
 * The other side of a QMP or guest agent client, played from a script over a real socket pair on
 * the test's own main loop. The script is written before it runs: it says what is said and what is
 * expected, in order. A request that is not expected, or that QEMU's own schema does not know
 * (with peer_check_schema()), aborts the test; so does a script that is not played to its end.
 *
 * In what the peer says, these stand for values of the requests so far:
 *   $ID, $ID-1     the "id" of the last request, and of the one before (QMP)
 *   $SYNC, $SYNC-1 the number of the last sync request, and of the one before (guest agent)
 */
typedef struct Peer Peer;

/* *ret_transport is the client's end, owned by the caller. */
Peer *peer_new(MfTransport **ret_transport);
void peer_free(Peer *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Peer, peer_free)

void peer_check_schema(Peer *self);

/* Says everything in pieces of so many bytes; each is read by the client before the next. */
void peer_set_piece(Peer *self, gsize piece);

/* The script. 'arguments' is JSON, NULL for none. */
void peer_expect(Peer *self, const char *command, const char *arguments);
void peer_expect_any(Peer *self, const char *command); /* with any arguments */
void peer_expect_sync(Peer *self);
void peer_say(Peer *self, const char *text);
void peer_hang_up(Peer *self);
void peer_then(Peer *self, void (*function)(gpointer data), gpointer data);

/* Says a greeting, expects qmp_capabilities and answers it. */
void peer_open_qmp(Peer *self);

/* Expects a sync request and answers it. */
void peer_sync(Peer *self);

/* A program that a guest agent runs: a sync, and a guest-exec (NULL: with any arguments) with the
 * pid 7 for an answer; a question for its status, which nothing answers. */
void peer_expect_exec(Peer *self, const char *arguments);
void peer_expect_exec_status(Peer *self);

/* Says the JSON 'value' as the result of the last command, as a guest agent does. */
void peer_return(Peer *self, const char *value);

/* The descriptor that came with the last request, owned by the caller, or -1. */
int peer_take_fd(Peer *self);

/* Runs the main loop until the script is played, all is said, and nothing else is to do at once. */
void peer_play(Peer *self);
