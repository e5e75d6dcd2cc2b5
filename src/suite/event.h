/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "suite/case.h"
#include "suite/outcome.h"
#include "suite/shard.h"

/*
 * What happens while a suite runs: one stream of events, and any number of writers that read it
 * and nothing else, so that no two reports can disagree. Everything is borrowed for the call.
 */
typedef enum {
    MF_EVENT_SUITE_STARTED,  /* cases, jobs */
    MF_EVENT_CASE_STARTED,   /* index, attempt; once for each attempt */
    MF_EVENT_CASE_PHASE,     /* index, phase */
    MF_EVENT_CASE_OUTPUT,    /* index, stream, bytes */
    MF_EVENT_CASE_FINISHED,  /* index, outcome; once for each case, skipped ones included */
    MF_EVENT_SUITE_FINISHED, /* outcomes; cases that were never started have NULL */
} MfEventKind;

typedef struct {
    MfEventKind kind;
    gint64 time_us;         /* since the suite's start */
    const GPtrArray *cases; /* of MfCase, in the file's order; the same in every event */
    MfShard shard;          /* that 'cases' are; the same in every event */
    guint jobs;             /* that run at once */
    guint index;            /* of the case */
    guint attempt;          /* from 1 */
    MfPhase phase;
    int stream; /* 1 and 2; 0 is the console */
    GBytes *bytes;
    const MfOutcomeReport *outcome;
    const GPtrArray *outcomes; /* of MfOutcomeReport or NULL, by the cases' indexes */
    const GArray *missing;     /* SUITE_FINISHED: of MfShard; what was joined lacks them; or NULL */
    const char *interrupted;   /* SUITE_FINISHED: why it ended early, a sentence; or NULL */
    gint64 wall_time_us;       /* SUITE_STARTED: of the start, since 1970 */
} MfEvent;

/* A reader of the stream. */
typedef void (*MfEventFunc)(const MfEvent *event, gpointer user_data);
