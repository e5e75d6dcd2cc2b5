/* SPDX-License-Identifier: Apache-2.0 */
#include "report/live.h"

#include <string.h>

#include "report/text.h"

struct _MfLive {
    GHashTable *partial; /* owned; of GString by index and stream: the line that is not complete */
};

static void
free_string(gpointer string)
{
    g_string_free(string, TRUE);
}

MfLive *
mf_live_new(void)
{
    MfLive *self = g_new0(MfLive, 1);

    self->partial = g_hash_table_new_full(NULL, NULL, NULL, free_string);
    return self;
}

void
mf_live_free(MfLive *self)
{
    if (!self)
        return;
    g_hash_table_unref(self->partial);
    g_free(self);
}

static gpointer
key_of(guint index, int stream)
{
    return GUINT_TO_POINTER(3 * index + (guint)stream);
}

static void
append_lines(const MfEvent *event, const char *data, gsize size, GString *to)
{
    const MfCase *kase = g_ptr_array_index(event->cases, event->index);
    g_autofree char *clean = mf_text_clean(data, size);
    g_autofree char *name = mf_text_clean_line(kase->name);
    g_autofree char *prefix = g_strconcat(name, " | ", NULL);

    mf_text_append_indented(to, event->cases->len > 1 ? prefix : "", clean);
}

static void
take_output(MfLive *self, const MfEvent *event, GString *to)
{
    gpointer key = key_of(event->index, event->stream);
    GString *partial = g_hash_table_lookup(self->partial, key);
    gsize size;
    const char *data = g_bytes_get_data(event->bytes, &size);
    const char *newline = size > 0 ? memrchr(data, '\n', size) : NULL;
    gsize complete = newline ? (gsize)(newline - data) + 1 : 0;

    if (!partial) {
        partial = g_string_new(NULL);
        g_hash_table_insert(self->partial, key, partial);
    }
    if (newline) {
        g_string_append_len(partial, data, (gssize)complete);
        append_lines(event, partial->str, partial->len, to);
        g_string_truncate(partial, 0);
    }
    g_string_append_len(partial, data + complete, (gssize)(size - complete));
    if (partial->len > MF_LIVE_HELD_MAX) {
        append_lines(event, partial->str, partial->len, to);
        g_string_truncate(partial, 0);
    }
}

/* A last line without its newline is one too. */
static void
flush(MfLive *self, const MfEvent *event, GString *to)
{
    for (int stream = 1; stream <= 2; stream++) {
        gpointer key = key_of(event->index, stream);
        GString *partial = g_hash_table_lookup(self->partial, key);

        if (!partial)
            continue;
        append_lines(event, partial->str, partial->len, to);
        g_hash_table_remove(self->partial, key);
    }
}

void
mf_live_feed(MfLive *self, const MfEvent *event, GString *to)
{
    if (event->kind == MF_EVENT_CASE_OUTPUT && event->stream != 0)
        take_output(self, event, to);
    else if (event->kind == MF_EVENT_CASE_STARTED || event->kind == MF_EVENT_CASE_FINISHED)
        flush(self, event, to);
}
