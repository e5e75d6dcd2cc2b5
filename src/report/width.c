/* SPDX-License-Identifier: Apache-2.0 */
#include "report/width.h"

#define TAB_WIDTH 8

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
