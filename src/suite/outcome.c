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

MfOutcome
mf_outcome_judge(const MfResult *result)
{
    if (result->passed)
        return MF_OUTCOME_PASS;
    switch (result->verdict) {
    case MF_VERDICT_EXITED:
    case MF_VERDICT_SIGNALLED:
    case MF_VERDICT_CRASHED:
        return MF_OUTCOME_FAIL;
    case MF_VERDICT_TIMEOUT:
        return result->phase == MF_PHASE_EXECUTE ? MF_OUTCOME_FAIL : MF_OUTCOME_ERROR;
    case MF_VERDICT_FAILED:
    case MF_VERDICT_CONFIG:
    case MF_VERDICT_CANCELLED:
        break;
    }
    return MF_OUTCOME_ERROR;
}

char *
mf_outcome_explain(const MfResult *result)
{
    if (result->passed)
        return NULL;
    if (result->message)
        return g_strdup(result->message);
    if (result->verdict == MF_VERDICT_SIGNALLED)
        return g_strdup_printf("The command was killed by signal %d (%s).", result->signal_number,
                               g_strsignal(result->signal_number));
    return g_strdup_printf("The command exited with status %d.", result->status);
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
