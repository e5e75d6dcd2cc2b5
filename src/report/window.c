/* SPDX-License-Identifier: Apache-2.0 */
#include "report/window.h"

#include <string.h>

#include "report/text.h"
#include "report/width.h"

struct _MfWindow {
    GString *kept; /* owned; at most twice MF_WINDOW_KEPT, so that trimming is rare */
};

MfWindow *
mf_window_new(void)
{
    MfWindow *self = g_new0(MfWindow, 1);

    self->kept = g_string_new(NULL);
    return self;
}

void
mf_window_free(MfWindow *self)
{
    if (!self)
        return;
    g_string_free(self->kept, TRUE);
    g_free(self);
}

void
mf_window_feed(MfWindow *self, GBytes *bytes)
{
    gsize size;
    const char *data = g_bytes_get_data(bytes, &size);

    if (size > MF_WINDOW_KEPT) {
        data += size - MF_WINDOW_KEPT;
        size = MF_WINDOW_KEPT;
    }
    g_string_append_len(self->kept, data, (gssize)size);
    if (self->kept->len > 2 * MF_WINDOW_KEPT)
        g_string_erase(self->kept, 0, (gssize)(self->kept->len - MF_WINDOW_KEPT));
}

/* What is seen of a line after its carriage returns. */
static char *
seen(const char *line, gsize size, guint columns)
{
    while (size > 0 && line[size - 1] == '\r')
        size--;

    const char *overwritten = memrchr(line, '\r', size);
    const char *start = overwritten ? overwritten + 1 : line;
    g_autofree char *clean = mf_text_clean(start, size - (gsize)(start - line));

    return mf_width_cut(clean, columns);
}

GPtrArray *
mf_window_get_lines(const MfWindow *self, guint lines, guint columns)
{
    GPtrArray *found = g_ptr_array_new_with_free_func(g_free);
    const char *start = self->kept->str;
    const char *end = start + self->kept->len;

    if (end > start && end[-1] == '\n')
        end--;
    while (end > start && found->len < lines) {
        const char *newline = memrchr(start, '\n', (gsize)(end - start));
        const char *line = newline ? newline + 1 : start;

        g_ptr_array_insert(found, 0, seen(line, (gsize)(end - line), columns));
        end = newline ? newline : start;
    }
    return found;
}
