/* SPDX-License-Identifier: Apache-2.0 */
#include "run/stdio.h"

#include <errno.h>
#include <fcntl.h>

#include "base/error.h"
#include "base/fd.h"
#include "wire/frame.h"

MfStdio *
mf_stdio_new(const gboolean open[3])
{
    MfStdio *self = g_new0(MfStdio, 1);

    self->null_fd = -1;
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
    self->null_fd = mf_fd_steal(&null_fd);
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
    mf_fd_clear(&self->null_fd);
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
