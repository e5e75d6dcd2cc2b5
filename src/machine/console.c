/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/console.h"

#include <string.h>

#include "base/plain-text.h"

struct _MfConsole {
    GObject parent;
    MfTransport *transport;                 /* owned, may be NULL */
    MfTranscript *kept;                     /* owned */
    guint64 begun;                          /* the place where this run's words begin */
    GString *partial[MF_N_CONSOLE_SOURCES]; /* owned; the lines that are not complete yet */
    gboolean ended[MF_N_CONSOLE_SOURCES];
};

G_DEFINE_FINAL_TYPE(MfConsole, mf_console, G_TYPE_OBJECT)

enum { SIGNAL_OUTPUT, SIGNAL_LINE, SIGNAL_ENDED, N_SIGNALS };
static guint signals[N_SIGNALS];

/* A carriage return, which mf_plain_text() takes for the end of a line, ends none here. */
static char *
plain_text(const char *data, gsize size)
{
    g_autoptr(GString) text = g_string_sized_new(size);

    for (gsize i = 0; i < size; i++)
        if (data[i] != '\r')
            g_string_append_c(text, data[i]);
    return g_strchomp(mf_plain_text(text->str, text->len));
}

/* Whatever is there of the line: all of it. */
static void
emit_line(MfConsole *self, MfConsoleSource source)
{
    GString *partial = self->partial[source];
    g_autofree char *line = plain_text(partial->str, partial->len);

    g_string_truncate(partial, 0);
    g_signal_emit(self, signals[SIGNAL_LINE], 0, line, (guint)source);
}

static void
emit_lines(MfConsole *self, MfConsoleSource source, const char *data, gsize size)
{
    GString *partial = self->partial[source];
    const char *end = data + size;

    while (data < end) {
        const char *newline = memchr(data, '\n', (gsize)(end - data));
        gsize length = (gsize)((newline ? newline : end) - data);
        gsize room = MF_CONSOLE_LINE_MAX - partial->len;

        g_string_append_len(partial, data, (gssize)MIN(length, room));
        data += length;
        if (!newline)
            return;

        data++;
        emit_line(self, source);
    }
}

static void
receive(MfConsole *self, MfConsoleSource source, GBytes *bytes)
{
    gsize size;
    const char *data = g_bytes_get_data(bytes, &size);

    mf_transcript_feed(self->kept, data, size);
    g_signal_emit(self, signals[SIGNAL_OUTPUT], 0, bytes);
    emit_lines(self, source, data, size);
}

static void
on_received(MfConsole *self, GBytes *bytes)
{
    receive(self, MF_CONSOLE_SERIAL, bytes);
}

/* What a source left unfinished will never be more than it is. */
static void
end(MfConsole *self, MfConsoleSource source)
{
    if (self->ended[source])
        return;
    self->ended[source] = TRUE;
    if (self->partial[source]->len > 0)
        emit_line(self, source);
    for (int other = 0; other < MF_N_CONSOLE_SOURCES; other++)
        if (!self->ended[other])
            return;
    mf_transcript_end(self->kept);
    g_signal_emit(self, signals[SIGNAL_ENDED], 0);
}

static void
on_closed(MfConsole *self)
{
    end(self, MF_CONSOLE_SERIAL);
}

static void
mf_console_finalize(GObject *object)
{
    MfConsole *self = MF_CONSOLE(object);

    g_clear_object(&self->transport);
    mf_transcript_free(self->kept);
    for (int source = 0; source < MF_N_CONSOLE_SOURCES; source++)
        g_string_free(self->partial[source], TRUE);
    G_OBJECT_CLASS(mf_console_parent_class)->finalize(object);
}

