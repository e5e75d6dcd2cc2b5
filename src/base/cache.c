/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"

/* Comes between the name of a file and the letters that make that of its temporary file unique. */
#define TEMPORARY ".part-"

/* Between being made and being locked, a temporary file is taken for a forsaken one. */
#define ATTEMPTS_MAX 16

/* What MAYFLY_CACHE_DIR says; NULL when it says nothing. */
static char *
named_top(void)
{
    const char *own = g_getenv("MAYFLY_CACHE_DIR");

    return own && *own ? g_canonicalize_filename(own, NULL) : NULL;
}

/* For users without a home that can be written: a directory that is theirs alone, or none. */
static char *
homeless_top(gboolean make)
{
    g_autofree char *name = g_strdup_printf("mayfly-cache-%u", (unsigned)geteuid());
    g_autofree char *path = g_build_filename(g_get_tmp_dir(), name, NULL);
    struct stat status;

    if (make && mkdir(path, 0700) < 0 && errno != EEXIST)
        return NULL;
    if (lstat(path, &status) < 0 || !S_ISDIR(status.st_mode) || status.st_uid != geteuid() ||
        (status.st_mode & 077))
        return NULL;
    return g_steal_pointer(&path);
}

/* XDG_CACHE_HOME is to be ignored when it is relative: XDG base directory specification. */
static gboolean
is_usable(const char *top)
{
    errno = EINVAL;
    return g_path_is_absolute(top);
}

/* Makes 'top' with 'section' below it. Owned by the caller; NULL with errno. */
static char *
make_below(const char *top, const char *section)
{
    g_autofree char *path = g_build_filename(top, section, NULL);

    return is_usable(top) && g_mkdir_with_parents(path, 0700) == 0 ? g_steal_pointer(&path) : NULL;
}

/* 'path', which is consumed, if files can be made in it; NULL with errno. */
static char *
if_writable(char *path)
{
    g_autofree char *directory = path;

    return directory && access(directory, W_OK | X_OK) == 0 ? g_steal_pointer(&directory) : NULL;
}

char *
mf_cache_dir(const char *section, GError **error)
{
    g_autofree char *named = named_top();
    g_autofree char *top =
        named ? g_strdup(named) : g_build_filename(g_get_user_cache_dir(), "mayfly", NULL);
    char *path = make_below(top, section);
    if (!named)
        path = if_writable(path);
    int reason = errno;

    if (!path && !named) {
        g_autofree char *homeless = homeless_top(TRUE);

        path = homeless ? make_below(homeless, section) : NULL;
    }
    if (!path)
        mf_error_set_errno(error, MF_ERROR_HOST, reason,
                           "The cache directory '%s' cannot be made (MAYFLY_CACHE_DIR names "
                           "another)",
                           top);
    return path;
}

/* 'top' with 'section' below it, if that is there. Owned by the caller; NULL with errno. */
static char *
find_below(const char *top, const char *section)
{
    g_autofree char *path = g_build_filename(top, section, NULL);

    return is_usable(top) && access(path, F_OK) == 0 ? g_steal_pointer(&path) : NULL;
}

gboolean
mf_cache_find_dir(const char *section, char **ret_path, GError **error)
{
    g_autofree char *named = named_top();

    if (named) {
        char *path = find_below(named, section);

        if (!path && errno != ENOENT) {
            mf_error_set_errno(error, MF_ERROR_HOST, errno,
                               "The cache directory '%s' cannot be looked into (MAYFLY_CACHE_DIR "
                               "names another)",
                               named);
            return FALSE;
        }
        *ret_path = path;
        return TRUE;
    }

    g_autofree char *usual = g_build_filename(g_get_user_cache_dir(), "mayfly", NULL);
    char *path = if_writable(find_below(usual, section));
    g_autofree char *homeless = path ? NULL : homeless_top(FALSE);
    *ret_path = homeless ? find_below(homeless, section) : path;
    return TRUE;
}

char *
mf_cache_file_id(const struct stat *status)
{
    return g_strdup_printf(
        "%lx-%lx-%lx-%lx.%lx-%lx.%lx", (unsigned long)status->st_dev, (unsigned long)status->st_ino,
        (unsigned long)status->st_size, (unsigned long)status->st_mtim.tv_sec,
        (unsigned long)status->st_mtim.tv_nsec, (unsigned long)status->st_ctim.tv_sec,
        (unsigned long)status->st_ctim.tv_nsec);
}

char *
mf_cache_key(const char *first, ...)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    va_list args;

    va_start(args, first);
    for (const char *part = first; part; part = va_arg(args, const char *))
        g_checksum_update(sum, (const guchar *)part, (gssize)strlen(part) + 1);
    va_end(args);
    return g_strdup(g_checksum_get_string(sum));
}

/* Removes the temporary files for 'path' that nobody fills any more: whoever does has a lock on
 * his, and was killed otherwise. */
static void
sweep(const char *path)
{
    g_autofree char *directory = g_path_get_dirname(path);
    g_autofree char *name = g_path_get_basename(path);
    g_autofree char *prefix = g_strconcat(name, TEMPORARY, NULL);
    g_autoptr(GDir) entries = g_dir_open(directory, 0, NULL);
    const char *entry;

    while (entries && (entry = g_dir_read_name(entries))) {
        if (!g_str_has_prefix(entry, prefix))
            continue;

        g_autofree char *temporary = g_build_filename(directory, entry, NULL);
        mf_autofd fd = open(temporary, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
            unlink(temporary);
    }
}

/* Locks a temporary file; FALSE when somebody took it for a forsaken one before that. A file system
 * without locks has nobody who could. */
static gboolean
lock_temporary(int fd)
{
    struct stat status;

    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        return errno != EWOULDBLOCK;
    return fstat(fd, &status) == 0 && status.st_nlink > 0;
}

int
mf_cache_begin(const char *path, char **ret_temporary, GError **error)
{
    sweep(path);
    for (int i = 0; i < ATTEMPTS_MAX; i++) {
        g_autofree char *temporary = g_strconcat(path, TEMPORARY "XXXXXX", NULL);
        mf_autofd fd = g_mkstemp_full(temporary, O_RDWR | O_CLOEXEC, 0600);

        if (fd < 0)
            break;
        if (lock_temporary(fd)) {
            *ret_temporary = g_steal_pointer(&temporary);
            return mf_fd_steal(&fd);
        }
    }
    mf_error_set_errno(error, MF_ERROR_HOST, errno,
                       "The cache file '%s' cannot be made (MAYFLY_CACHE_DIR names another "
                       "directory)",
                       path);
    return -1;
}

static gboolean
are_alike(const char *path, const char *other)
{
    struct stat first, second;

    return stat(path, &first) == 0 && stat(other, &second) == 0 && S_ISREG(first.st_mode) &&
           S_ISREG(second.st_mode) && first.st_size == second.st_size;
}

gboolean
mf_cache_commit(const char *temporary, const char *path, GError **error)
{
    if (renameat2(AT_FDCWD, temporary, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
        return TRUE;
    if (errno == EEXIST && are_alike(temporary, path)) {
        unlink(temporary);
        return TRUE;
    }
    if (rename(temporary, path) == 0)
        return TRUE;
    mf_error_set_errno(error, MF_ERROR_HOST, errno, "The cache file '%s' cannot be published",
                       path);
    unlink(temporary);
    return FALSE;
}

void
mf_cache_discard(const char *temporary)
{
    if (temporary)
        unlink(temporary);
}
