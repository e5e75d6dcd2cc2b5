/* SPDX-License-Identifier: Apache-2.0 */
#include "run/input.h"

#include <errno.h>
#include <glib-unix.h>
#include <unistd.h>

#include "base/error.h"

struct _MfInput {
    GObject parent;
    int fd; /* borrowed */
    gsize chunk_max, granted;
    guint source;
    gboolean over;
    guint8 *buffer; /* owned; chunk_max bytes */
    GError *error;  /* owned; see mf_input_get_error() */
};

G_DEFINE_FINAL_TYPE(MfInput, mf_input, G_TYPE_OBJECT)

enum { SIGNAL_RECEIVED, SIGNAL_ENDED, N_SIGNALS };
static guint signals[N_SIGNALS];

static void
mf_input_finalize(GObject *object)
{
    MfInput *self = MF_INPUT(object);

    g_clear_handle_id(&self->source, g_source_remove);
    g_free(self->buffer);
    g_clear_error(&self->error);
    G_OBJECT_CLASS(mf_input_parent_class)->finalize(object);
}

static void
mf_input_class_init(MfInputClass *class)
{
    G_OBJECT_CLASS(class)->finalize = mf_input_finalize;
    signals[SIGNAL_RECEIVED] = g_signal_new("received", MF_TYPE_INPUT, G_SIGNAL_RUN_LAST, 0, NULL,
                                            NULL, NULL, G_TYPE_NONE, 1, G_TYPE_BYTES);
    signals[SIGNAL_ENDED] = g_signal_new("ended", MF_TYPE_INPUT, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                         NULL, G_TYPE_NONE, 0);
}

static void
mf_input_init(MfInput *self)
{
}

MfInput *
mf_input_new(int fd, gsize chunk_max)
{
    MfInput *self = g_object_new(MF_TYPE_INPUT, NULL);

    self->fd = fd;
    self->chunk_max = chunk_max;
    self->buffer = g_malloc(chunk_max);
    return self;
}

/* Nothing was lost: it was never open for reading, as nohup(1) leaves it, or is a terminal that is
 * not ours any more. */
static gboolean
is_plain_end(int fd, int reason)
{
    return reason == EBADF || (reason == EIO && isatty(fd));
}

static void
end(MfInput *self, int reason)
{
    if (reason != 0 && !is_plain_end(self->fd, reason))
        mf_error_set_errno(&self->error, MF_ERROR_HOST, reason,
                           "The standard input cannot be read");
    self->source = 0;
    self->over = TRUE;
    g_signal_emit(self, signals[SIGNAL_ENDED], 0);
}

static gboolean
on_readable(int fd, GIOCondition condition, gpointer data)
{
    g_autoptr(MfInput) self = g_object_ref(data);
    ssize_t n = read(fd, self->buffer, MIN(self->granted, self->chunk_max));

    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return G_SOURCE_CONTINUE;
    if (n <= 0) {
        end(self, n < 0 ? errno : 0);
        return G_SOURCE_REMOVE;
    }

    g_autoptr(GBytes) chunk = g_bytes_new(self->buffer, (gsize)n);
    self->granted -= (gsize)n;
    gboolean more = self->granted > 0;
    if (!more)
        self->source = 0;
    g_signal_emit(self, signals[SIGNAL_RECEIVED], 0, chunk);
    return more ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

void
mf_input_grant(MfInput *self, gsize bytes)
{
    self->granted += bytes;
    if (!self->source && !self->over && self->granted > 0)
        self->source =
            g_unix_fd_add(self->fd, G_IO_IN | G_IO_HUP | G_IO_ERR | G_IO_NVAL, on_readable, self);
}

void
mf_input_stop(MfInput *self)
{
    self->over = TRUE;
    g_clear_handle_id(&self->source, g_source_remove);
}

const GError *
mf_input_get_error(MfInput *self)
{
    return self->error;
}
