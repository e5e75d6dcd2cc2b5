/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/fd-transport.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"

/* How much is written before other sources of the main loop get their turn. */
#define WRITE_BUDGET (256u << 10)

struct _MfFdTransport {
    GObject parent;
    char *peer;   /* owned */
    int fd;       /* owned; -1 when closed */
    int write_fd; /* owned where it is not the same as 'fd'; -1 when nothing more is sent */
    gboolean is_socket, can_read, reading, end_wanted;
    GQueue queue; /* owned; of Chunk */
    gsize queued;
    GError *write_error; /* owned; when set, what remains is to read the rest */
    guint read_source, write_source, end_source;
};

/* Bytes to send, and the descriptor that travels with the first of them. */
typedef struct {
    GBytes *bytes; /* owned */
    gsize sent;
    int fd; /* owned, or -1 */
} Chunk;

static void mf_fd_transport_iface_init(MfTransportInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE(MfFdTransport, mf_fd_transport, G_TYPE_OBJECT,
                              G_IMPLEMENT_INTERFACE(MF_TYPE_TRANSPORT, mf_fd_transport_iface_init))

static void
chunk_free(Chunk *chunk)
{
    g_bytes_unref(chunk->bytes);
    mf_fd_clear(&chunk->fd);
    g_free(chunk);
}

static void
drop_queue(MfFdTransport *self)
{
    g_queue_clear_full(&self->queue, (GDestroyNotify)chunk_free);
    self->queued = 0;
}

static gboolean on_readable(int fd, GIOCondition condition, gpointer data);
static gboolean on_writable(int fd, GIOCondition condition, gpointer data);
static gboolean on_write_failed(gpointer data);

static void
watch(MfFdTransport *self, int fd, guint *source, gboolean wanted, GIOCondition condition,
      GUnixFDSourceFunc callback)
{
    if (wanted && !*source)
        *source = g_unix_fd_add(fd, condition, callback, self);
    else if (!wanted && *source)
        g_clear_handle_id(source, g_source_remove);
}

/* The only place where sources come and go. With no wish to read there is no source at all: a
 * hang-up would wake one for ever. */
static void
update_sources(MfFdTransport *self)
{
    gboolean is_open = self->fd >= 0;
    gboolean reads = is_open && self->can_read && self->reading;
    gboolean ends = is_open && self->write_error && (self->reading || !self->can_read);

    watch(self, self->fd, &self->read_source, reads && !self->write_error, G_IO_IN, on_readable);
    watch(self, self->write_fd, &self->write_source,
          self->write_fd >= 0 && !g_queue_is_empty(&self->queue), G_IO_OUT, on_writable);
    if (ends && !self->end_source)
        self->end_source = g_idle_add_full(G_PRIORITY_DEFAULT, on_write_failed, self, NULL);
    else if (!ends)
        g_clear_handle_id(&self->end_source, g_source_remove);
}

static void
close_fd(MfFdTransport *self)
{
    int fd = mf_fd_steal(&self->fd);
    int write_fd = mf_fd_steal(&self->write_fd);

    drop_queue(self);
    update_sources(self);
    if (write_fd != fd)
        mf_fd_clear(&write_fd);
    mf_fd_clear(&fd);
}

/* Takes ownership of 'reason'. */
static void
hang_up(MfFdTransport *self, GError *reason)
{
    g_autoptr(GError) owned = reason;

    close_fd(self);
    g_signal_emit_by_name(self, "closed", owned);
}

static GError *
lost(MfFdTransport *self, int reason_errno)
{
    GError *error = NULL;

    if (reason_errno == 0 || reason_errno == EPIPE || reason_errno == ECONNRESET)
        g_set_error(&error, MF_ERROR, MF_ERROR_LOST,
                    "The connection to %s was closed by the other side.", self->peer);
    else
        mf_error_set_errno(&error, MF_ERROR_LOST, reason_errno, "The connection to %s broke",
                           self->peer);
    return error;
}

static void
read_some(MfFdTransport *self)
{
    guint8 data[MF_TRANSPORT_RECEIVED_MAX];
    ssize_t n = read(self->fd, data, sizeof(data));

    if (n > 0) {
        g_autoptr(GBytes) bytes = g_bytes_new(data, (gsize)n);

        g_signal_emit_by_name(self, "received", bytes);
    } else if (n == 0) {
        hang_up(self, lost(self, 0));
    } else if (errno == EAGAIN && self->write_error) {
        hang_up(self, g_steal_pointer(&self->write_error));
    } else if (errno != EAGAIN && errno != EINTR) {
        hang_up(self, lost(self, errno));
    }
}

static gboolean
on_readable(int fd, GIOCondition condition, gpointer data)
{
    g_autoptr(MfFdTransport) self = g_object_ref(data);

    read_some(self);
    return G_SOURCE_CONTINUE;
}

static ssize_t
write_chunk(MfFdTransport *self, const Chunk *chunk)
{
    gsize size;
    const guint8 *data = g_bytes_get_data(chunk->bytes, &size);
    struct iovec rest = {(void *)(data + chunk->sent), size - chunk->sent};
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct msghdr message = {.msg_iov = &rest, .msg_iovlen = 1};

    if (!self->is_socket)
        return write(self->write_fd, rest.iov_base, rest.iov_len);
    if (chunk->fd >= 0) {
        message.msg_control = &control;
        message.msg_controllen = sizeof(control);
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(&control.header), &chunk->fd, sizeof(int));
    }
    return sendmsg(self->fd, &message, MSG_NOSIGNAL);
}

