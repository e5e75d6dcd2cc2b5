/* SPDX-License-Identifier: Apache-2.0 */
#include "run/serial-link.h"

/* How far the standard input is read ahead of the guest. */
#define INPUT_WINDOW 4096

struct _MfSerialLink {
    GObject parent;
    MfTransport *serial; /* owned */
    MfStdio *stdio;      /* borrowed */
    gsize sent;          /* bytes typed since all of them were last taken */
};

G_DEFINE_FINAL_TYPE(MfSerialLink, mf_serial_link, G_TYPE_OBJECT)

enum { SIGNAL_FLUSHED, SIGNAL_FAILED, N_SIGNALS };
static guint signals[N_SIGNALS];

static void
mf_serial_link_dispose(GObject *object)
{
    MfSerialLink *self = MF_SERIAL_LINK(object);

    g_clear_object(&self->serial);
    G_OBJECT_CLASS(mf_serial_link_parent_class)->dispose(object);
}

static void
mf_serial_link_class_init(MfSerialLinkClass *class)
{
    G_OBJECT_CLASS(class)->dispose = mf_serial_link_dispose;
    signals[SIGNAL_FLUSHED] = g_signal_new("flushed", MF_TYPE_SERIAL_LINK, G_SIGNAL_RUN_LAST, 0,
                                           NULL, NULL, NULL, G_TYPE_NONE, 0);
    signals[SIGNAL_FAILED] = g_signal_new("failed", MF_TYPE_SERIAL_LINK, G_SIGNAL_RUN_LAST, 0, NULL,
                                          NULL, NULL, G_TYPE_NONE, 1, G_TYPE_ERROR);
}

static void
mf_serial_link_init(MfSerialLink *self)
{
}

gsize
mf_serial_link_get_queued(MfSerialLink *self)
{
    return self->stdio->output[1] ? mf_output_get_queued(self->stdio->output[1]) : 0;
}

static void
on_said(MfSerialLink *self, GBytes *bytes)
{
    if (!self->stdio->output[1])
        return;
    mf_output_write(self->stdio->output[1], bytes);
    if (mf_serial_link_get_queued(self) >= MF_SERIAL_LINK_QUEUE_MAX)
        mf_transport_set_reading(self->serial, FALSE);
}

static void
on_drained(MfSerialLink *self)
{
    mf_transport_set_reading(self->serial, TRUE);
    g_signal_emit(self, signals[SIGNAL_FLUSHED], 0);
}

static void
on_broken(MfSerialLink *self, MfOutput *output)
{
    const GError *error = mf_output_get_error(output);

    /* What nobody wants to read is not missed; what is lost is. */
    if (error)
        g_signal_emit(self, signals[SIGNAL_FAILED], 0, error);
    else
        on_drained(self);
}

static void
on_typed(MfSerialLink *self, GBytes *chunk)
{
    self->sent += g_bytes_get_size(chunk);
    mf_transport_send(self->serial, chunk);
}

static void
on_typed_all(MfSerialLink *self)
{
    const GError *error = mf_input_get_error(self->stdio->input);

    if (error)
        g_signal_emit(self, signals[SIGNAL_FAILED], 0, error);
}

static void
on_taken(MfSerialLink *self)
{
    gsize sent = self->sent;

    self->sent = 0;
    if (self->stdio->input && sent > 0)
        mf_input_grant(self->stdio->input, sent);
}

MfSerialLink *
mf_serial_link_new(MfTransport *serial, MfStdio *stdio)
{
    MfSerialLink *self = g_object_new(MF_TYPE_SERIAL_LINK, NULL);
    MfOutput *output = stdio->output[1];

    self->serial = g_object_ref(serial);
    self->stdio = stdio;
    g_signal_connect_object(self->serial, "received", G_CALLBACK(on_said), self, G_CONNECT_SWAPPED);
    g_signal_connect_object(self->serial, "drained", G_CALLBACK(on_taken), self, G_CONNECT_SWAPPED);
    if (output) {
        g_signal_connect_object(output, "drained", G_CALLBACK(on_drained), self, G_CONNECT_SWAPPED);
        g_signal_connect_object(output, "broken", G_CALLBACK(on_broken), self, G_CONNECT_SWAPPED);
    }
    if (stdio->input) {
        g_signal_connect_object(stdio->input, "received", G_CALLBACK(on_typed), self,
                                G_CONNECT_SWAPPED);
        g_signal_connect_object(stdio->input, "ended", G_CALLBACK(on_typed_all), self,
                                G_CONNECT_SWAPPED);
    }
    return self;
}

void
mf_serial_link_open(MfSerialLink *self)
{
    if (self->stdio->input)
        mf_input_grant(self->stdio->input, INPUT_WINDOW);
}
