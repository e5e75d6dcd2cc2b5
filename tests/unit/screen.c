/* SPDX-License-Identifier: Apache-2.0 */
#include "screen.h"

#include <stdlib.h>
#include <string.h>

#include "report/width.h"

struct _Screen {
    guint rows, columns;
    GPtrArray *lines; /* owned; of GString, from the first that was written; the cursor is in one */
    guint at;         /* the cursor's */
    guint widest;
    gboolean coloured, was_coloured;
};

static void
line_free(gpointer line)
{
    g_string_free(line, TRUE);
}

static GString *
current(Screen *self)
{
    while (self->at >= self->lines->len)
        g_ptr_array_add(self->lines, g_string_new(NULL));
    return g_ptr_array_index(self->lines, self->at);
}

Screen *
screen_new(guint rows, guint columns)
{
    Screen *self = g_new0(Screen, 1);

    self->rows = rows;
    self->columns = columns;
    self->lines = g_ptr_array_new_with_free_func(line_free);
    current(self);
    return self;
}

void
screen_free(Screen *self)
{
    if (!self)
        return;
    g_ptr_array_unref(self->lines);
    g_free(self);
}

/* What has scrolled away cannot be reached. */
static void
move_up(Screen *self, guint rows)
{
    guint top = self->lines->len > self->rows ? self->lines->len - self->rows : 0;

    g_assert_cmpuint(rows, >, 0);
    self->at = self->at > top + rows ? self->at - rows : top;
}

static void
erase_below(Screen *self)
{
    current(self);
    g_ptr_array_set_size(self->lines, (int)self->at);
    current(self);
}

/* Behind the sequence. */
static const char *
obey(Screen *self, const char *at)
{
    char *end;

    g_assert_cmpint(at[1], ==, '[');
    gulong number = strtoul(at + 2, &end, 10);
    while (*end == ';')
        strtoul(end + 1, &end, 10);
    switch (*end) {
    case 'A':
        move_up(self, (guint)number);
        break;
    case 'J':
        g_assert_cmpuint(number, ==, 0);
        erase_below(self);
        break;
    case 'm':
        self->coloured = number != 0;
        self->was_coloured = TRUE;
        break;
    default:
        g_error("The terminal was sent ESC [ ... %c", *end);
    }
    return end + 1;
}

static void
put(Screen *self, const char *character, gsize length)
{
    GString *line = current(self);

    g_string_append_len(line, character, (gssize)length);
    self->widest = MAX(self->widest, mf_width_of(line->str));
    if (mf_width_of(line->str) > self->columns) {
        g_string_truncate(line, line->len - length);
        self->at++;
        g_string_append_len(current(self), character, (gssize)length);
    }
}

void
screen_write(Screen *self, const char *text, gsize size)
{
    const char *end = text + size;

    for (const char *at = text; at < end;) {
        if (*at == '\033') {
            at = obey(self, at);
            continue;
        }
        const char *next = g_utf8_next_char(at);
        if (*at == '\n') {
            g_assert_false(self->coloured);
            self->at++;
            current(self);
        } else if (*at != '\r') {
            put(self, at, (gsize)(next - at));
        }
        at = next;
    }
}

void
screen_resize(Screen *self, guint rows, guint columns)
{
    g_autoptr(GPtrArray) old = g_steal_pointer(&self->lines);

    self->rows = rows;
    self->columns = columns;
    self->lines = g_ptr_array_new_with_free_func(line_free);
    self->at = 0;
    for (guint i = 0; i < old->len; i++) {
        const GString *line = g_ptr_array_index(old, i);

        current(self);
        for (const char *at = line->str; *at; at = g_utf8_next_char(at))
            put(self, at, (gsize)(g_utf8_next_char(at) - at));
        self->at += i + 1 < old->len;
    }
    current(self);
}

char *
screen_get_text(const Screen *self)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < self->lines->len; i++) {
        const GString *line = g_ptr_array_index(self->lines, i);

        g_string_append(text, line->str);
        if (i + 1 < self->lines->len)
            g_string_append_c(text, '\n');
    }
    return g_string_free(text, FALSE);
}

guint
screen_get_widest(const Screen *self)
{
    return self->widest;
}

gboolean
screen_was_coloured(const Screen *self)
{
    return self->was_coloured;
}
