/* SPDX-License-Identifier: Apache-2.0 */
#include "run/pattern.h"

#include <string.h>

#include "base/error.h"

/* PCRE reads its limit of tries from the pattern itself. Enough for whatever matches a line, and
 * used up in milliseconds. */
#define LIMIT "(*LIMIT_MATCH=200000)"

GRegex *
mf_pattern_compile(const char *pattern, GRegexCompileFlags flags, GError **error)
{
    g_autofree char *limited = g_strconcat(LIMIT, pattern, NULL);
    g_autoptr(GError) reason = NULL;
    /* By itself first: what is wrong is told with its place in what was written. */
    g_autoptr(GRegex) plain = g_regex_new(pattern, flags, 0, &reason);
    GRegex *regex = plain ? g_regex_new(limited, flags, 0, &reason) : NULL;

    if (!regex)
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG, "The pattern '%s' cannot be used: %s.",
                    pattern, reason->message);
    return regex;
}

GPtrArray *
mf_pattern_compile_all(const char *const *patterns, GRegexCompileFlags flags, GError **error)
{
    g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func((GDestroyNotify)g_regex_unref);

    for (; patterns && *patterns; patterns++) {
        GRegex *regex = mf_pattern_compile(*patterns, flags, error);

        if (!regex)
            return NULL;
        g_ptr_array_add(all, regex);
    }
    return g_steal_pointer(&all);
}

const char *
mf_pattern_get_text(const GRegex *self)
{
    return g_regex_get_pattern(self) + strlen(LIMIT);
}
