/* SPDX-License-Identifier: Apache-2.0 */
#include "report/output-policy.h"

#include "base/parse.h"

static const char *const names[] = {
    [MF_OUTPUT_ON_FAILURE] = "on-failure",
    [MF_OUTPUT_LIVE] = "live",
    [MF_OUTPUT_NEVER] = "never",
    NULL,
};

gboolean
mf_output_policy_parse(const char *text, MfOutputPolicy *ret_policy, GError **error)
{
    guint index;

    if (!mf_parse_choice(text, "a time to show output", names, &index, error))
        return FALSE;
    *ret_policy = (MfOutputPolicy)index;
    return TRUE;
}
