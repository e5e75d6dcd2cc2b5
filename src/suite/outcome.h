/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

#include "run/result.h"

/* How a case ended, for everybody who reports it. */
typedef enum {
    MF_OUTCOME_PASS,
    MF_OUTCOME_FAIL,  /* the command did not do what is expected of it, or the kernel crashed */
    MF_OUTCOME_ERROR, /* nothing is known about the command: the VM or the host failed */
    MF_OUTCOME_SKIP,
} MfOutcome;

const char *mf_outcome_name(MfOutcome outcome); /* "pass", "fail", "error", "skip" */

/* What came of a case whose run ended like this. */
MfOutcome mf_outcome_judge(const MfResult *result);

/* Why it is no pass, in whole sentences; NULL for a pass. Owned by the caller. */
char *mf_outcome_explain(const MfResult *result);

typedef struct {
    MfOutcome outcome;
    char *reason;       /* owned; whole sentences: why it is no pass; NULL for a pass */
    MfResult *result;   /* owned; of the last attempt; NULL when it was skipped */
    guint attempts;     /* 0 when it was skipped */
    gint64 started_us;  /* since the suite's start */
    gint64 duration_us; /* of all attempts */
    char *run_dir;      /* owned; with console.log, stdout, stderr, result.json, qemu.args; or NULL
                         * when it was not kept */
    guint64 bytes[3];   /* that the command wrote, by stream number; [0] is the console */
    GBytes *tail[3];    /* owned; the last of them, at most MF_OUTCOME_TAIL; NULL when none */
} MfOutcomeReport;

#define MF_OUTCOME_TAIL (64u << 10)

void mf_outcome_report_free(MfOutcomeReport *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfOutcomeReport, mf_outcome_report_free)
