/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/line-caller.h"

#include <string.h>

/* What calls need, shared with the thread of the one under way. */
typedef struct {
    MfLineAnswer answer;
    gpointer data; /* owned */
    GDestroyNotify free_data;
} Peer;

typedef struct {
    Peer *peer; /* referenced */
    char *line; /* owned */
} Call;

struct _MfLineCaller {
    GObject parent;
    Peer *peer;       /* referenced; NULL before the start */
    GString *unended; /* owned; what was sent of a line so far */
    GQueue lines;     /* owned; of char *, to be called with */
    GQueue received;  /* owned; of GBytes, while nothing is read */
    gsize queued;     /* bytes of 'lines' */
    gboolean held, calling, reading, closed;
};

static void mf_line_caller_iface_init(MfTransportInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE(MfLineCaller, mf_line_caller, G_TYPE_OBJECT,
                              G_IMPLEMENT_INTERFACE(MF_TYPE_TRANSPORT, mf_line_caller_iface_init))

static void
clear_peer(gpointer data)
{
    Peer *peer = data;

    if (peer->free_data)
        peer->free_data(peer->data);
}

static void
call_free(gpointer data)
{
    Call *call = data;

    g_atomic_rc_box_release_full(call->peer, clear_peer);
    g_free(call->line);
    g_free(call);
}

static void
shut(MfLineCaller *self)
{
    self->closed = TRUE;
    self->queued = 0;
    g_queue_clear_full(&self->lines, g_free);
    g_queue_clear_full(&self->received, (GDestroyNotify)g_bytes_unref);
}

static void
mf_line_caller_finalize(GObject *object)
{
    MfLineCaller *self = MF_LINE_CALLER(object);

    shut(self);
    if (self->peer)
        g_atomic_rc_box_release_full(self->peer, clear_peer);
    g_string_free(self->unended, TRUE);
    G_OBJECT_CLASS(mf_line_caller_parent_class)->finalize(object);
}

static void
mf_line_caller_class_init(MfLineCallerClass *class)
{
    G_OBJECT_CLASS(class)->finalize = mf_line_caller_finalize;
}

static void
mf_line_caller_init(MfLineCaller *self)
{
    self->unended = g_string_new(NULL);
    self->reading = TRUE;
}

static void
deliver(MfLineCaller *self)
{
    while (!self->closed && self->reading && !g_queue_is_empty(&self->received)) {
        g_autoptr(GBytes) bytes = g_queue_pop_head(&self->received);

        g_signal_emit_by_name(self, "received", bytes);
    }
}

void
mf_line_caller_receive(MfLineCaller *self, const char *line)
{
    g_autoptr(MfLineCaller) keep = g_object_ref(self);
    gsize size = strlen(line) + 1;
    g_autoptr(GBytes) whole = g_bytes_new_take(g_strconcat(line, "\n", NULL), size);

    if (self->closed)
        return;
    for (gsize at = 0; at < size; at += MF_TRANSPORT_RECEIVED_MAX)
        g_queue_push_tail(
            &self->received,
            g_bytes_new_from_bytes(whole, at, MIN(size - at, MF_TRANSPORT_RECEIVED_MAX)));
    deliver(self);
}

static void
answer_in_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    Call *call = data;

    g_task_return_pointer(task, call->peer->answer(call->line, call->peer->data), g_free);
}

static void on_answered(GObject *source, GAsyncResult *result, gpointer data);

static void
call_next(MfLineCaller *self)
{
    char *line;

    if (self->closed || self->held || self->calling || !self->peer)
        return;
    line = g_queue_pop_head(&self->lines);
    if (!line)
        return;
    self->calling = TRUE;
    self->queued -= strlen(line);

    g_autoptr(GTask) task = g_task_new(self, NULL, on_answered, NULL);
    Call *call = g_new0(Call, 1);
    call->peer = g_atomic_rc_box_acquire(self->peer);
    call->line = line;
    g_task_set_task_data(task, call, call_free);
    g_task_run_in_thread(task, answer_in_thread);
}

static void
on_answered(GObject *source, GAsyncResult *result, gpointer data)
{
    MfLineCaller *self = MF_LINE_CALLER(source);
    g_autofree char *answer = g_task_propagate_pointer(G_TASK(result), NULL);

    self->calling = FALSE;
    if (answer)
        mf_line_caller_receive(self, answer);
    if (!self->closed && g_queue_is_empty(&self->lines))
        g_signal_emit_by_name(self, "drained");
    call_next(self);
}

MfLineCaller *
mf_line_caller_new(void)
{
    return g_object_new(MF_TYPE_LINE_CALLER, NULL);
}

void
mf_line_caller_start(MfLineCaller *self, MfLineAnswer answer, gpointer peer,
                     GDestroyNotify free_peer)
{
    self->peer = g_atomic_rc_box_new0(Peer);
    *self->peer = (Peer){answer, peer, free_peer};
    call_next(self);
}

void
mf_line_caller_hold(MfLineCaller *self, gboolean held)
{
    self->held = held;
    call_next(self);
}

void
mf_line_caller_hang_up(MfLineCaller *self, const GError *reason)
{
    if (self->closed)
        return;
    shut(self);
    g_signal_emit_by_name(self, "closed", reason);
}

static void
send_bytes(MfTransport *transport, GBytes *bytes)
{
    MfLineCaller *self = MF_LINE_CALLER(transport);
    gsize size;
    const char *data = g_bytes_get_data(bytes, &size);
    const char *end;

    if (self->closed)
        return;
    g_string_append_len(self->unended, data, (gssize)size);
    while ((end = memchr(self->unended->str, '\n', self->unended->len))) {
        gsize length = (gsize)(end - self->unended->str);

        g_queue_push_tail(&self->lines, g_strndup(self->unended->str, length));
        self->queued += length;
        g_string_erase(self->unended, 0, (gssize)length + 1);
    }
    call_next(self);
}

static gsize
get_queued(MfTransport *transport)
{
    return MF_LINE_CALLER(transport)->queued;
}

static void
set_reading(MfTransport *transport, gboolean reading)
{
    MfLineCaller *self = MF_LINE_CALLER(transport);

    self->reading = reading;
    deliver(self);
}

static void
close_transport(MfTransport *transport)
{
    shut(MF_LINE_CALLER(transport));
}

/* There is nobody who could be told. */
static void
send_end(MfTransport *transport)
{
}

static void
mf_line_caller_iface_init(MfTransportInterface *iface)
{
    iface->send = send_bytes;
    iface->get_queued = get_queued;
    iface->set_reading = set_reading;
    iface->close = close_transport;
    iface->send_end = send_end;
}
