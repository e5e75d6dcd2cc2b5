/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib-unix.h>
#include <glib.h>
#include <stddef.h>
#include <sys/stat.h>

/* Closes *fd when it is not negative and sets it to -1; errno is kept. */
void mf_fd_clear(int *fd);

/* A file descriptor closed at the end of its scope; steal it with g_steal_fd() or mf_fd_steal(). */
#define mf_autofd __attribute__((cleanup(mf_fd_clear))) int

/* Returns *fd and leaves -1 in its place. */
static inline int
mf_fd_steal(int *fd)
{
    int stolen = *fd;

    *fd = -1;
    return stolen;
}

/* Whether 'fd' is still what 'path' names: a lock on a file that was removed keeps nobody out. */
gboolean mf_fd_is_named(int fd, const char *path);

/* A connected pair of stream sockets, both close-on-exec; 'ret_ours' is non-blocking,
 * 'ret_theirs' is blocking, ready to be inherited by a child. */
gboolean mf_fd_socketpair(int *ret_ours, int *ret_theirs, GError **error);

/* Writes all of 'data', through EINTR and (by waiting) EAGAIN. Returns FALSE with MF_ERROR_LOST
 * (EPIPE, ECONNRESET) or MF_ERROR_HOST. For small files and pipes, never for a VM's channel. */
gboolean mf_fd_write_all(int fd, const void *data, size_t size, GError **error);

/* Writes 'path' anew and at once: a private temporary beside it, then rename. Mode as given, less
 * the umask. Fails with MF_ERROR_HOST, leaving nothing behind. */
gboolean
mf_file_replace(const char *path, const void *data, size_t size, mode_t mode, GError **error);

/* Reads a whole file of at most 'max' bytes. Owned by the caller. MF_ERROR_HOST, also for one that
 * has more. */
GBytes *mf_file_read(const char *path, size_t max, GError **error);
