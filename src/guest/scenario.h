/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/stream.h"

/*
 * The door by which programs in the guest send frames of their scenario to the host: see
 * wire/guest-protocol.h. Anybody may come, so that nothing here grows with who does: of many
 * clients that say nothing the oldest is shown out, what a client sends waits in its socket as long
 * as the stream has no room, and only some requests at a time wait for the host.
 */
#define MFG_SCENARIO_CLIENTS_MAX  16
#define MFG_SCENARIO_REQUESTS_MAX 4

struct mfg_scenario_client {
    struct mfg_scenario *scenario; /* borrowed */
    struct mfg_watch watch;
    int fd;                /* owned; -1: nobody */
    uint64_t turn;         /* when it was last heard, in the order of all */
    bool waits_for_room;   /* it may have something to send, and the stream has no room */
    uint32_t asked_as;     /* the request's id by its own count, while the host has not answered */
    uint32_t forwarded_as; /* and by ours, which is not 0 then */
};

struct mfg_scenario {
    struct mfg_loop *loop;     /* borrowed */
    struct mfg_stream *stream; /* borrowed */
    struct mfg_watch listener;
    int listen_fd; /* owned; -1: closed */
    struct mfg_scenario_client clients[MFG_SCENARIO_CLIENTS_MAX];
    uint64_t turn;
    uint32_t last_request;
    int64_t started_ms; /* by mfg_clock_ms(); 0: no scenario has started */
};

void
mfg_scenario_init(struct mfg_scenario *scenario, struct mfg_loop *loop, struct mfg_stream *stream);
void mfg_scenario_clear(struct mfg_scenario *scenario);

/* Lets everybody come to 'path'. Returns false with errno. */
bool mfg_scenario_listen(struct mfg_scenario *scenario, const char *path);

/* The stream has room again: sends for one of those who waited, and lets the others try. */
void mfg_scenario_resume(struct mfg_scenario *scenario);

/* The host's answer, SNRP, for whoever asked. Returns whether the frame is one. */
bool mfg_scenario_take_frame(struct mfg_scenario *scenario, const struct mf_frame *frame);
