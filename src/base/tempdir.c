/* SPDX-License-Identifier: Apache-2.0 */
#include "base/tempdir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"

#define OPEN_DIRECTORIES_MAX 16

#define PREFIX "mayfly-run-"

/* Between being made and being locked, a directory is taken for a forsaken one. */
#define ATTEMPTS_MAX 16

/* By path, the descriptor that holds the lock. */
static GHashTable *locks;

static char *
make(const char *template, GError **error)
{
    g_autofree char *path = g_build_filename(g_get_tmp_dir(), template, NULL);

    if (!g_mkdtemp_full(path, 0700)) {
        mf_error_set_errno(error, MF_ERROR_HOST, errno,
                           "A temporary directory cannot be made in '%s'", g_get_tmp_dir());
        return NULL;
    }
    return g_steal_pointer(&path);
}

/* The directory, locked; -1 with EWOULDBLOCK when somebody has the lock, and with ENOENT when the
 * path leads to another one, or to none, by now. 'directory' is what the path is meant from. */
static int
lock(int directory, const char *path)
{
    mf_autofd fd = openat(directory, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat opened, named;

    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) != 0 || fstat(fd, &opened) != 0 ||
        fstatat(directory, path, &named, AT_SYMLINK_NOFOLLOW) != 0)
        return -1;
    if (opened.st_dev == named.st_dev && opened.st_ino == named.st_ino)
        return mf_fd_steal(&fd);
    errno = ENOENT;
    return -1;
}

/* Whether it was ours to make: the names are known, and the place is everybody's. */
static gboolean
is_ours(int fd)
{
    struct stat status;

    return fstat(fd, &status) == 0 && status.st_uid == geteuid();
}

/* Removes what processes have left that are gone. */
static void
sweep(void)
{
    const char *top = g_get_tmp_dir();
    DIR *entries = opendir(top);

    if (!entries)
        return;
    for (struct dirent *entry = readdir(entries); entry; entry = readdir(entries)) {
        if (!g_str_has_prefix(entry->d_name, PREFIX))
            continue;

        mf_autofd fd = lock(dirfd(entries), entry->d_name);
        g_autofree char *path = g_build_filename(top, entry->d_name, NULL);
        if (fd >= 0 && is_ours(fd))
            mf_tempdir_remove(path);
    }
    closedir(entries);
}

static void
close_lock(gpointer fd)
{
    close(GPOINTER_TO_INT(fd));
}

static void
start_keeping(void)
{
    if (locks)
        return;
    locks = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, close_lock);
    sweep();
}

char *
mf_tempdir_make(GError **error)
{
    start_keeping();
    for (int i = 0; i < ATTEMPTS_MAX; i++) {
        g_autofree char *path = make(PREFIX "XXXXXX", error);
        int fd = path ? lock(AT_FDCWD, path) : -1;

        if (fd >= 0)
            g_hash_table_insert(locks, g_strdup(path), GINT_TO_POINTER(fd));
        /* A file system without locks has nobody who could take it for forsaken. */
        if (!path || fd >= 0 || (errno != EWOULDBLOCK && errno != ENOENT))
            return g_steal_pointer(&path);
    }
    g_set_error(error, MF_ERROR, MF_ERROR_HOST,
                "A temporary directory cannot be kept in '%s': somebody removes them at once.",
                g_get_tmp_dir());
    return NULL;
}

char *
mf_tempdir_make_lasting(GError **error)
{
    return make("mayfly-XXXXXX", error);
}

static int
remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    remove(path);
    return 0;
}

void
mf_tempdir_remove(const char *path)
{
    if (!path)
        return;
    nftw(path, remove_entry, OPEN_DIRECTORIES_MAX, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
    if (locks)
        g_hash_table_remove(locks, path);
}
