/* SPDX-License-Identifier: Apache-2.0 */
#include "run/expect.h"

MfExpect *
mf_expect_new(void)
{
    return g_new0(MfExpect, 1);
}

void
mf_expect_free(MfExpect *self)
{
    if (!self)
        return;
    g_free(self->stdout_match);
    g_free(self->stderr_match);
    g_free(self);
}
