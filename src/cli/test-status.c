/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/test-status.h"

#include "cli/cli.h"
#include "suite/outcome.h"

int
mf_test_exit_status(const GPtrArray *outcomes, gboolean skip_missing, int cancel_signal)
{
    guint failed = 0, skipped = 0;
    const MfOutcomeReport *only = outcomes->len == 1 ? outcomes->pdata[0] : NULL;

    if (cancel_signal)
        return MF_EXIT_SIGNAL_BASE + cancel_signal;
    if (only && only->outcome != MF_OUTCOME_SKIP)
        return mf_cli_exit_status(only->result, 0);
    for (guint i = 0; i < outcomes->len; i++) {
        const MfOutcomeReport *report = outcomes->pdata[i];

        if (!report)
            continue;
        if (report->outcome == MF_OUTCOME_SKIP)
            skipped++;
        else if (report->outcome != MF_OUTCOME_PASS)
            failed++;
    }
    if (skip_missing && skipped > 0 && skipped == outcomes->len)
        return MF_EXIT_SKIPPED;
    return (int)MIN(failed, MF_TEST_FAILURES_MAX);
}
