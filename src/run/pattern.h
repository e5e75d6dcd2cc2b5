/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * Regular expressions of Perl's kind for what a guest says: one that would try for ever is given up
 * with an error, so that no guest can hold mayfly up with what it writes.
 */

/* MF_ERROR_CONFIG with the position in the pattern. */
GRegex *mf_pattern_compile(const char *pattern, GRegexCompileFlags flags, GError **error);

/* The same of each of a NULL-terminated array: of GRegex, owned by the caller. */
GPtrArray *
mf_pattern_compile_all(const char *const *patterns, GRegexCompileFlags flags, GError **error);

/* The pattern as it was written. Borrowed. */
const char *mf_pattern_get_text(const GRegex *self);
