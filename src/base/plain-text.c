/* SPDX-License-Identifier: Apache-2.0 */
#include "base/plain-text.h"

#include <string.h>

#define ESCAPE '\033'
#define BELL   '\a'

/* ESC ] and its like: a string for the terminal, up to BEL or ESC \. It ends with the line too, so
 * that an unfinished one hides no more than that. */
static const char *
skip_string(const char *at)
{
    while (*at && *at != '\n' && *at != BELL && *at != ESCAPE)
        at++;
    if (*at == BELL)
        return at + 1;
    return at[0] == ESCAPE && at[1] == '\\' ? at + 2 : at;
}

/* Behind the escape sequence that begins at 'at' (ECMA-48): ESC [ parameters letter, a string, or
 * ESC, intermediates and one character. */
static const char *
skip_escape(const char *at)
{
    at++;
    if (*at && strchr("]PX^_", *at))
        return skip_string(at + 1);
    if (*at == '[') {
        for (at++; *at >= 0x20 && *at < 0x40; at++)
            ;
    } else {
        while (*at >= 0x20 && *at < 0x30)
            at++;
    }
    /* A line's end is never part of one. */
    return *at >= 0x20 && *at < 0x7f ? at + 1 : at;
}

static gboolean
is_shown(gunichar c)
{
    return c == '\n' || c == '\t' || (c >= 0x20 && c < 0x7f) || c >= 0xa0;
}

char *
mf_plain_text(const void *data, gsize size)
{
    g_autofree char *valid = g_utf8_make_valid(data, (gssize)size);
    GString *clean = g_string_sized_new(strlen(valid));

    for (const char *at = valid; *at;) {
        if (*at == ESCAPE) {
            at = skip_escape(at);
            continue;
        }
        if (*at == '\r') {
            at += strspn(at, "\r");
            if (*at && *at != '\n')
                g_string_append_c(clean, '\n');
            continue;
        }

        gunichar c = g_utf8_get_char(at);
        /* The two noncharacters that XML does not know. */
        if (c == 0xfffe || c == 0xffff)
            c = 0xfffd;
        if (is_shown(c))
            g_string_append_unichar(clean, c);
        at = g_utf8_next_char(at);
    }
    return g_string_free(clean, FALSE);
}

char *
mf_plain_line(const void *data, gsize size, gsize max)
{
    char *line = g_strstrip(g_strdelimit(mf_plain_text(data, size), "\n\t", ' '));

    mf_plain_cut(line, max);
    return g_strchomp(line);
}

void
mf_plain_cut(char *text, gsize max)
{
    if (strlen(text) > max)
        *g_utf8_find_prev_char(text, text + max + 1) = '\0';
}
