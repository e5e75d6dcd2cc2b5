/* SPDX-License-Identifier: Apache-2.0 */
#include "run/stream.h"

#include <stdlib.h>
#include <string.h>

#include "run/dispatch.h"
#include "wire/frame.h"

#define NS_PER_US 1000
#define NS_PER_MS 1000000

/* Answers are for a guest that reads them: beyond this many bytes on their way there are none. */
#define ANSWERS_QUEUE_MAX (64u << 10)

struct _MfStream {
    GObject parent;
    MfTransport *transport; /* owned */
    struct mf_frame_assembler assembler;
    MfDispatch dispatch;
    gint64 created_us;
};

G_DEFINE_FINAL_TYPE(MfStream, mf_stream, G_TYPE_OBJECT)

enum {
    SIGNAL_READY,
    SIGNAL_CONFIGURED,
    SIGNAL_OUTPUT,
    SIGNAL_ACKED,
    SIGNAL_OUTPUT_HELD,
    SIGNAL_EXITED,
    SIGNAL_KERNEL_LOG,
    SIGNAL_PAYLOAD_OUTPUT,
    SIGNAL_PAYLOAD_ENDED,
    SIGNAL_SCENARIO_MOVED,
    SIGNAL_SCENARIO_METRIC,
    SIGNAL_SCENARIO_LOG,
    SIGNAL_SNAPSHOT_REQUESTED,
    SIGNAL_CLOSED,
    N_SIGNALS
};
static guint signals[N_SIGNALS];

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
emit_ready(gpointer data)
{
    g_signal_emit(data, signals[SIGNAL_READY], 0);
}

static void
emit_configured(const char *reason, const char *boot_id, gpointer data)
{
    g_signal_emit(data, signals[SIGNAL_CONFIGURED], 0, reason, boot_id);
}

static void
emit_output(int fd, const guint8 *bytes, gsize size, gpointer data)
{
    g_autoptr(GBytes) chunk = g_bytes_new(bytes, size);

    g_signal_emit(data, signals[SIGNAL_OUTPUT], 0, fd, chunk);
}

static void
emit_output_held(gpointer data)
{
    g_signal_emit(data, signals[SIGNAL_OUTPUT_HELD], 0);
}

static void
emit_acked(guint32 bytes, gpointer data)
{
    g_signal_emit(data, signals[SIGNAL_ACKED], 0, bytes);
}

static void
emit_exited(int number, gpointer data)
{
    g_signal_emit(data, signals[SIGNAL_EXITED], 0, number);
}

static void
emit_kernel_log(const guint8 *text, gsize size, gpointer data)
{
    g_autoptr(GBytes) bytes = g_bytes_new(text, size);

    g_signal_emit(data, signals[SIGNAL_KERNEL_LOG], 0, bytes);
}

static void
emit_payload_output(guint32 index, int fd, const guint8 *bytes, gsize size, gpointer data)
{
    g_autoptr(GBytes) chunk = g_bytes_new(bytes, size);

    g_signal_emit(data, signals[SIGNAL_PAYLOAD_OUTPUT], 0, index, fd, chunk);
}

static void
emit_payload_ended(guint32 index, const guint8 *json, gsize size, gpointer data)
{
    g_autoptr(GBytes) bytes = g_bytes_new(json, size);

    g_signal_emit(data, signals[SIGNAL_PAYLOAD_ENDED], 0, index, bytes);
}

static void
emit_scenario_moved(gpointer data)
{
    g_signal_emit(data, signals[SIGNAL_SCENARIO_MOVED], 0);
}

static void
emit_scenario_metric(const guint8 *json, gsize size, gpointer data)
{
    g_autoptr(GBytes) bytes = g_bytes_new(json, size);

    g_signal_emit(data, signals[SIGNAL_SCENARIO_METRIC], 0, bytes);
}

static void
emit_scenario_log(const guint8 *text, gsize size, gpointer data)
{
    g_autoptr(GBytes) bytes = g_bytes_new(text, size);

    g_signal_emit(data, signals[SIGNAL_SCENARIO_LOG], 0, bytes);
}

/* Who asks waits for an answer, so it is told at once when there is nobody to take a snapshot. */
static void
emit_snapshot_requested(const MfSnapshotRequest *request, gpointer data)
{
    if (g_signal_has_handler_pending(data, signals[SIGNAL_SNAPSHOT_REQUESTED], 0, FALSE))
        g_signal_emit(data, signals[SIGNAL_SNAPSHOT_REQUESTED], 0, request);
    else
        mf_stream_send_answer(data, request->id, MF_SNAPSHOT_FAILED,
                              "mayfly takes no snapshots now.");
}

static const MfDispatchSinks sinks = {
    .ready = emit_ready,
    .configured = emit_configured,
    .output = emit_output,
    .acked = emit_acked,
    .held = emit_output_held,
    .exited = emit_exited,
    .kernel_log = emit_kernel_log,
    .payload_output = emit_payload_output,
    .payload_ended = emit_payload_ended,
    .requested = emit_snapshot_requested,
    .moved = emit_scenario_moved,
    .metric = emit_scenario_metric,
    .log = emit_scenario_log,
};

static guint64
get_now_ns(const MfStream *self)
{
    return (guint64)(g_get_monotonic_time() - self->created_us) * NS_PER_US;
}

