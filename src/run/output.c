/* SPDX-License-Identifier: Apache-2.0 */
#include "run/output.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <limits.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"

/* While the reader is behind, chunks up to this size are copied together, into pieces of about
 * that: to keep each by itself costs more than a small one has bytes. */
#define SMALL_CHUNK 4096
#define PIECE_SIZE  65536

typedef enum {
    WRITE_PLAIN,  /* never blocks for long: files, or a description of our own */
    WRITE_SOCKET, /* MSG_DONTWAIT */
    WRITE_SMALL,  /* a pipe or terminal that could not be reopened: PIPE_BUF after POLLOUT */
} WriteMethod;

struct _MfOutput {
    GObject parent;
    int fd;     /* borrowed; -1 for a sink */
    int own_fd; /* a description of our own for the same file, -1 when there is none */
    WriteMethod method;
    GQueue queue;     /* of GBytes */
    GByteArray *tail; /* owned; small chunks behind the queue; NULL for none */
    gsize offset;     /* written of the first */
    gsize queued;     /* bytes in both */
    guint source;
    gboolean broken;
    GError *error; /* owned; see mf_output_get_error() */
};

G_DEFINE_FINAL_TYPE(MfOutput, mf_output, G_TYPE_OBJECT)

enum { SIGNAL_WRITTEN, SIGNAL_DRAINED, SIGNAL_BROKEN, N_SIGNALS };
static guint signals[N_SIGNALS];

static void
drop_queue(MfOutput *self)
{
    g_queue_clear_full(&self->queue, (GDestroyNotify)g_bytes_unref);
    g_clear_pointer(&self->tail, g_byte_array_unref);
    self->queued = self->offset = 0;
}

static void
mf_output_finalize(GObject *object)
{
    MfOutput *self = MF_OUTPUT(object);

    g_clear_handle_id(&self->source, g_source_remove);
    drop_queue(self);
    mf_fd_clear(&self->own_fd);
    g_clear_error(&self->error);
    G_OBJECT_CLASS(mf_output_parent_class)->finalize(object);
}

static void
mf_output_class_init(MfOutputClass *class)
{
    G_OBJECT_CLASS(class)->finalize = mf_output_finalize;
    signals[SIGNAL_WRITTEN] = g_signal_new("written", MF_TYPE_OUTPUT, G_SIGNAL_RUN_LAST, 0, NULL,
                                           NULL, NULL, G_TYPE_NONE, 1, G_TYPE_BYTES);
    signals[SIGNAL_DRAINED] = g_signal_new("drained", MF_TYPE_OUTPUT, G_SIGNAL_RUN_LAST, 0, NULL,
                                           NULL, NULL, G_TYPE_NONE, 0);
    signals[SIGNAL_BROKEN] = g_signal_new("broken", MF_TYPE_OUTPUT, G_SIGNAL_RUN_LAST, 0, NULL,
                                          NULL, NULL, G_TYPE_NONE, 0);
}

static void
mf_output_init(MfOutput *self)
{
    self->fd = self->own_fd = -1;
    g_queue_init(&self->queue);
}

/* O_NONBLOCK belongs to the open file description, which the caller's shell may share: pipes and
 * terminals are opened anew through /proc, and only that description is made non-blocking. */
static WriteMethod
choose_method(int fd, int *ret_own_fd)
{
    struct stat status;

    if (fstat(fd, &status) < 0 || S_ISREG(status.st_mode))
        return WRITE_PLAIN;
    if (S_ISSOCK(status.st_mode))
        return WRITE_SOCKET;

    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd);
    *ret_own_fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    return *ret_own_fd >= 0 ? WRITE_PLAIN : WRITE_SMALL;
}

MfOutput *
mf_output_new(int fd)
{
    MfOutput *self = g_object_new(MF_TYPE_OUTPUT, NULL);

    self->fd = fd;
    self->method = choose_method(fd, &self->own_fd);
    return self;
}

