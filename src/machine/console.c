/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/console.h"

#include <string.h>

struct _MfConsole {
    GObject parent;
    MfTransport *transport; /* owned, may be NULL */
    GByteArray *kept;       /* owned; at most twice MF_CONSOLE_KEEP, so that trimming is rare */
    gsize before;           /* of 'kept', what is from before this run */
    GString *partial[MF_N_CONSOLE_SOURCES]; /* owned; the lines that are not complete yet */
};

G_DEFINE_FINAL_TYPE(MfConsole, mf_console, G_TYPE_OBJECT)

enum { SIGNAL_OUTPUT, SIGNAL_LINE, N_SIGNALS };
static guint signals[N_SIGNALS];

static void
keep(MfConsole *self, const void *data, gsize size)
{
    g_byte_array_append(self->kept, data, (guint)size);
    if (self->kept->len > 2 * MF_CONSOLE_KEEP) {
        guint dropped = self->kept->len - MF_CONSOLE_KEEP;

        g_byte_array_remove_range(self->kept, 0, dropped);
        self->before -= MIN(dropped, self->before);
    }
}

/* Skips an escape sequence: ESC [ ... letter, or ESC and one character. */
static const char *
skip_escape(const char *at)
{
    at++;
    if (*at == '[') {
        for (at++; *at && !g_ascii_isalpha(*at); at++)
            ;
    }
    return *at ? at + 1 : at;
}

static char *
plain_text(const char *data, gsize size)
{
    g_autofree char *valid = g_utf8_make_valid(data, (gssize)size);
    GString *plain = g_string_sized_new(strlen(valid));

    for (const char *at = valid; *at;) {
        if (*at == '\033') {
            at = skip_escape(at);
            continue;
        }
        if (*at == '\n' || *at == '\t' || (guchar)*at >= 0x20)
            g_string_append_c(plain, *at);
        at++;
    }
    return g_strchomp(g_string_free(plain, FALSE));
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

        g_autofree char *line = plain_text(partial->str, partial->len);
        g_string_truncate(partial, 0);
        data++;
        g_signal_emit(self, signals[SIGNAL_LINE], 0, line, (guint)source);
    }
}

static void
receive(MfConsole *self, MfConsoleSource source, GBytes *bytes)
{
    gsize size;
    const char *data = g_bytes_get_data(bytes, &size);

    keep(self, data, size);
    g_signal_emit(self, signals[SIGNAL_OUTPUT], 0, bytes);
    emit_lines(self, source, data, size);
}

static void
on_received(MfConsole *self, GBytes *bytes)
{
    receive(self, MF_CONSOLE_SERIAL, bytes);
}

static void
mf_console_finalize(GObject *object)
{
    MfConsole *self = MF_CONSOLE(object);

    g_clear_object(&self->transport);
    g_byte_array_unref(self->kept);
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
}

static void
mf_console_init(MfConsole *self)
{
    /* Sized, so that the data is never NULL. */
    self->kept = g_byte_array_sized_new(4096);
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
    }
    return self;
}

void
mf_console_feed(MfConsole *self, const void *data, gsize size)
{
    g_autoptr(GBytes) bytes = g_bytes_new(data, size);

    receive(self, MF_CONSOLE_KERNEL_LOG, bytes);
}

void
mf_console_mark(MfConsole *self)
{
    self->before = self->kept->len;
}

char *
mf_console_get_tail(MfConsole *self, guint lines)
{
    const char *kept = (const char *)self->kept->data;
    g_autofree char *own = plain_text(kept + self->before, self->kept->len - self->before);
    g_autofree char *plain = *own ? g_steal_pointer(&own) : plain_text(kept, self->kept->len);
    const char *start = plain + strlen(plain);

    while (start > plain && (start[-1] != '\n' || lines > 1)) {
        start--;
        if (*start == '\n')
            lines--;
    }
    return g_strdup(start);
}

GBytes *
mf_console_get_kept(MfConsole *self)
{
    return g_bytes_new(self->kept->data, self->kept->len);
}

char *
mf_console_find_line(MfConsole *self, const char *text)
{
    g_autofree char *plain = plain_text((const char *)self->kept->data, self->kept->len);
    char *found = g_strrstr(plain, text);

    if (!found)
        return NULL;
    found[strcspn(found, "\n")] = '\0';
    return g_strdup(found);
}

gboolean
mf_console_contains(MfConsole *self, const char *text)
{
    return memmem(self->kept->data, self->kept->len, text, strlen(text)) != NULL;
}
