/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/libvirt-stream.h"

#include "base/error.h"

/* How much is read or written before other sources of the main loop get their turn. */
#define BUDGET (256u << 10)

/* What one message of libvirt's protocol is sure to carry. */
#define SEND_MAX (64u << 10)

#define WOULD_BLOCK (-2)

/* A stream and the connection that it is of: what has to be let go of elsewhere than here, since
 * that blocks. */
typedef struct {
    virStreamPtr stream; /* owned */
    MfLibvirtLink *link; /* referenced */
    gboolean complete;   /* what was sent is to arrive first */
} Handle;

struct _MfLibvirtStream {
    GObject parent;
    char *peer;     /* owned */
    Handle *handle; /* owned; NULL before it is attached, and when it is closed */
    gboolean reading, end_wanted, closed;
    GQueue queue; /* owned; of GBytes */
    gsize queued;
};

static void mf_libvirt_stream_iface_init(MfTransportInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE(MfLibvirtStream, mf_libvirt_stream, G_TYPE_OBJECT,
                              G_IMPLEMENT_INTERFACE(MF_TYPE_TRANSPORT,
                                                    mf_libvirt_stream_iface_init))

static void
handle_free(gpointer data)
{
    Handle *handle = data;

    virStreamFree(handle->stream);
    mf_libvirt_link_unref(handle->link);
    g_free(handle);
}

static void
end_in_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    Handle *handle = data;

    if (!handle->complete || virStreamFinish(handle->stream) < 0)
        virStreamAbort(handle->stream);
    g_task_return_boolean(task, TRUE);
}

/* Nothing comes from the stream any more. Ending it waits for the other side's answer. */
static void
shut(MfLibvirtStream *self)
{
    Handle *handle = g_steal_pointer(&self->handle);

    self->closed = TRUE;
    if (handle)
        handle->complete = g_queue_is_empty(&self->queue) && self->end_wanted;
    self->queued = 0;
    g_queue_clear_full(&self->queue, (GDestroyNotify)g_bytes_unref);
    if (!handle)
        return;

    g_autoptr(GTask) task = g_task_new(NULL, NULL, NULL, NULL);
    virStreamEventRemoveCallback(handle->stream);
    g_task_set_task_data(task, handle, handle_free);
    g_task_run_in_thread(task, end_in_thread);
}

static void
mf_libvirt_stream_finalize(GObject *object)
{
    MfLibvirtStream *self = MF_LIBVIRT_STREAM(object);

    shut(self);
    g_free(self->peer);
    G_OBJECT_CLASS(mf_libvirt_stream_parent_class)->finalize(object);
}

static void
mf_libvirt_stream_class_init(MfLibvirtStreamClass *class)
{
    G_OBJECT_CLASS(class)->finalize = mf_libvirt_stream_finalize;
}

static void
mf_libvirt_stream_init(MfLibvirtStream *self)
{
    self->reading = TRUE;
}

static int
get_events(MfLibvirtStream *self)
{
    return VIR_STREAM_EVENT_ERROR | VIR_STREAM_EVENT_HANGUP |
           (self->reading ? VIR_STREAM_EVENT_READABLE : 0) |
           (g_queue_is_empty(&self->queue) ? 0 : VIR_STREAM_EVENT_WRITABLE);
}

static void
update_events(MfLibvirtStream *self)
{
    if (self->handle)
        virStreamEventUpdateCallback(self->handle->stream, get_events(self));
}

/* 'broken' tells a failure from an end. */
static void
hang_up(MfLibvirtStream *self, gboolean broken)
{
    g_autoptr(GError) reason = NULL;

    if (self->closed)
        return;
    if (broken)
        mf_libvirt_set_error(&reason, MF_ERROR_LOST, "The connection to %s broke", self->peer);
    else
        g_set_error(&reason, MF_ERROR, MF_ERROR_LOST,
                    "The connection to %s was closed by the other side.", self->peer);
    shut(self);
    g_signal_emit_by_name(self, "closed", reason);
}

/* Until there is nothing more for now. */
static void
read_some(MfLibvirtStream *self)
{
    g_autofree char *data = g_malloc(MF_TRANSPORT_RECEIVED_MAX);

    for (gsize total = 0; self->handle && self->reading && total < BUDGET;) {
        int n = virStreamRecv(self->handle->stream, data, MF_TRANSPORT_RECEIVED_MAX);

        if (n == WOULD_BLOCK)
            return;
        if (n <= 0) {
            hang_up(self, n < 0);
            return;
        }

        g_autoptr(GBytes) bytes = g_bytes_new(data, (gsize)n);
        total += (gsize)n;
        g_signal_emit_by_name(self, "received", bytes);
    }
}

