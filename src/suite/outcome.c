/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/outcome.h"

const char *
mf_outcome_name(MfOutcome outcome)
{
    static const char *const names[] = {
        [MF_OUTCOME_PASS] = "pass",
        [MF_OUTCOME_FAIL] = "fail",
        [MF_OUTCOME_ERROR] = "error",
        [MF_OUTCOME_SKIP] = "skip",
    };

    return names[outcome];
}

void
mf_outcome_report_free(MfOutcomeReport *self)
{
    if (!self)
        return;
    g_free(self->reason);
    mf_result_free(self->result);
    g_free(self->run_dir);
    for (int stream = 0; stream < 3; stream++)
        g_clear_pointer(&self->tail[stream], g_bytes_unref);
    g_free(self);
}
