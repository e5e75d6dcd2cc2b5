/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* How one invocation of a payload ended. */
typedef struct {
    char *name;       /* owned; of the payload */
    guint index;      /* of the invocation, from 0 in the order in which they started */
    guint repetition; /* of the target's steps, from 0 */

    gint64 start_us; /* when it was started, since the first step */

    gboolean ended;         /* the guest has told of the end: the numbers below are known */
    int status;             /* 0..255; 128 + signal_number when a signal killed it */
    int signal_number;      /* 0: it exited */
    gboolean timed_out;     /* and was killed for it */
    gboolean killed;        /* by a step, or at the end of the steps */
    gboolean not_collected; /* it was spawned, and no step waited for it or killed it */
    gint64 duration_us;
    guint64 bytes[3];     /* that it wrote; indexes 1 and 2 */
    guint64 discarded[3]; /* of them, at the end: not kept and not shown */

    gboolean passed;
    GPtrArray *details; /* owned; of char *: one sentence for each thing that failed */
    GPtrArray *metrics; /* owned; of MfMetric */

    char *missing; /* owned; a sentence: which metrics that somebody might look for it did not
                    * give; or NULL */

    /* Owned; the last of each stream: at most MF_PAYLOAD_TAIL_MAX bytes of valid UTF-8. */
    char *stdout_tail, *stderr_tail;
} MfPayloadResult;

#define MF_PAYLOAD_TAIL_MAX 4096

/* Of an invocation that just starts. */
MfPayloadResult *mf_payload_result_new(const char *name, guint index, guint repetition);
void mf_payload_result_free(MfPayloadResult *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfPayloadResult, mf_payload_result_free)

/* Adds a detail, and it does not pass any more. */
void mf_payload_result_fail(MfPayloadResult *self, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* What a target with these payloads (of MfPayloadResult) comes to as an exit status: 0 when all of
 * them passed, else that of the first that did not; 124 when its time was over, and 1 when it
 * exited with 0. */
int mf_payload_results_status(const GPtrArray *results);

/* What failed, a sentence for each detail up to a few; NULL when nothing did. Owned by the caller.
 */
char *mf_payload_results_explain(const GPtrArray *results, guint repeat);

/* Adds to 'notes' (of char *) of which payloads not all output was kept, and which gave no metrics,
 * up to a few. */
void mf_payload_results_add_notes(const GPtrArray *results, GPtrArray *notes);
