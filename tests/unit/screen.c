/* SPDX-License-Identifier: Apache-2.0 */
#include "screen.h"

#include <stdlib.h>
#include <string.h>

#include "report/width.h"

/* One row; one that was filled goes on in the next. */
typedef struct {
    GString *text;
    gboolean goes_on;
} Row;

struct _Screen {
    guint rows, columns;
    GPtrArray *lines; /* owned; of Row, from the first that was written; the cursor is in one */
    guint at;         /* the cursor's */
    gsize column;     /* the cursor's, in bytes: at the beginning or the end of its row */
    guint widest;
    gboolean coloured, was_coloured, no_wrap;
};

static void
row_free(gpointer data)
{
    Row *row = data;

    g_string_free(row->text, TRUE);
    g_free(row);
}

static Row *
current(Screen *self)
{
    while (self->at >= self->lines->len) {
        Row *row = g_new0(Row, 1);

        row->text = g_string_new(NULL);
        g_ptr_array_add(self->lines, row);
    }
    return g_ptr_array_index(self->lines, self->at);
}

Screen *
screen_new(guint rows, guint columns)
{
    Screen *self = g_new0(Screen, 1);

    self->rows = rows;
    self->columns = columns;
    self->lines = g_ptr_array_new_with_free_func(row_free);
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

/* The rest of the cursor's row, and all below it unless 'row_only'. */
static void
erase(Screen *self, gboolean row_only)
{
    Row *row = current(self);

    g_string_truncate(row->text, MIN(row->text->len, self->column));
    row->goes_on = FALSE;
    if (!row_only)
        g_ptr_array_set_size(self->lines, (int)self->at + 1);
}

/* Behind the sequence. */
static const char *
obey(Screen *self, const char *at)
{
    char *end;

    if (g_str_has_prefix(at, "\033[?7")) {
        self->no_wrap = at[4] == 'l';
        g_assert_true(at[4] == 'l' || at[4] == 'h');
        return at + 5;
    }
    g_assert_cmpint(at[1], ==, '[');
    gulong number = strtoul(at + 2, &end, 10);
    while (*end == ';')
        strtoul(end + 1, &end, 10);
    switch (*end) {
    case 'A':
        move_up(self, (guint)number);
        break;
    case 'C':
        self->column++;
        break;
    case 'J':
        g_assert_cmpuint(number, ==, 0);
        /* tmux keeps what is erased from the first character of the screen on. */
        g_assert_cmpuint(self->column, >, 0);
        erase(self, FALSE);
        break;
    case 'K':
        g_assert_cmpuint(number, ==, 0);
        erase(self, TRUE);
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
    Row *row = current(self);
    guint before = mf_width_of(row->text->str);

    /* Nothing is written over something else. */
    g_assert_cmpuint(self->column, ==, row->text->len);
    g_string_append_len(row->text, character, (gssize)length);
    guint width = mf_width_of(row->text->str);
    self->widest = MAX(self->widest, width);
    if (width > self->columns && before > 0) {
        g_string_truncate(row->text, row->text->len - length);
        if (self->no_wrap)
            return;
        row->goes_on = TRUE;
        self->at++;
        row = current(self);
        g_string_append_len(row->text, character, (gssize)length);
    }
    self->column = row->text->len;
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
            self->column = 0;
            current(self);
        } else if (*at == '\r') {
            self->column = 0;
        } else {
            put(self, at, (gsize)(next - at));
        }
        at = next;
    }
    g_assert_false(self->no_wrap);
}

void
screen_resize(Screen *self, guint rows, guint columns)
{
    g_autoptr(GPtrArray) old = g_steal_pointer(&self->lines);
    guint old_at = self->at;
    guint cursor = 0;

    g_assert_cmpuint(self->column, ==, 0);
    self->rows = rows;
    self->columns = columns;
    self->lines = g_ptr_array_new_with_free_func(row_free);
    self->at = 0;
    for (guint i = 0; i < old->len; i++) {
        const Row *row = g_ptr_array_index(old, i);

        if (i == old_at)
            cursor = self->at;
        self->column = current(self)->text->len;
        for (const char *at = row->text->str; *at; at = g_utf8_next_char(at))
            put(self, at, (gsize)(g_utf8_next_char(at) - at));
        if (!row->goes_on)
            self->at++;
    }
    self->at = cursor;
    self->column = 0;
    current(self);
}

char *
screen_get_text(const Screen *self)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < self->lines->len; i++) {
        const Row *row = g_ptr_array_index(self->lines, i);

        g_string_append(text, row->text->str);
        if (i + 1 < self->lines->len && !row->goes_on)
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
