/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/capture.h"

#include <errno.h>
#include <fcntl.h>

#include "base/error.h"
#include "base/fd.h"
#include "run/tail.h"
#include "suite/outcome.h"

struct _MfCapture {
    char *path; /* owned; or NULL */
    int fd;     /* owned; -1: nothing is written */
    guint64 size, file_max;
    MfTail *tail; /* owned */
};

MfCapture *
mf_capture_new(const char *path, guint64 file_max, GError **error)
{
    mf_autofd fd = -1;

    if (path) {
        g_autofree char *directory = g_path_get_dirname(path);

        /* Where it cannot be made, the file cannot be either. */
        g_mkdir_with_parents(directory, 0755);
        fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
        if (fd < 0) {
            mf_error_set_errno(error, MF_ERROR_HOST, errno, "'%s' cannot be written", path);
            return NULL;
        }
    }

    MfCapture *self = g_new0(MfCapture, 1);

    self->path = g_strdup(path);
    self->file_max = file_max;
    self->fd = mf_fd_steal(&fd);
    self->tail = mf_tail_new(MF_OUTCOME_TAIL);
    return self;
}

void
mf_capture_free(MfCapture *self)
{
    if (!self)
        return;
    mf_fd_clear(&self->fd);
    mf_tail_free(self->tail);
    g_free(self->path);
    g_free(self);
}

static void
write_file(MfCapture *self, const void *data, gsize size)
{
    g_autoptr(GError) error = NULL;

    if (self->fd < 0 || size == 0 || mf_fd_write_all(self->fd, data, size, &error))
        return;
    g_message("'%s' is incomplete: %s", self->path, error->message);
    mf_fd_clear(&self->fd);
}

void
mf_capture_write(MfCapture *self, GBytes *bytes)
{
    gsize size;
    const void *data = g_bytes_get_data(bytes, &size);
    guint64 room = self->file_max - MIN(self->size, self->file_max);

    write_file(self, data, (gsize)MIN(size, room));
    mf_tail_append(self->tail, bytes);
    self->size += size;
}

void
mf_capture_close(MfCapture *self)
{
    if (self->size > self->file_max) {
        g_autofree char *note =
            g_strdup_printf("\nmayfly: %" G_GUINT64_FORMAT " more bytes were left out here.\n",
                            self->size - self->file_max);

        write_file(self, note, strlen(note));
    }
    mf_fd_clear(&self->fd);
}

guint64
mf_capture_get_size(const MfCapture *self)
{
    return self->size;
}

GBytes *
mf_capture_get_tail(const MfCapture *self)
{
    return self->size > 0 ? mf_tail_get(self->tail) : NULL;
}
