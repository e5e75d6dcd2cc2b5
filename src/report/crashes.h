/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "suite/event.h"

/* A fault of a guest's kernel that fails what had it: the same one, by its fingerprint, in however
 * many cases. */
typedef struct {
    const MfSplat *splat; /* borrowed; the first */
    guint count;          /* how often it was seen in all of them */
    GPtrArray *cases;     /* owned; of MfCase, borrowed, in their order */
} MfCrash;

/* Each fault of a suite once, in the order of the cases. Of MF_EVENT_SUITE_FINISHED; owned by the
 * caller: of MfCrash. */
GPtrArray *mf_crashes_of(const MfEvent *finished);

/* "1 crash in 3 targets"; NULL when there was none. Owned by the caller. */
char *mf_crashes_describe(const GPtrArray *crashes);

/* "the fault: the cases", in one line. Owned by the caller. */
char *mf_crash_describe(const MfCrash *self);
