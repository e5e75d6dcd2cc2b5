/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/peek.h"

#include <errno.h>
#include <unistd.h>

gssize
mf_peek_read(int fd, void *buffer, gsize size, guint64 offset)
{
    guint8 *at = buffer;
    gsize done = 0;

    if (offset > G_MAXINT64 - size)
        return 0;
    while (done < size) {
        ssize_t n = pread(fd, at + done, size - done, (off_t)(offset + done));

        if (n == 0)
            break;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        done += (gsize)n;
    }
    return (gssize)done;
}

gboolean
mf_poke_write(int fd, const void *data, gsize size, guint64 offset)
{
    const guint8 *at = data;

    while (size > 0) {
        ssize_t n = pwrite(fd, at, size, (off_t)offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return FALSE;
        at += n;
        size -= (gsize)n;
        offset += (guint64)n;
    }
    return TRUE;
}
