/* SPDX-License-Identifier: Apache-2.0 */
#include "report/width.h"

#include <string.h>

#define TAB_WIDTH 8

#define ELLIPSIS         "..."
#define ELLIPSIS_COLUMNS 3

static guint
width_at(gunichar c, guint column)
{
    if (c == '\t')
        return TAB_WIDTH - column % TAB_WIDTH;
    if (g_unichar_iszerowidth(c))
        return 0;
    return g_unichar_iswide(c) ? 2 : 1;
}

guint
mf_width_of(const char *line)
{
    guint width = 0;

    for (const char *at = line; *at; at = g_utf8_next_char(at))
        width += width_at(g_utf8_get_char(at), width);
    return width;
}

char *
mf_width_cut(const char *line, guint columns)
{
    GString *cut = g_string_new(NULL);
    guint column = 0;

    for (const char *at = line; *at; at = g_utf8_next_char(at)) {
        gunichar c = g_utf8_get_char(at);
        guint width = width_at(c, column);

        if (column + width > columns)
            break;
        if (c == '\t')
            g_string_append_printf(cut, "%*s", (int)width, "");
        else
            g_string_append_unichar(cut, c);
        column += width;
    }
    return g_string_free(cut, FALSE);
}

/* As much of the end of 'line' as fits. Borrowed. */
static const char *
find_end(const char *line, guint columns)
{
    const char *from = line + strlen(line);

    while (from > line) {
        const char *before = g_utf8_prev_char(from);

        if (mf_width_of(before) > columns)
            break;
        from = before;
    }
    return from;
}

char *
mf_width_shorten(const char *line, guint columns)
{
    if (mf_width_of(line) <= columns)
        return g_strdup(line);
    if (columns <= ELLIPSIS_COLUMNS)
        return mf_width_cut(line, columns);

    guint kept = columns - ELLIPSIS_COLUMNS, end = kept / 2;
    g_autofree char *beginning = mf_width_cut(line, kept - end);
    return g_strconcat(beginning, ELLIPSIS, find_end(line, end), NULL);
}
