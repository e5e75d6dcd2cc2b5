/* SPDX-License-Identifier: Apache-2.0 */
#include "base/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"

#define BLOCK_SIZE (64u << 10)

static gboolean
is_zero(const char *block, gsize size)
{
    return size == 0 || (block[0] == 0 && memcmp(block, block + 1, size - 1) == 0);
}

/* One write at a place, as a whole. */
static gboolean
write_at(int fd, const char *data, gsize size, off_t offset, GError **error)
{
    while (size > 0) {
        ssize_t n = pwrite(fd, data, size, offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            mf_error_set_errno(error, MF_ERROR_HOST, errno, "The copy cannot be written");
            return FALSE;
        }
        data += n;
        offset += n;
        size -= (gsize)n;
    }
    return TRUE;
}

/* Opened without waiting: it may be a pipe. */
static int
open_regular(const char *path, GError **error)
{
    mf_autofd fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat status;

    if (fd < 0 || fstat(fd, &status) < 0) {
        mf_error_set_errno(error, MF_ERROR_CONFIG, errno, "'%s' cannot be read", path);
        return -1;
    }
    if (S_ISREG(status.st_mode))
        return mf_fd_steal(&fd);
    g_set_error(error, MF_ERROR, MF_ERROR_CONFIG, "'%s' is not a regular file.", path);
    return -1;
}

gboolean
mf_copy_file(const char *path, int fd, off_t offset, guint64 max, guint64 *ret_size, GError **error)
{
    mf_autofd input = open_regular(path, error);
    g_autofree char *block = g_malloc(BLOCK_SIZE);
    guint64 done = 0;

    if (input < 0)
        return FALSE;
    for (;;) {
        ssize_t n = read(input, block, BLOCK_SIZE);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            mf_error_set_errno(error, MF_ERROR_CONFIG, errno, "'%s' cannot be read", path);
            return FALSE;
        }
        if (n == 0)
            break;
        if (done + (guint64)n > max) {
            g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                        "'%s' is larger than the %" G_GUINT64_FORMAT " bytes that it may have.",
                        path, max);
            return FALSE;
        }
        if (!is_zero(block, (gsize)n) &&
            !write_at(fd, block, (gsize)n, offset + (off_t)done, error))
            return FALSE;
        done += (guint64)n;
    }
    *ret_size = done;
    return TRUE;
}

/* Whether 'path' leads to the open file, and to it alone. */
static gboolean
is_at(int fd, const char *path)
{
    struct stat here, there;

    return fstat(fd, &here) == 0 && lstat(path, &there) == 0 && S_ISREG(here.st_mode) &&
           here.st_nlink == 1 && here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

int
mf_create_private_file(const char *directory, const char *name, char **ret_path, GError **error)
{
    mf_autofd parent = open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    mf_autofd fd = parent < 0
                       ? -1
                       : openat(parent, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                                S_IRUSR | S_IWUSR);

    if (fd < 0) {
        mf_error_set_errno(error, MF_ERROR_HOST, errno, "'%s' cannot be made in '%s'", name,
                           directory);
        return -1;
    }

    /* Others will open it by its name: that has to lead to this very file. */
    char *real = realpath(directory, NULL);
    g_autofree char *path = real ? g_build_filename(real, name, NULL) : NULL;
    free(real);
    if (!path || !is_at(fd, path)) {
        g_set_error(error, MF_ERROR, MF_ERROR_HOST,
                    "'%s' in '%s' is not the file that was made there: something has replaced it.",
                    name, directory);
        return -1;
    }
    *ret_path = g_steal_pointer(&path);
    return mf_fd_steal(&fd);
}
