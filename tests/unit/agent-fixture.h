/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "peer.h"
#include "wire/qga.h"

/* One call of something that asks a scripted guest agent. A test's own fixture begins with it. */
typedef struct {
    Peer *peer;
    MfQga *qga;
    GCancellable *cancellable;
    guint returns; /* of the call; the test's callback counts them */
    GError *error; /* the callback's */
} AgentFixture;

void agent_fixture_set_up(AgentFixture *self, gconstpointer unused);
void agent_fixture_tear_down(AgentFixture *self, gconstpointer unused);

/* The program that the agent runs has ended so: members of the answer to guest-exec-status. */
void agent_fixture_expect_end(AgentFixture *self, const char *arguments, const char *status);

/* For peer_then(). */
void agent_fixture_cancel(gpointer fixture);

/* Plays the agent's script, and runs the main loop until the call has returned, once. */
void agent_fixture_play(AgentFixture *self);