MfOutput *
mf_output_new_sink(void)
{
    return g_object_new(MF_TYPE_OUTPUT, NULL);
}

static void
break_off(MfOutput *self, int reason)
{
    if (reason != EPIPE && reason != ECONNRESET)
        mf_error_set_errno(&self->error, MF_ERROR_HOST, reason, "The standard %s cannot be written",
                           self->fd == STDERR_FILENO ? "error" : "output");
    self->broken = TRUE;
    drop_queue(self);
    g_signal_emit(self, signals[SIGNAL_BROKEN], 0);
}

static ssize_t
write_some(MfOutput *self, const void *data, gsize size)
{
    int fd = self->own_fd >= 0 ? self->own_fd : self->fd;

    if (self->method == WRITE_SOCKET)
        return send(fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (self->method == WRITE_SMALL) {
        GPollFD ready = {.fd = fd, .events = G_IO_OUT};

        if (g_poll(&ready, 1, 0) == 0) {
            errno = EAGAIN;
            return -1;
        }
        size = MIN(size, PIPE_BUF);
    }
    return write(fd, data, size);
}

/* The small chunks become a piece of the queue. */
static void
close_tail(MfOutput *self)
{
    if (self->tail)
        g_queue_push_tail(&self->queue, g_byte_array_free_to_bytes(self->tail));
    self->tail = NULL;
}

static void
enqueue(MfOutput *self, GBytes *bytes)
{
    gsize size = g_bytes_get_size(bytes);

    if (self->queued > 0 && size <= SMALL_CHUNK) {
        if (!self->tail)
            self->tail = g_byte_array_new();
        g_byte_array_append(self->tail, g_bytes_get_data(bytes, NULL), (guint)size);
        if (self->tail->len >= PIECE_SIZE)
            close_tail(self);
    } else {
        close_tail(self);
        g_queue_push_tail(&self->queue, g_bytes_ref(bytes));
    }
    self->queued += size;
}

static gboolean on_writable(int fd, GIOCondition condition, gpointer data);

/* Writes until nothing is left or the reader is full. */
static void
flush(MfOutput *self)
{
    while (self->queued > 0) {
        if (g_queue_is_empty(&self->queue))
            close_tail(self);

        GBytes *first = g_queue_peek_head(&self->queue);
        gsize size;
        const guint8 *data = g_bytes_get_data(first, &size);
        ssize_t n = write_some(self, data + self->offset, size - self->offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN) {
            if (!self->source)
                self->source = g_unix_fd_add(self->own_fd >= 0 ? self->own_fd : self->fd,
                                             G_IO_OUT | G_IO_ERR, on_writable, self);
            return;
        }
        if (n < 0) {
            break_off(self, errno);
            return;
        }
        self->offset += (gsize)n;
        self->queued -= (gsize)n;
        if (self->offset == size) {
            g_bytes_unref(g_queue_pop_head(&self->queue));
            self->offset = 0;
        }
    }
}

static gboolean
on_writable(int fd, GIOCondition condition, gpointer data)
{
    g_autoptr(MfOutput) self = g_object_ref(data);

    flush(self);
    if (self->queued > 0)
        return G_SOURCE_CONTINUE;
    self->source = 0;
    if (!self->broken)
        g_signal_emit(self, signals[SIGNAL_DRAINED], 0);
    return G_SOURCE_REMOVE;
}

void
mf_output_write(MfOutput *self, GBytes *bytes)
{
    if (self->broken || g_bytes_get_size(bytes) == 0)
        return;
    g_signal_emit(self, signals[SIGNAL_WRITTEN], 0, bytes);
    if (self->fd < 0)
        return;
    enqueue(self, bytes);
    if (!self->source)
        flush(self);
}

gsize
mf_output_get_queued(MfOutput *self)
{
    return self->queued;
}

gboolean
mf_output_is_broken(MfOutput *self)
{
    return self->broken;
}

const GError *
mf_output_get_error(MfOutput *self)
{
    return self->error;
}
