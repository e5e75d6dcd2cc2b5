/* SPDX-License-Identifier: Apache-2.0 */
#include "base/regex.h"

#include <string.h>

/* "Error while compiling regular expression 'x[' at char 2: missing ...": the end of that, and the
 * number ahead of it. Owned by the caller. */
static char *
extract_reason(const char *message)
{
    const char *colon = strrchr(message, ':');
    const char *number = colon;

    if (!colon || !colon[1])
        return g_strdup(message);
    while (number > message && g_ascii_isdigit(number[-1]))
        number--;
    if (number == colon)
        return g_strdup(colon + 2);
    return g_strdup_printf("%s (at character %.*s)", colon + 2, (int)(colon - number), number);
}

GRegex *
mf_regex_new(const char *pattern, GRegexCompileFlags flags, char **ret_reason)
{
    g_autoptr(GError) error = NULL;
    GRegex *regex = g_regex_new(pattern, flags, 0, &error);

    if (!regex)
        *ret_reason = extract_reason(error->message);
    return regex;
}
