/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/ends.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

bool
mfg_ends_open_pipe(struct mfg_ends *ends, int stream)
{
    int fds[2];

    if (pipe2(fds, O_CLOEXEC) < 0)
        return false;
    ends->ours[stream] = fds[stream == 0];
    ends->its[stream] = fds[stream != 0];
    return true;
}

bool
mfg_ends_open_null(struct mfg_ends *ends, int stream)
{
    ends->its[stream] = open("/dev/null", (stream == 0 ? O_RDONLY : O_WRONLY) | O_CLOEXEC);
    return ends->its[stream] >= 0;
}

int
mfg_ends_take(struct mfg_ends *ends, int stream)
{
    int fd = ends->ours[stream];

    ends->ours[stream] = -1;
    return fd;
}

static void
clear(int fds[3])
{
    for (int i = 0; i < 3; i++) {
        if (fds[i] >= 0)
            close(fds[i]);
        fds[i] = -1;
    }
}

void
mfg_ends_clear(struct mfg_ends *ends)
{
    int error = errno;

    clear(ends->ours);
    clear(ends->its);
    errno = error;
}
