/* SPDX-License-Identifier: Apache-2.0 */
#include "run/stdio.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/fd.h"
#include "wire/frame.h"

MfStdio *
mf_stdio_new(const gboolean open[3])
{
    MfStdio *self = g_new0(MfStdio, 1);

    self->input_fd = -1;
    if (open[0])
        self->input = mf_input_new(0, MF_FRAME_CHUNK_MAX);
    for (int fd = 1; fd <= 2; fd++)
        if (open[fd])
            self->output[fd] = mf_output_new(fd);
    return self;
}

MfStdio *
mf_stdio_new_capture(GError **error)
{
    mf_autofd null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    if (null_fd < 0) {
        mf_error_set_errno(error, MF_ERROR_HOST, errno, "'/dev/null' cannot be opened");
        return NULL;
    }

    MfStdio *self = g_new0(MfStdio, 1);

    self->input = mf_input_new(null_fd, MF_FRAME_CHUNK_MAX);
    for (int fd = 1; fd <= 2; fd++)
        self->output[fd] = mf_output_new_sink();
    self->input_fd = mf_fd_steal(&null_fd);
    return self;
}

/* Opened as if it could block: a FIFO without a writer does. Owned by the caller. */
static int
open_input(const char *path, GError **error)
{
    mf_autofd fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct stat status;
    int reason = fd < 0 ? errno : fstat(fd, &status) < 0 ? errno : 0;

    if (reason == 0 && S_ISDIR(status.st_mode))
        reason = EISDIR;
    if (reason == 0)
        return mf_fd_steal(&fd);
    mf_error_set_errno(error, MF_ERROR_CONFIG, reason,
                       "'%s' cannot be read, which is to be the command's standard input", path);
    return -1;
}

static MfOutput *
share(MfOutput *output)
{
    return output ? g_object_ref(output) : NULL;
}

MfStdio *
mf_stdio_new_reading(const MfStdio *other, const char *path, GError **error)
{
    int fd = open_input(path, error);
    MfStdio *self;

    if (fd < 0)
        return NULL;
    self = g_new0(MfStdio, 1);
    self->input_fd = fd;
    self->input = mf_input_new(fd, MF_FRAME_CHUNK_MAX);
    for (int i = 1; i <= 2; i++)
        self->output[i] = share(other->output[i]);
    return self;
}

MfStdio *
mf_stdio_new_beside(const MfStdio *other)
{
    MfStdio *self = g_new0(MfStdio, 1);

    self->input_fd = -1;
    for (int fd = 1; fd <= 2; fd++)
        self->output[fd] = share(other->output[2]);
    return self;
}

void
mf_stdio_free(MfStdio *self)
{
    if (!self)
        return;
    g_clear_object(&self->input);
    for (int fd = 1; fd <= 2; fd++)
        g_clear_object(&self->output[fd]);
    mf_fd_clear(&self->input_fd);
    g_free(self);
}

void
mf_stdio_get_open(const MfStdio *self, gboolean ret_open[3])
{
    ret_open[0] = self->input != NULL;
    for (int fd = 1; fd <= 2; fd++)
        ret_open[fd] = self->output[fd] != NULL;
}

gsize
mf_stdio_get_queued(const MfStdio *self)
{
    gsize queued = 0;

    for (int fd = 1; fd <= 2; fd++)
        if (self->output[fd] && (fd == 1 || self->output[2] != self->output[1]))
            queued += mf_output_get_queued(self->output[fd]);
    return queued;
}
