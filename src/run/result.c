/* SPDX-License-Identifier: Apache-2.0 */
#include "run/result.h"

#include "base/error.h"

const char *
mf_verdict_name(MfVerdict verdict)
{
    static const char *const names[] = {
        [MF_VERDICT_EXITED] = "exited",       [MF_VERDICT_SIGNALLED] = "signalled",
        [MF_VERDICT_TIMEOUT] = "timeout",     [MF_VERDICT_CRASHED] = "crashed",
        [MF_VERDICT_FAILED] = "failed",       [MF_VERDICT_CONFIG] = "config",
        [MF_VERDICT_CANCELLED] = "cancelled",
    };

    return names[verdict];
}

const char *
mf_phase_name(MfPhase phase)
{
    static const char *const names[] = {"resolve", "waiting",   "launch",   "boot",
                                        "setup",   "execution", "teardown", "shutdown"};

    G_STATIC_ASSERT(G_N_ELEMENTS(names) == MF_N_PHASES);
    return names[phase];
}

const char *
mf_mark_side_name(MfMarkSide side)
{
    return side == MF_MARK_HOST ? "host" : "guest";
}

MfVerdict
mf_verdict_from_error(const GError *error)
{
    static const struct {
        MfErrorCode code;
        MfVerdict verdict;
    } verdicts[] = {
        {MF_ERROR_CONFIG, MF_VERDICT_CONFIG},
        {MF_ERROR_TIMEOUT, MF_VERDICT_TIMEOUT},
        {MF_ERROR_CANCELLED, MF_VERDICT_CANCELLED},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(verdicts); i++)
        if (g_error_matches(error, MF_ERROR, (int)verdicts[i].code))
            return verdicts[i].verdict;
    return MF_VERDICT_FAILED;
}

MfResult *
mf_result_new(void)
{
    MfResult *self = g_new0(MfResult, 1);

    self->splats = g_ptr_array_new_with_free_func((GDestroyNotify)mf_splat_free);
    self->notes = g_ptr_array_new_with_free_func(g_free);
    self->marks = g_array_new(FALSE, FALSE, sizeof(MfMark));
    return self;
}

void
mf_result_add_mark(MfResult *self, MfMarkSide side, const char *name, gint64 start_us,
                   gint64 end_us)
{
    const MfMark mark = {name, side, start_us, end_us};

    g_array_append_val(self->marks, mark);
}

void
mf_result_add_message(MfResult *self, const char *sentences)
{
    g_autofree char *before = g_steal_pointer(&self->message);

    self->message = before && sentences ? g_strdup_printf("%s %s", before, sentences)
                                        : g_strdup(sentences ? sentences : before);
}

void
mf_result_note_failure(MfResult *self, MfPhase phase, const GError *error)
{
    if (self->passed) {
        self->passed = FALSE;
        self->verdict = mf_verdict_from_error(error);
        self->phase = phase;
    }
    mf_result_add_message(self, error->message);
}

void
mf_result_free(MfResult *self)
{
    if (!self)
        return;
    g_free(self->message);
    g_free(self->boot_id);
    g_free(self->console_tail);
    g_array_unref(self->marks);
    g_clear_pointer(&self->splats, g_ptr_array_unref);
    mf_subtests_free(self->subtests);
    g_clear_pointer(&self->payloads, g_ptr_array_unref);
    g_clear_pointer(&self->metrics, g_ptr_array_unref);
    g_clear_pointer(&self->notes, g_ptr_array_unref);
    g_free(self);
}

void
mf_result_add_subtests(MfResult *self, MfSubtests *from)
{
    if (!self->subtests)
        self->subtests = mf_subtests_new();
    mf_subtests_merge(self->subtests, from, NULL);
}

void
mf_result_judge_subtests(MfResult *self)
{
    g_autofree char *failures = self->subtests ? mf_subtests_explain(self->subtests) : NULL;

    if (!failures)
        return;
    self->passed = FALSE;
    mf_result_add_message(self, failures);
}
