/* SPDX-License-Identifier: Apache-2.0 */
#include "report/text.h"

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
mf_text_clean(const void *data, gsize size)
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
mf_text_clean_line(const char *text)
{
    return g_strdelimit(mf_text_clean(text, strlen(text)), "\n\t", ' ');
}

const char *
mf_text_last_lines(const char *text, guint lines)
{
    const char *start = text + strlen(text);

    if (start > text && start[-1] == '\n')
        start--;
    while (start > text && (start[-1] != '\n' || lines > 1)) {
        start--;
        if (*start == '\n')
            lines--;
    }
    return start;
}

void
mf_text_append_indented(GString *to, const char *prefix, const char *text)
{
    while (*text) {
        gsize length = strcspn(text, "\n");

        g_string_append(to, prefix);
        g_string_append_len(to, text, (gssize)length);
        g_string_append_c(to, '\n');
        text += length;
        text += *text == '\n';
    }
}

char *
mf_text_count(guint64 count, const char *noun)
{
    return g_strdup_printf("%" G_GUINT64_FORMAT " %s%s", count, noun, count == 1 ? "" : "s");
}

char *
mf_text_time(gint64 wall_time_us)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(wall_time_us / G_USEC_PER_SEC);
    g_autofree char *seconds = g_date_time_format(time, "%Y-%m-%dT%H:%M:%S");

    return g_strdup_printf("%s.%03dZ", seconds, (int)(wall_time_us % G_USEC_PER_SEC / 1000));
}
