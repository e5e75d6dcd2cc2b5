/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* When the terminal shows what a command writes. */
typedef enum {
    MF_OUTPUT_ON_FAILURE, /* the end of it, of those that did not pass */
    MF_OUTPUT_LIVE,       /* all of it, line by line as it comes */
    MF_OUTPUT_NEVER,
} MfOutputPolicy;

/* "live", "on-failure" or "never". MF_ERROR_CONFIG. */
gboolean mf_output_policy_parse(const char *text, MfOutputPolicy *ret_policy, GError **error);
