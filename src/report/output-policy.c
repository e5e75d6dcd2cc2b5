/* SPDX-License-Identifier: Apache-2.0 */
#include "report/output-policy.h"

#include "base/error.h"

gboolean
mf_output_policy_parse(const char *text, MfOutputPolicy *ret_policy, GError **error)
{
    static const char *const names[] = {
        [MF_OUTPUT_ON_FAILURE] = "on-failure",
        [MF_OUTPUT_LIVE] = "live",
        [MF_OUTPUT_NEVER] = "never",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        if (g_str_equal(text, names[i])) {
            *ret_policy = (MfOutputPolicy)i;
            return TRUE;
        }
    }
    g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                "'%s' does not say when output is shown: 'live', 'on-failure' or 'never' does.",
                text);
    return FALSE;
}