static void
on_received(MfStream *self, GBytes *bytes)
{
    g_autoptr(MfStream) keep = g_object_ref(self);
    guint64 now_ns = get_now_ns(self);
    struct mf_frame frame;

    if (!mf_frame_assembler_feed(&self->assembler, g_bytes_get_data(bytes, NULL),
                                 g_bytes_get_size(bytes)))
        g_error("out of memory for frames");
    while (mf_frame_assembler_next(&self->assembler, &frame))
        mf_dispatch_frame(&self->dispatch, &frame, now_ns);
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
                                              NULL, G_TYPE_NONE, 2, G_TYPE_STRING, G_TYPE_STRING);
    signals[SIGNAL_OUTPUT] = g_signal_new("output", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                          G_TYPE_NONE, 2, G_TYPE_INT, G_TYPE_BYTES);
    signals[SIGNAL_OUTPUT_HELD] =
        g_signal_new("output-held", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
    signals[SIGNAL_ACKED] = g_signal_new("acked", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                         G_TYPE_NONE, 1, G_TYPE_UINT);
    signals[SIGNAL_EXITED] = g_signal_new("exited", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                          G_TYPE_NONE, 1, G_TYPE_INT);
    signals[SIGNAL_KERNEL_LOG] = g_signal_new("kernel-log", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                              NULL, G_TYPE_NONE, 1, G_TYPE_BYTES);
    signals[SIGNAL_PAYLOAD_OUTPUT] =
        g_signal_new("payload-output", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 3,
                     G_TYPE_UINT, G_TYPE_INT, G_TYPE_BYTES);
    signals[SIGNAL_PAYLOAD_ENDED] =
        g_signal_new("payload-ended", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 2,
                     G_TYPE_UINT, G_TYPE_BYTES);
    signals[SIGNAL_SCENARIO_MOVED] = g_signal_new("scenario-moved", type, G_SIGNAL_RUN_LAST, 0,
                                                  NULL, NULL, NULL, G_TYPE_NONE, 0);
    signals[SIGNAL_SCENARIO_METRIC] = g_signal_new("scenario-metric", type, G_SIGNAL_RUN_LAST, 0,
                                                   NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_BYTES);
    signals[SIGNAL_SCENARIO_LOG] = g_signal_new("scenario-log", type, G_SIGNAL_RUN_LAST, 0, NULL,
                                                NULL, NULL, G_TYPE_NONE, 1, G_TYPE_BYTES);
    signals[SIGNAL_SNAPSHOT_REQUESTED] =
        g_signal_new("snapshot-requested", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                     G_TYPE_NONE, 1, G_TYPE_POINTER);
    signals[SIGNAL_CLOSED] = g_signal_new("closed", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                          G_TYPE_NONE, 1, G_TYPE_ERROR);
}

static void
mf_stream_init(MfStream *self)
{
    self->assembler = MF_FRAME_ASSEMBLER_INIT(MF_FRAME_PAYLOAD_MAX);
    self->dispatch.sinks = &sinks;
    self->dispatch.data = self;
    self->created_us = g_get_monotonic_time();
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
    return self->dispatch.ready;
}

GBytes *
mf_stream_take_residual(MfStream *self)
{
    size_t size;
    uint8_t *data = mf_frame_assembler_take_residual(&self->assembler, &size);

    return data ? g_bytes_new_with_free_func(data, size, free, data) : NULL;
}

void
mf_stream_resume(MfStream *self, GBytes *residual)
{
    self->dispatch.ready = TRUE;
    if (residual)
        on_received(self, residual);
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
    self->dispatch.conf_awaited = TRUE;
    send_frame(self, MF_FRAME_CONF, g_bytes_get_data(record, NULL), g_bytes_get_size(record));
}

void
mf_stream_expect_command(MfStream *self)
{
    mf_dispatch_expect_command(&self->dispatch);
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
mf_stream_start_payload(MfStream *self, GBytes *record)
{
    gsize size = g_bytes_get_size(record);
    g_autofree guint8 *payload = g_malloc(4 + size);

    mf_frame_put_u32(payload, self->dispatch.n_payloads++);
    memcpy(payload + 4, g_bytes_get_data(record, NULL), size);
    send_frame(self, MF_FRAME_PRUN, payload, 4 + size);
}

void
mf_stream_signal_payload(MfStream *self, guint32 index, int signal_number)
{
    guint8 payload[8];

    mf_frame_put_u32(payload, index);
    mf_frame_put_u32(payload + 4, (guint32)signal_number);
    send_frame(self, MF_FRAME_PSIG, payload, sizeof(payload));
}

void
mf_stream_kill_payload(MfStream *self, guint32 index)
{
    send_u32(self, MF_FRAME_PKIL, index);
}

void
mf_stream_set_watchdog(MfStream *self, gint64 budget_ms)
{
    self->dispatch.budget_ns = (guint64)budget_ms * NS_PER_MS;
}

gint64
mf_stream_get_time_left(MfStream *self)
{
    guint64 deadline = mf_dispatch_get_deadline(&self->dispatch);
    guint64 now = get_now_ns(self);

    if (deadline == 0)
        return -1;
    return deadline > now ? (gint64)((deadline - now - 1) / NS_PER_MS + 1) : 0;
}

void
mf_stream_give_time(MfStream *self, gint64 us)
{
    mf_dispatch_give_time(&self->dispatch, (guint64)us * NS_PER_US);
}

char *
mf_stream_explain_overdue(MfStream *self)
{
    return mf_dispatch_explain_overdue(&self->dispatch, get_now_ns(self));
}

void
mf_stream_send_answer(MfStream *self, guint32 id, guint32 status, const char *reason)
{
    guint8 payload[MF_SNAPSHOT_MESSAGE_SIZE];

    if (mf_transport_get_queued(self->transport) > ANSWERS_QUEUE_MAX)
        return;
    mf_snapshot_reply_encode(payload, id, status, reason);
    send_frame(self, MF_FRAME_SNRP, payload, sizeof(payload));
}

void
mf_stream_set_reading(MfStream *self, gboolean reading)
{
    mf_transport_set_reading(self->transport, reading);
}
