/* SPDX-License-Identifier: Apache-2.0 */
#include "base/shell.h"

#include <string.h>

char *
mf_shell_quote(const char *bytes)
{
    GString *quoted = g_string_new("'");

    for (; *bytes; bytes++) {
        if (*bytes == '\'')
            g_string_append(quoted, "'\\''");
        else
            g_string_append_c(quoted, *bytes);
    }
    g_string_append_c(quoted, '\'');
    return g_string_free(quoted, FALSE);
}

char *
mf_shell_quote_if_needed(const char *bytes)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "%+,-./:=@_";

    if (*bytes && bytes[strspn(bytes, plain)] == '\0')
        return g_strdup(bytes);
    return mf_shell_quote(bytes);
}

char *
mf_shell_quote_strv(const char *const *words)
{
    GString *text = g_string_new(NULL);

    for (; *words; words++) {
        g_autofree char *quoted = mf_shell_quote(*words);

        if (text->len)
            g_string_append_c(text, ' ');
        g_string_append(text, quoted);
    }
    return g_string_free(text, FALSE);
}
