/* SPDX-License-Identifier: Apache-2.0 */
#include "run/payload-result.h"

MfPayloadResult *
mf_payload_result_new(const char *name, guint index, guint repetition)
{
    MfPayloadResult *self = g_new0(MfPayloadResult, 1);

    self->name = g_strdup(name);
    self->index = index;
    self->repetition = repetition;
    self->passed = TRUE;
    self->details = g_ptr_array_new_with_free_func(g_free);
    self->metrics = g_ptr_array_new();
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
