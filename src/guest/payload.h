/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/cgroup.h"
#include "guest/children.h"
#include "guest/payload-report.h"
#include "guest/raw-output.h"
#include "guest/stream.h"

#define MFG_PAYLOADS_MAX 64u /* at a time: each takes a few descriptors */

struct mfg_payload;

/* What the payloads of one host have in common. */
struct mfg_payload_place {
    struct mfg_loop *loop;         /* borrowed */
    struct mfg_stream *stream;     /* borrowed */
    struct mfg_children *children; /* borrowed */
    struct mfg_payload *first;     /* owned; those that have not been reported */
    void (*changed)(void *data);   /* one has something for the host, or may be complete */
    void *data;
};

/*
 * One payload: a program that runs beside others in a process group and a control group of its own,
 * and of which nothing is left when it is complete.
 *
 * It ends by itself, or is killed when its time is over or the host says so. Either way all that it
 * leaves behind is killed then: by its control group where it has one to itself, and in any case by
 * its process group, its session and whom it begot. Its pid is signalled only until it was reaped.
 */
struct mfg_payload {
    struct mfg_payload *next;        /* owned; in place->first */
    struct mfg_payload_place *place; /* borrowed */
    uint32_t index;
    char error[1024]; /* it could not be started; or empty */

    struct mfg_child child;
    int pid_fd; /* owned; -1: the kernel has none */
    bool parent_group;
    pid_t session;  /* as of struct mfg_descent */
    uint64_t since; /* the same */
    struct mfg_cgroup cgroup;
    bool is_measured; /* the host has named the control group */
    struct mfg_raw_output outputs[2];

    struct mfg_timer deadline, sweep;
    unsigned int sweeps, freezes;
    int64_t started_us, ended_us;
    bool exited, timed_out, killed, swept;
    int status;
};

/* Starts the payload of a record, and puts it first into the place's list, also one that could not
 * be started: that is complete at once, with an error. Returns false when there is no memory. */
bool
mfg_payload_start(struct mfg_payload_place *place, uint32_t index, const char *record, size_t size);

/* To its process group; nothing happens once it has exited. */
void mfg_payload_signal(struct mfg_payload *payload, int number);

/* KILL to all of it. */
void mfg_payload_kill(struct mfg_payload *payload);

/* Whether it was started and has not exited. */
bool mfg_payload_is_running(const struct mfg_payload *payload);

/* Whether nothing is left of it, neither processes nor output for the host: it can be reported. */
bool mfg_payload_is_complete(const struct mfg_payload *payload);

/* How it ended, for its report. */
void mfg_payload_describe(const struct mfg_payload *payload, struct mfg_payload_end *ret_end);

/* Takes it out of the list and frees it; what still runs is killed, but not waited for. */
void mfg_payload_free(struct mfg_payload *payload);