static void
mf_console_class_init(MfConsoleClass *class)
{
    G_OBJECT_CLASS(class)->finalize = mf_console_finalize;
    signals[SIGNAL_OUTPUT] = g_signal_new("output", MF_TYPE_CONSOLE, G_SIGNAL_RUN_LAST, 0, NULL,
                                          NULL, NULL, G_TYPE_NONE, 1, G_TYPE_BYTES);
    signals[SIGNAL_LINE] = g_signal_new("line", MF_TYPE_CONSOLE, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                        NULL, G_TYPE_NONE, 2, G_TYPE_STRING, G_TYPE_UINT);
    signals[SIGNAL_ENDED] = g_signal_new("ended", MF_TYPE_CONSOLE, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                         NULL, G_TYPE_NONE, 0);
}

static void
mf_console_init(MfConsole *self)
{
    self->kept = mf_transcript_new(MF_CONSOLE_KEEP);
    for (int source = 0; source < MF_N_CONSOLE_SOURCES; source++)
        self->partial[source] = g_string_new(NULL);
}

MfConsole *
mf_console_new(MfTransport *transport)
{
    MfConsole *self = g_object_new(MF_TYPE_CONSOLE, NULL);

    if (transport) {
        self->transport = g_object_ref(transport);
        g_signal_connect_object(transport, "received", G_CALLBACK(on_received), self,
                                G_CONNECT_SWAPPED);
        g_signal_connect_object(transport, "closed", G_CALLBACK(on_closed), self,
                                G_CONNECT_SWAPPED);
    }
    self->ended[MF_CONSOLE_SERIAL] = transport == NULL;
    return self;
}

void
mf_console_feed(MfConsole *self, const void *data, gsize size)
{
    g_autoptr(GBytes) bytes = g_bytes_new(data, size);

    receive(self, MF_CONSOLE_KERNEL_LOG, bytes);
}

void
mf_console_end_feed(MfConsole *self)
{
    end(self, MF_CONSOLE_KERNEL_LOG);
}

void
mf_console_mark(MfConsole *self)
{
    self->begun = mf_transcript_get_place(self->kept);
}

/* The last lines of what came from the place 'from' on. */
static char *
get_tail_from(MfConsole *self, guint64 from, guint lines)
{
    g_autoptr(MfTranscript) last = mf_transcript_new(MF_CONSOLE_TAIL_MAX);
    gsize size;
    const char *tail = mf_transcript_get_tail(self->kept, from, lines, &size);
    g_autofree char *text = NULL;

    mf_transcript_feed(last, tail, size);
    text = mf_transcript_get_text(last);
    return plain_text(text, strlen(text));
}

char *
mf_console_get_tail(MfConsole *self, guint lines)
{
    g_autofree char *own = get_tail_from(self, self->begun, lines);

    return *own ? g_steal_pointer(&own) : get_tail_from(self, 0, lines);
}

GBytes *
mf_console_get_kept(MfConsole *self)
{
    gsize size;
    const char *kept = mf_transcript_get_kept(self->kept, &size);

    return g_bytes_new(kept, size);
}

const MfTranscript *
mf_console_get_transcript(MfConsole *self)
{
    return self->kept;
}

/* Where 'text' is last; NULL when it is nowhere. Borrowed; *ret_left is what follows, with it. */
static const char *
find_last(MfConsole *self, const char *text, gsize *ret_left)
{
    gsize left;
    const char *at = mf_transcript_get_kept(self->kept, &left);
    const char *end = at + left;
    const char *found = NULL;

    for (at = memmem(at, left, text, strlen(text)); at;
         at = memmem(at + 1, (gsize)(end - at - 1), text, strlen(text)))
        found = at;
    *ret_left = found ? (gsize)(end - found) : 0;
    return found;
}

char *
mf_console_find_line(MfConsole *self, const char *text)
{
    gsize left;
    const char *found = find_last(self, text, &left);
    const char *newline = found ? memchr(found, '\n', left) : NULL;

    return found ? plain_text(found, newline ? (gsize)(newline - found) : left) : NULL;
}

gboolean
mf_console_contains(MfConsole *self, const char *text)
{
    gsize left;

    return find_last(self, text, &left) != NULL;
}
