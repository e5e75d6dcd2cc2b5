/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "suite/event.h"

/* How many cases ended how. */
typedef struct {
    guint total;
    guint outcomes[MF_OUTCOME_SKIP + 1]; /* by MfOutcome */
    guint not_run;
    guint retried; /* passed, but not at the first attempt */
} MfTally;

void mf_tally_add(MfTally *self, const MfOutcomeReport *outcome);

/* Of MF_EVENT_SUITE_FINISHED. */
MfTally mf_tally_of(const MfEvent *finished);

/* As every report names it: mf_outcome_name(), or "not-run" for NULL. */
const char *mf_tally_outcome_name(const MfOutcomeReport *outcome);

/* "3 targets: 1 passed, 1 failed, 1 skipped". Owned by the caller. */
char *mf_tally_describe(const MfTally *self);