static void
write_queue(MfFdTransport *self)
{
    gsize written = 0;

    while (!g_queue_is_empty(&self->queue) && written < WRITE_BUDGET) {
        Chunk *chunk = g_queue_peek_head(&self->queue);
        ssize_t n = write_chunk(self, chunk);

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (n < 0) {
            self->write_error = lost(self, errno);
            drop_queue(self);
            return;
        }
        mf_fd_clear(&chunk->fd);
        chunk->sent += (gsize)n;
        written += (gsize)n;
        self->queued -= (gsize)n;
        if (chunk->sent == g_bytes_get_size(chunk->bytes))
            chunk_free(g_queue_pop_head(&self->queue));
    }
}

/* Half of the connection only: bytes from the peer still come. A pipe on its own has just this one
 * half, and ends when it is closed. */
static void
end_if_sent(MfFdTransport *self)
{
    if (!self->end_wanted || self->write_fd < 0 || !g_queue_is_empty(&self->queue))
        return;
    if (self->is_socket)
        shutdown(self->fd, SHUT_WR);
    else if (self->write_fd != self->fd)
        mf_fd_clear(&self->write_fd);
}

static gboolean
on_writable(int fd, GIOCondition condition, gpointer data)
{
    g_autoptr(MfFdTransport) self = g_object_ref(data);

    write_queue(self);
    update_sources(self);
    end_if_sent(self);
    if (!self->write_error && g_queue_is_empty(&self->queue))
        g_signal_emit_by_name(self, "drained");
    return G_SOURCE_CONTINUE;
}

/* Reads, piece by piece, what the peer sent before it stopped to listen; then it is over. */
static gboolean
on_write_failed(gpointer data)
{
    g_autoptr(MfFdTransport) self = g_object_ref(data);

    if (self->can_read)
        read_some(self);
    else
        hang_up(self, g_steal_pointer(&self->write_error));
    return G_SOURCE_CONTINUE;
}

static void
enqueue(MfFdTransport *self, GBytes *bytes, int owned_fd)
{
    Chunk *chunk = g_new0(Chunk, 1);

    chunk->bytes = g_bytes_ref(bytes);
    chunk->fd = owned_fd;
    self->queued += g_bytes_get_size(bytes);
    g_queue_push_tail(&self->queue, chunk);
    update_sources(self);
}