/* A stream of libvirt's has no half that could be closed by itself: nothing comes from it any more
 * either. */
static void
end_if_sent(MfLibvirtStream *self)
{
    if (self->end_wanted && self->handle && g_queue_is_empty(&self->queue))
        shut(self);
}

static void
write_some(MfLibvirtStream *self)
{
    for (gsize total = 0; self->handle && !g_queue_is_empty(&self->queue) && total < BUDGET;) {
        g_autoptr(GBytes) bytes = g_queue_pop_head(&self->queue);
        gsize size = g_bytes_get_size(bytes);
        int n =
            virStreamSend(self->handle->stream, g_bytes_get_data(bytes, NULL), MIN(size, SEND_MAX));

        if (n < (int)size && (n > 0 || n == WOULD_BLOCK))
            g_queue_push_head(&self->queue, g_bytes_new_from_bytes(bytes, (gsize)MAX(n, 0),
                                                                   size - (gsize)MAX(n, 0)));
        if (n == WOULD_BLOCK)
            return;
        if (n < 0) {
            hang_up(self, TRUE);
            return;
        }
        total += (gsize)n;
        self->queued -= (gsize)n;
    }
    if (self->handle && g_queue_is_empty(&self->queue))
        g_signal_emit_by_name(self, "drained");
    end_if_sent(self);
}

/* What was said before an end is read first, if anybody reads. */
static void
on_stream_event(virStreamPtr stream, int events, void *data)
{
    g_autoptr(MfLibvirtStream) self = g_object_ref(data);

    if (events & VIR_STREAM_EVENT_READABLE || events & VIR_STREAM_EVENT_HANGUP)
        read_some(self);
    if (self->handle && events & VIR_STREAM_EVENT_WRITABLE)
        write_some(self);
    if (self->handle && events & VIR_STREAM_EVENT_ERROR)
        hang_up(self, TRUE);
    if (self->handle && self->reading && events & VIR_STREAM_EVENT_HANGUP)
        hang_up(self, FALSE);
    update_events(self);
}

MfLibvirtStream *
mf_libvirt_stream_new(const char *peer)
{
    MfLibvirtStream *self = g_object_new(MF_TYPE_LIBVIRT_STREAM, NULL);

    self->peer = g_strdup(peer);
    return self;
}

gboolean
mf_libvirt_stream_attach(MfLibvirtStream *self, MfLibvirtLink *link, virStreamPtr stream,
                         GError **error)
{
    Handle *handle = g_new0(Handle, 1);

    *handle = (Handle){stream, mf_libvirt_link_ref(link), FALSE};
    if (self->closed) {
        handle_free(handle);
        return TRUE;
    }
    self->handle = handle;
    if (virStreamEventAddCallback(stream, get_events(self), on_stream_event, g_object_ref(self),
                                  g_object_unref) == 0) {
        end_if_sent(self);
        return TRUE;
    }
    g_object_unref(self);
    mf_libvirt_set_error(error, MF_ERROR_LAUNCH, "The connection to %s cannot be watched",
                         self->peer);
    return FALSE;
}

static void
send_bytes(MfTransport *transport, GBytes *bytes)
{
    MfLibvirtStream *self = MF_LIBVIRT_STREAM(transport);

    if (self->closed || g_bytes_get_size(bytes) == 0)
        return;
    g_queue_push_tail(&self->queue, g_bytes_ref(bytes));
    self->queued += g_bytes_get_size(bytes);
    update_events(self);
}

static gsize
get_queued(MfTransport *transport)
{
    return MF_LIBVIRT_STREAM(transport)->queued;
}

static void
set_reading(MfTransport *transport, gboolean reading)
{
    MfLibvirtStream *self = MF_LIBVIRT_STREAM(transport);

    self->reading = reading;
    update_events(self);
}

static void
close_transport(MfTransport *transport)
{
    shut(MF_LIBVIRT_STREAM(transport));
}

static void
send_end(MfTransport *transport)
{
    MfLibvirtStream *self = MF_LIBVIRT_STREAM(transport);

    self->end_wanted = TRUE;
    end_if_sent(self);
}

static void
mf_libvirt_stream_iface_init(MfTransportInterface *iface)
{
    iface->send = send_bytes;
    iface->get_queued = get_queued;
    iface->set_reading = set_reading;
    iface->close = close_transport;
    iface->send_end = send_end;
}
