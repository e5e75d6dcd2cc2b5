/* SPDX-License-Identifier: Apache-2.0 */
#include "report/tally.h"

#include "report/text.h"

void
mf_tally_add(MfTally *self, const MfOutcomeReport *outcome)
{
    self->total++;
    if (!outcome) {
        self->not_run++;
        return;
    }
    self->outcomes[outcome->outcome]++;
    if (outcome->outcome == MF_OUTCOME_PASS && outcome->attempts > 1)
        self->retried++;
}

MfTally
mf_tally_of(const MfEvent *finished)
{
    MfTally tally = {0};

    for (guint i = 0; i < finished->outcomes->len; i++)
        mf_tally_add(&tally, g_ptr_array_index(finished->outcomes, i));
    return tally;
}

const char *
mf_tally_outcome_name(const MfOutcomeReport *outcome)
{
    return outcome ? mf_outcome_name(outcome->outcome) : "not-run";
}

char *
mf_tally_describe(const MfTally *self)
{
    const struct {
        guint count;
        const char *word;
    } parts[] = {
        {self->outcomes[MF_OUTCOME_PASS], "passed"},
        {self->outcomes[MF_OUTCOME_FAIL], "failed"},
        {self->outcomes[MF_OUTCOME_ERROR], "could not be judged"},
        {self->outcomes[MF_OUTCOME_SKIP], "skipped"},
        {self->not_run, "not run"},
    };
    g_autofree char *total = mf_text_count(self->total, "target");
    GString *text = g_string_new(total);
    const char *separator = ": ";

    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
        if (parts[i].count == 0)
            continue;
        g_string_append_printf(text, "%s%u %s", separator, parts[i].count, parts[i].word);
        separator = ", ";
    }
    if (self->retried > 0)
        g_string_append_printf(text, " (%u passed only when retried)", self->retried);
    return g_string_free(text, FALSE);
}
