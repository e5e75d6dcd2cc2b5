/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "suite/toml.h"

/* The position behind the string that begins at 'at'. What is wrong in it ends it: the parser will
 * get no further either. */
static const char *
skip_string(const char *at, const char *end)
{
    char quote = *at;
    gboolean lines = end - at >= 3 && at[1] == quote && at[2] == quote;

    for (at += lines ? 3 : 1; at < end; at++) {
        if (*at == '\\' && quote == '"') {
            at++;
        } else if (*at == quote && !lines) {
            return at + 1;
        } else if (*at == quote && end - at >= 3 && at[1] == quote && at[2] == quote) {
            /* Two more may be the text's last characters. */
            for (at += 3; at < end && *at == quote; at++)
                ;
            return at;
        } else if (*at == '\n' && !lines) {
            return at;
        }
    }
    return end;
}

gboolean
mf_toml_find_long_key(const char *text, gsize size, gsize *ret_offset)
{
    const char *end = text + size, *key = text;
    guint dots = 0;

    for (const char *at = text; at < end;) {
        if (*at == '#') {
            const char *newline = memchr(at, '\n', (gsize)(end - at));

            at = newline ? newline : end;
        } else if (*at == '"' || *at == '\'') {
            at = skip_string(at, end);
        } else if (strchr("\n=,[]{}", *at) && *at) {
            dots = 0;
            key = ++at;
        } else if (*at++ == '.' && ++dots >= MF_TOML_DEPTH_MAX) {
            *ret_offset = (gsize)(key - text);
            return TRUE;
        }
    }
    return FALSE;
}