static void
mf_fd_transport_send(MfTransport *transport, GBytes *bytes)
{
    MfFdTransport *self = MF_FD_TRANSPORT(transport);

    if (self->write_fd >= 0 && !self->write_error && g_bytes_get_size(bytes) > 0)
        enqueue(self, bytes, -1);
}

static gboolean
mf_fd_transport_send_with_fd(MfTransport *transport, GBytes *bytes, int fd, GError **error)
{
    MfFdTransport *self = MF_FD_TRANSPORT(transport);

    if (self->fd < 0 || self->write_error)
        return TRUE;
    if (!self->is_socket) {
        g_set_error(error, MF_ERROR, MF_ERROR_PROTOCOL,
                    "A file descriptor cannot be passed to %s over a pipe.", self->peer);
        return FALSE;
    }
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (copy < 0) {
        mf_error_set_errno(error, MF_ERROR_HOST, errno,
                           "A file descriptor for %s cannot be duplicated", self->peer);
        return FALSE;
    }
    enqueue(self, bytes, copy);
    return TRUE;
}

static void
mf_fd_transport_send_end(MfTransport *transport)
{
    MfFdTransport *self = MF_FD_TRANSPORT(transport);

    self->end_wanted = TRUE;
    end_if_sent(self);
}

static gsize
mf_fd_transport_get_queued(MfTransport *transport)
{
    return MF_FD_TRANSPORT(transport)->queued;
}

static void
mf_fd_transport_set_reading(MfTransport *transport, gboolean reading)
{
    MfFdTransport *self = MF_FD_TRANSPORT(transport);

    self->reading = reading;
    update_sources(self);
}

static void
mf_fd_transport_close(MfTransport *transport)
{
    close_fd(MF_FD_TRANSPORT(transport));
}

static void
mf_fd_transport_iface_init(MfTransportInterface *iface)
{
    iface->send = mf_fd_transport_send;
    iface->send_with_fd = mf_fd_transport_send_with_fd;
    iface->get_queued = mf_fd_transport_get_queued;
    iface->set_reading = mf_fd_transport_set_reading;
    iface->close = mf_fd_transport_close;
    iface->send_end = mf_fd_transport_send_end;
}

static void
mf_fd_transport_dispose(GObject *object)
{
    close_fd(MF_FD_TRANSPORT(object));
    G_OBJECT_CLASS(mf_fd_transport_parent_class)->dispose(object);
}

static void
mf_fd_transport_finalize(GObject *object)
{
    MfFdTransport *self = MF_FD_TRANSPORT(object);

    g_clear_error(&self->write_error);
    g_free(self->peer);
    G_OBJECT_CLASS(mf_fd_transport_parent_class)->finalize(object);
}

static void
mf_fd_transport_class_init(MfFdTransportClass *class)
{
    G_OBJECT_CLASS(class)->dispose = mf_fd_transport_dispose;
    G_OBJECT_CLASS(class)->finalize = mf_fd_transport_finalize;
}

static void
mf_fd_transport_init(MfFdTransport *self)
{
    self->fd = -1;
    self->write_fd = -1;
    self->reading = TRUE;
    g_queue_init(&self->queue);
}

static void
own(int fd)
{
    g_unix_set_fd_nonblocking(fd, TRUE, NULL);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
}

MfTransport *
mf_fd_transport_new_pipes(int read_fd, int write_fd, const char *peer)
{
    MfFdTransport *self = g_object_new(MF_TYPE_FD_TRANSPORT, NULL);
    struct stat status;

    self->fd = read_fd;
    self->write_fd = write_fd;
    self->peer = g_strdup(peer);
    self->is_socket = fstat(read_fd, &status) == 0 && S_ISSOCK(status.st_mode);
    self->can_read = (fcntl(read_fd, F_GETFL) & O_ACCMODE) != O_WRONLY;
    own(read_fd);
    own(write_fd);
    update_sources(self);
    return MF_TRANSPORT(self);
}

MfTransport *
mf_fd_transport_new(int fd, const char *peer)
{
    return mf_fd_transport_new_pipes(fd, fd, peer);
}
