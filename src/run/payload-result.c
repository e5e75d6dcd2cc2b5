/* SPDX-License-Identifier: Apache-2.0 */
#include "run/payload-result.h"

#include "base/parse.h"
#include "run/metric.h"

/* As timeout(1) has it. */
#define STATUS_TIMED_OUT 124

/* Of the details, those that the message has; and so many notes. */
#define EXPLAINED_MAX 10

MfPayloadResult *
mf_payload_result_new(const char *name, guint index, guint repetition)
{
    MfPayloadResult *self = g_new0(MfPayloadResult, 1);

    self->name = g_strdup(name);
    self->index = index;
    self->repetition = repetition;
    self->passed = TRUE;
    self->details = g_ptr_array_new_with_free_func(g_free);
    self->metrics = mf_metrics_new();
    return self;
}

void
mf_payload_result_free(MfPayloadResult *self)
{
    if (!self)
        return;
    g_free(self->name);
    g_ptr_array_unref(self->details);
    g_ptr_array_unref(self->metrics);
    g_free(self->missing);
    g_free(self->stdout_tail);
    g_free(self->stderr_tail);
    g_free(self);
}

void
mf_payload_result_fail(MfPayloadResult *self, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_ptr_array_add(self->details, g_strdup_vprintf(format, args));
    va_end(args);
    self->passed = FALSE;
}

int
mf_payload_results_status(const GPtrArray *results)
{
    for (guint i = 0; i < results->len; i++) {
        const MfPayloadResult *result = g_ptr_array_index(results, i);

        if (result->passed)
            continue;
        if (result->timed_out)
            return STATUS_TIMED_OUT;
        return result->status ? result->status : 1;
    }
    return 0;
}

static void
explain_one(GString *text, const MfPayloadResult *result, guint repeat, guint *explained)
{
    for (guint i = 0; i < result->details->len; i++) {
        if (++*explained > EXPLAINED_MAX)
            continue;
        g_string_append_printf(text, "%sPayload '%s'", text->len > 0 ? " " : "", result->name);
        if (repeat > 1)
            g_string_append_printf(text, " (repetition %u of %u)", result->repetition + 1, repeat);
        g_string_append_printf(text, ": %s", (const char *)g_ptr_array_index(result->details, i));
    }
}

char *
mf_payload_results_explain(const GPtrArray *results, guint repeat)
{
    GString *text = g_string_new(NULL);
    guint explained = 0;

    for (guint i = 0; i < results->len; i++)
        explain_one(text, g_ptr_array_index(results, i), repeat, &explained);
    if (explained > EXPLAINED_MAX)
        g_string_append_printf(text, " %u more things failed.", explained - EXPLAINED_MAX);
    return g_string_free(text, text->len == 0);
}

static char *
note_discarded(const MfPayloadResult *result, int fd)
{
    g_autofree char *all = mf_format_size(result->bytes[fd]);
    g_autofree char *lost = mf_format_size(result->discarded[fd]);

    return g_strdup_printf("Payload '%s' wrote %s to its standard %s: the last %s of it was not "
                           "kept.",
                           result->name, all, fd == 1 ? "output" : "error", lost);
}

void
mf_payload_results_add_notes(const GPtrArray *results, GPtrArray *notes)
{
    guint noted = 0;

    for (guint i = 0; i < results->len; i++) {
        const MfPayloadResult *result = g_ptr_array_index(results, i);

        for (int fd = 1; fd <= 2; fd++)
            if (result->discarded[fd] > 0 && ++noted <= EXPLAINED_MAX)
                g_ptr_array_add(notes, note_discarded(result, fd));
        if (result->missing && ++noted <= EXPLAINED_MAX)
            g_ptr_array_add(notes, g_strdup(result->missing));
    }
}
