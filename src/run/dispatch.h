/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

#include "run/snapshot-request.h"
#include "wire/frame.h"

/*
 * What each frame of a guest brings about: the one place that knows. A function of the state, the
 * frame and the time, over sinks; it reads no clock and does no I/O, so that any guest can be
 * played to it by a test.
 *
 * The guest is hostile. A frame with a wrong checksum has no effect; a type that only the host
 * sends and a type nobody knows are dropped; what can happen once happens once, and a frame that is
 * refused uses nothing up.
 *
 * Times are nanoseconds since the start of the run. Stamps are at least 1, because 0 is "unset",
 * and sums stop at G_MAXUINT64.
 */

/* Any of them may be NULL. What they are given is borrowed for the call. */
typedef struct {
    /* Evidence for the verdict, verbatim and in order, with a wrong checksum too (look at crc_ok).
     * Not what is only between host and guest: SRDY, CONR, SINA, SOHE, KADR, SNRQ. */
    void (*entry)(const struct mf_frame *frame, gpointer data);

    void (*ready)(gpointer data); /* once */

    /* 'reason' is NULL when all is in effect; else it is fit for a message: bounded, valid UTF-8,
     * no control characters, not empty. 'boot_id' is the kernel's, a UUID in lower case, or NULL.
     * Once for each time that conf_awaited is set. */
    void (*configured)(const char *reason, const char *boot_id, gpointer data);

    /* 'fd' is 1 or 2; no bytes are that stream's end, behind which nothing of it counts. */
    void (*output)(int fd, const guint8 *bytes, gsize size, gpointer data);
    void (*held)(gpointer data); /* the end of an output that comes now is not its writers' */
    void (*acked)(guint32 bytes, gpointer data);
    void (*exited)(int number, gpointer data); /* 0..255, or -signal; once */
    void (*kernel_log)(const guint8 *text, gsize size, gpointer data);

    /* Of a payload that was started; in which order they may come, and how often, is for whoever
     * knows the payload. 'fd' is as above. */
    void (*payload_output)(guint32 index, int fd, const guint8 *bytes, gsize size, gpointer data);
    void (*payload_ended)(guint32 index, const guint8 *json, gsize size, gpointer data);

    void (*scheduler_died)(gpointer data); /* each time; what counts is the member below */
    void (*kernel_address)(gpointer data); /* each time that the member below is set */
    void (*requested)(const MfSnapshotRequest *request, gpointer data);

    /* Of a scenario: each time that the watchdog below may have moved; a metric, in its own words;
     * a piece of its log. */
    void (*moved)(gpointer data);
    void (*metric)(const guint8 *json, gsize size, gpointer data);
    void (*log)(const guint8 *text, gsize size, gpointer data);
} MfDispatchSinks;

/* Initialise with zeros and the first two. */
typedef struct {
    const MfDispatchSinks *sinks; /* borrowed */
    gpointer data;                /* borrowed; for the sinks */

    /* Set by the host. */
    gboolean conf_awaited;     /* CONF was sent; cleared when the answer is in */
    gboolean command_expected; /* by mf_dispatch_expect_command() */
    guint32 n_payloads;        /* that were started, with the indexes below it */
    guint64 budget_ns;         /* how long a scenario may take; 0: no watchdog */

    /* Set by the guest. */
    gboolean ready, exited;
    gboolean ended[3];     /* outputs; indexes 1 and 2 */
    gboolean abandoned[3]; /* of the command before: until its end what comes is that one's */
    gboolean scheduler_dead;
    guint64 kernel_base_plus_1;

    /* The watchdog. A start arms it (each does), a pause stops the time and a resume gives it back;
     * only a resume ends a pause, a start does not. An end leaves another whole budget for cleaning
     * up. */
    guint64 started_ns; /* the first start, budget or not */
    guint64 paused_ns;  /* the pause that lasts */
    guint64 paused_total_ns;
    guint64 deadline_ns;
    gboolean ending; /* the last start has seen its end */
} MfDispatch;

/* A command is about to be started: output and an exit are that one's from now on. The guest ends
 * what the one before has left open, before it sends anything of this one. */
void mf_dispatch_expect_command(MfDispatch *self);

void mf_dispatch_frame(MfDispatch *self, const struct mf_frame *frame, guint64 now_ns);

/* When the watchdog passes; 0 while it stands still, for a pause or before the first start. */
guint64 mf_dispatch_get_deadline(const MfDispatch *self);

/* The guest stood still for that long, by no doing of its own, and gets the time back. In a pause
 * it does anyway. */
void mf_dispatch_give_time(MfDispatch *self, guint64 ns);

/* What the scenario was doing when the watchdog passed, in a sentence. Owned by the caller. */
char *mf_dispatch_explain_overdue(const MfDispatch *self, guint64 now_ns);

/* The longest reason that "configured" gets, in bytes. */
#define MF_DISPATCH_REASON_MAX 4096
