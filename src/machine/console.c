/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/console.h"

#include <string.h>

struct _MfConsole {
    GObject parent;
    MfTransport *transport; /* owned, may be NULL */
    GByteArray *kept;       /* owned; at most twice MF_CONSOLE_KEEP, so that trimming is rare */
};

G_DEFINE_FINAL_TYPE(MfConsole, mf_console, G_TYPE_OBJECT)

enum { SIGNAL_OUTPUT, N_SIGNALS };
static guint signals[N_SIGNALS];

static void
keep(MfConsole *self, const void *data, gsize size)
{
    g_byte_array_append(self->kept, data, (guint)size);
    if (self->kept->len > 2 * MF_CONSOLE_KEEP)
        g_byte_array_remove_range(self->kept, 0, self->kept->len - MF_CONSOLE_KEEP);
}

static void
on_received(MfConsole *self, GBytes *bytes)
{
    keep(self, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
    g_signal_emit(self, signals[SIGNAL_OUTPUT], 0, bytes);
}

static void
mf_console_finalize(GObject *object)
{
    MfConsole *self = MF_CONSOLE(object);

    g_clear_object(&self->transport);
    g_byte_array_unref(self->kept);
    G_OBJECT_CLASS(mf_console_parent_class)->finalize(object);
}

static void
mf_console_class_init(MfConsoleClass *class)
{
    G_OBJECT_CLASS(class)->finalize = mf_console_finalize;
    signals[SIGNAL_OUTPUT] = g_signal_new("output", MF_TYPE_CONSOLE, G_SIGNAL_RUN_LAST, 0, NULL,
                                          NULL, NULL, G_TYPE_NONE, 1, G_TYPE_BYTES);
}

static void
mf_console_init(MfConsole *self)
{
    /* Sized, so that the data is never NULL. */
    self->kept = g_byte_array_sized_new(4096);
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

    on_received(self, bytes);
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
plain_text(const GByteArray *bytes)
{
    g_autofree char *valid = g_utf8_make_valid((const char *)bytes->data, bytes->len);
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

char *
mf_console_get_tail(MfConsole *self, guint lines)
{
    g_autofree char *plain = plain_text(self->kept);
    const char *start = plain + strlen(plain);

    while (start > plain && (start[-1] != '\n' || lines > 1)) {
        start--;
        if (*start == '\n')
            lines--;
    }
    return g_strdup(start);
}

gboolean
mf_console_contains(MfConsole *self, const char *text)
{
    return memmem(self->kept->data, self->kept->len, text, strlen(text)) != NULL;
}
