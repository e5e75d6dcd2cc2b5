/* SPDX-License-Identifier: Apache-2.0 */
#include "run/stream.h"

#include <string.h>

#include "wire/frame.h"

/* A command's exit status as the guest may report it: -signal .. 255. */
#define EXIT_STATUS_MAX 255
#define EXIT_SIGNAL_MAX 64

struct _MfStream {
    GObject parent;
    MfTransport *transport; /* owned */
    struct mf_frame_assembler assembler;
    gboolean ready, conf_pending, command_expected, exited;
};

G_DEFINE_FINAL_TYPE(MfStream, mf_stream, G_TYPE_OBJECT)

enum {
    SIGNAL_READY,
    SIGNAL_CONFIGURED,
    SIGNAL_OUTPUT,
    SIGNAL_ACKED,
    SIGNAL_EXITED,
    SIGNAL_KERNEL_LOG,
    SIGNAL_CLOSED,
    N_SIGNALS
};
static guint signals[N_SIGNALS];

static void
take_ready(MfStream *self, const struct mf_frame *frame)
{
    if (self->ready || frame->length > 0)
        return;
    self->ready = TRUE;
    g_signal_emit(self, signals[SIGNAL_READY], 0);
}

static void
take_configured(MfStream *self, const struct mf_frame *frame)
{
    if (!self->conf_pending || frame->length < 1)
        return;
    self->conf_pending = FALSE;

    g_autofree char *text =
        frame->payload[0] == 0
            ? NULL
            : g_utf8_make_valid((const char *)frame->payload + 1, (gssize)frame->length - 1);
    g_signal_emit(self, signals[SIGNAL_CONFIGURED], 0, text);
}

static void
take_output(MfStream *self, const struct mf_frame *frame)
{
    if (!self->command_expected || frame->length > MF_FRAME_CHUNK_MAX)
        return;

    g_autoptr(GBytes) chunk = g_bytes_new(frame->payload, frame->length);
    g_signal_emit(self, signals[SIGNAL_OUTPUT], 0, frame->type == MF_FRAME_SOUT ? 1 : 2, chunk);
}

static void
take_acked(MfStream *self, const struct mf_frame *frame)
{
    if (self->command_expected && frame->length == 4)
        g_signal_emit(self, signals[SIGNAL_ACKED], 0, mf_frame_get_u32(frame->payload));
}

static void
take_exited(MfStream *self, const struct mf_frame *frame)
{
    if (!self->command_expected || self->exited || frame->length != 4)
        return;

    gint32 status = (gint32)mf_frame_get_u32(frame->payload);
    if (status < -EXIT_SIGNAL_MAX || status > EXIT_STATUS_MAX)
        return;
    self->exited = TRUE;
    g_signal_emit(self, signals[SIGNAL_EXITED], 0, (int)status);
}

static void
take_kernel_log(MfStream *self, const struct mf_frame *frame)
{
    if (frame->length > MF_FRAME_CHUNK_MAX)
        return;

    g_autoptr(GBytes) text = g_bytes_new(frame->payload, frame->length);
    g_signal_emit(self, signals[SIGNAL_KERNEL_LOG], 0, text);
}

static void
take_frame(MfStream *self, const struct mf_frame *frame)
{
    static const struct {
        guint32 type;
        void (*take)(MfStream *self, const struct mf_frame *frame);
    } takers[] = {
        {MF_FRAME_SOUT, take_output},     {MF_FRAME_SERR, take_output},
        {MF_FRAME_SINA, take_acked},      {MF_FRAME_EXCX, take_exited},
        {MF_FRAME_DMSG, take_kernel_log}, {MF_FRAME_SRDY, take_ready},
        {MF_FRAME_CONR, take_configured},
    };

    if (!frame->crc_ok) {
        g_debug("a frame of type 0x%08x has a wrong checksum", frame->type);
        return;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(takers); i++) {
        if (takers[i].type == frame->type) {
            takers[i].take(self, frame);
            return;
        }
    }
    g_debug("a frame of type 0x%08x is dropped", frame->type);
}

static void
on_received(MfStream *self, GBytes *bytes)
{
    g_autoptr(MfStream) keep = g_object_ref(self);
    struct mf_frame frame;

    if (!mf_frame_assembler_feed(&self->assembler, g_bytes_get_data(bytes, NULL),
                                 g_bytes_get_size(bytes)))
        g_error("out of memory for frames");
    while (mf_frame_assembler_next(&self->assembler, &frame))
        take_frame(self, &frame);
}

