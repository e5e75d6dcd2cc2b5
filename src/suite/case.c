/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/case.h"

void
mf_case_free(MfCase *self)
{
    if (!self)
        return;
    g_free(self->name);
    g_free(self->id);
    g_strfreev(self->tags);
    mf_target_free(self->target);
    g_free(self->skip_reason);
    g_free(self->file);
    g_free(self);
}
