/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "report/output-policy.h"
#include "suite/event.h"

/*
 * What is said to a person about a suite, in whole lines that end with newlines, appended to 'to'.
 * Nothing of it but the colours can do something to a terminal, whatever the guest wrote.
 */

/* "Running 24 targets, 4 at a time." Of MF_EVENT_SUITE_STARTED. */
void mf_prose_append_opening(GString *to, const MfEvent *started);

/* "PASS  [ 3/24] generic (12.3s)": one line about a finished case, the 'number'th of them. */
void mf_prose_append_headline(GString *to, const MfEvent *finished, guint number, gboolean colours);

/* Why it did not pass, what else is worth knowing (the notes of its result, the metrics that have a
 * unit or a polarity), where it is written and what was kept of it, below the headline; notes and
 * metrics alone for one that passed. 'policy' says
 * what there is of the output. */
void mf_prose_append_detail(GString *to, const MfCase *kase, const MfOutcomeReport *outcome,
                            MfOutputPolicy policy);

/* How it all ended, which did not pass, and which took longest. Of MF_EVENT_SUITE_FINISHED. */
void mf_prose_append_closing(GString *to, const MfEvent *finished, gboolean colours);

/* "3 sub-tests", "1 of 3 sub-tests failed"; NULL when there are none. Owned by the caller. */
char *mf_prose_subtests(const MfOutcomeReport *outcome);

/* A duration as it is shown everywhere: "12.3s". Owned by the caller. */
char *mf_prose_duration(gint64 duration_us);