static void
on_closed(MfStream *self, GError *reason)
{
    g_signal_emit(self, signals[SIGNAL_CLOSED], 0, reason);
}

static void
mf_stream_finalize(GObject *object)
{
    MfStream *self = MF_STREAM(object);

    mf_frame_assembler_clear(&self->assembler);
    g_clear_object(&self->transport);
    G_OBJECT_CLASS(mf_stream_parent_class)->finalize(object);
}

static void
mf_stream_class_init(MfStreamClass *class)
{
    GType type = MF_TYPE_STREAM;

    G_OBJECT_CLASS(class)->finalize = mf_stream_finalize;
    signals[SIGNAL_READY] =
        g_signal_new("ready", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
    signals[SIGNAL_CONFIGURED] = g_signal_new("configured", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                              NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
    signals[SIGNAL_OUTPUT] = g_signal_new("output", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                          G_TYPE_NONE, 2, G_TYPE_INT, G_TYPE_BYTES);
    signals[SIGNAL_ACKED] = g_signal_new("acked", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                         G_TYPE_NONE, 1, G_TYPE_UINT);
    signals[SIGNAL_EXITED] = g_signal_new("exited", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                          G_TYPE_NONE, 1, G_TYPE_INT);
    signals[SIGNAL_KERNEL_LOG] = g_signal_new("kernel-log", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                              NULL, G_TYPE_NONE, 1, G_TYPE_BYTES);
    signals[SIGNAL_CLOSED] = g_signal_new("closed", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                          G_TYPE_NONE, 1, G_TYPE_ERROR);
}

static void
mf_stream_init(MfStream *self)
{
    self->assembler = MF_FRAME_ASSEMBLER_INIT(MF_FRAME_PAYLOAD_MAX);
}

MfStream *
mf_stream_new(MfTransport *transport)
{
    MfStream *self = g_object_new(MF_TYPE_STREAM, NULL);

    self->transport = g_object_ref(transport);
    g_signal_connect_object(transport, "received", G_CALLBACK(on_received), self,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(transport, "closed", G_CALLBACK(on_closed), self, G_CONNECT_SWAPPED);
    return self;
}

gboolean
mf_stream_is_ready(MfStream *self)
{
    return self->ready;
}

static void
send_frame(MfStream *self, guint32 type, gconstpointer payload, gsize size)
{
    guint8 *frame = g_malloc(MF_FRAME_HEADER_SIZE + size);

    mf_frame_encode_header(frame, type, payload, size);
    if (size)
        memcpy(frame + MF_FRAME_HEADER_SIZE, payload, size);

    g_autoptr(GBytes) bytes = g_bytes_new_take(frame, MF_FRAME_HEADER_SIZE + size);
    mf_transport_send(self->transport, bytes);
}

static void
send_u32(MfStream *self, guint32 type, guint32 value)
{
    guint8 payload[4];

    mf_frame_put_u32(payload, value);
    send_frame(self, type, payload, sizeof(payload));
}

void
mf_stream_send_conf(MfStream *self, GBytes *record)
{
    self->conf_pending = TRUE;
    send_frame(self, MF_FRAME_CONF, g_bytes_get_data(record, NULL), g_bytes_get_size(record));
}

void
mf_stream_expect_command(MfStream *self)
{
    self->command_expected = TRUE;
}

void
mf_stream_send_stdin(MfStream *self, GBytes *chunk)
{
    send_frame(self, MF_FRAME_SINP, g_bytes_get_data(chunk, NULL), g_bytes_get_size(chunk));
}

void
mf_stream_send_stdin_end(MfStream *self)
{
    send_frame(self, MF_FRAME_SINE, NULL, 0);
}

void
mf_stream_send_reader_gone(MfStream *self, int fd)
{
    guint8 payload = (guint8)fd;

    send_frame(self, MF_FRAME_SOCL, &payload, sizeof(payload));
}

void
mf_stream_send_signal(MfStream *self, int signal_number)
{
    send_u32(self, MF_FRAME_SIGN, (guint32)signal_number);
}

void
mf_stream_send_kill(MfStream *self, guint32 grace_ms)
{
    send_u32(self, MF_FRAME_CKIL, grace_ms);
}

void
mf_stream_send_window_size(MfStream *self, guint16 rows, guint16 columns)
{
    guint8 payload[4];

    mf_frame_put_u16(payload, rows);
    mf_frame_put_u16(payload + 2, columns);
    send_frame(self, MF_FRAME_WINS, payload, sizeof(payload));
}

void
mf_stream_set_reading(MfStream *self, gboolean reading)
{
    mf_transport_set_reading(self->transport, reading);
}
