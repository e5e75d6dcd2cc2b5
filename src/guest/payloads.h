/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "guest/payload.h"

/*
 * All payloads that the host has started by frames on one stream: takes the frames that are for
 * them, and sends what they write and how they end (wire/guest-protocol.h), in turns, so that none
 * waits for another's output.
 */
struct mfg_payloads {
    struct mfg_payload_place place;
    bool sending;
    bool is_idle;               /* there is none */
    void (*ending)(void *data); /* before a PMET is queued; or NULL */
    void *data;
};

/* The object must stay where it is. */
void mfg_payloads_init(struct mfg_payloads *payloads, struct mfg_loop *loop,
                       struct mfg_stream *stream, struct mfg_children *children);

/* Kills what runs and forgets all of them. */
void mfg_payloads_clear(struct mfg_payloads *payloads);

/* Does what a PRUN, PSIG or PKIL frame asks for. Returns whether it was one of them; one that is
 * malformed or for a payload that is not there is logged or does nothing. */
bool mfg_payloads_take_frame(struct mfg_payloads *payloads, const struct mf_frame *frame);

/* The stream has room again. */
void mfg_payloads_resume(struct mfg_payloads *payloads);

/* Nobody collects them any more: what runs is killed, and that is logged. */
void mfg_payloads_drop(struct mfg_payloads *payloads);
