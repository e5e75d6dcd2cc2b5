/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* g_regex_new(), whose failure is the reason alone, fit for the end of a sentence: "missing
 * terminating ] for character class (at character 4)". NULL with *ret_reason, owned by the caller.
 */
GRegex *mf_regex_new(const char *pattern, GRegexCompileFlags flags, char **ret_reason);
