/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"

void
mf_fd_clear(int *fd)
{
    int saved_errno = errno;

    if (*fd >= 0)
        close(*fd);
    *fd = -1;
    errno = saved_errno;
}

gboolean
mf_fd_is_named(int fd, const char *path)
{
    struct stat opened, named;

    return fstat(fd, &opened) == 0 && stat(path, &named) == 0 && opened.st_dev == named.st_dev &&
           opened.st_ino == named.st_ino;
}

gboolean
mf_fd_socketpair(int *ret_ours, int *ret_theirs, GError **error)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
        mf_error_set_errno(error, MF_ERROR_HOST, errno, "A socket pair could not be made");
        return FALSE;
    }
    g_unix_set_fd_nonblocking(pair[0], TRUE, NULL);
    *ret_ours = pair[0];
    *ret_theirs = pair[1];
    return TRUE;
}

gboolean
mf_fd_write_all(int fd, const void *data, size_t size, GError **error)
{
    const char *at = data;

    while (size > 0) {
        ssize_t n = write(fd, at, size);

        if (n >= 0) {
            at += n;
            size -= (size_t)n;
        } else if (errno == EAGAIN) {
            struct pollfd wait = {.fd = fd, .events = POLLOUT};

            poll(&wait, 1, -1);
        } else if (errno != EINTR) {
            MfErrorCode code =
                errno == EPIPE || errno == ECONNRESET ? MF_ERROR_LOST : MF_ERROR_HOST;

            mf_error_set_errno(error, code, errno, "Writing %zu bytes failed", size);
            return FALSE;
        }
    }
    return TRUE;
}

gboolean
mf_file_replace(const char *path, const void *data, size_t size, mode_t mode, GError **error)
{
    g_autofree char *temporary = g_strconcat(path, ".XXXXXX", NULL);
    mf_autofd fd = g_mkstemp_full(temporary, O_RDWR | O_CLOEXEC, (int)mode);

    if (fd < 0) {
        mf_error_set_errno(error, MF_ERROR_HOST, errno, "'%s' cannot be written", path);
        return FALSE;
    }

    g_autoptr(GError) write_error = NULL;
    if (!mf_fd_write_all(fd, data, size, &write_error)) {
        unlink(temporary);
        mf_error_take_foreign(error, MF_ERROR_HOST, g_steal_pointer(&write_error),
                              "'%s' cannot be written", path);
        return FALSE;
    }
    /* A file of the network's may tell only now that there was no room for it. */
    if (close(mf_fd_steal(&fd)) < 0 || rename(temporary, path) < 0) {
        mf_error_set_errno(error, MF_ERROR_HOST, errno, "'%s' cannot be replaced", path);
        unlink(temporary);
        return FALSE;
    }
    return TRUE;
}

GBytes *
mf_file_read(const char *path, size_t max, GError **error)
{
    mf_autofd fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;

    if (fd < 0 || fstat(fd, &status) < 0) {
        mf_error_set_errno(error, MF_ERROR_HOST, errno, "'%s' cannot be read", path);
        return NULL;
    }

    /* Files of /proc and /sys say size 0: read until the end, whatever was announced. */
    g_autoptr(GByteArray) content = g_byte_array_sized_new((guint)MIN((size_t)status.st_size, max));
    for (;;) {
        guint8 chunk[65536];
        ssize_t n = read(fd, chunk, sizeof(chunk));

        if (n == 0)
            return g_byte_array_free_to_bytes(g_steal_pointer(&content));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            mf_error_set_errno(error, MF_ERROR_HOST, errno, "'%s' cannot be read", path);
            return NULL;
        }
        if (content->len + (size_t)n > max) {
            g_set_error(error, MF_ERROR, MF_ERROR_HOST, "'%s' is larger than %zu bytes.", path,
                        max);
            return NULL;
        }
        g_byte_array_append(content, chunk, (guint)n);
    }
}
