/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/mountpoint.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

/* Cuts the last component off 'path' in place: "/a/b/" becomes "/a", "/a" becomes "/". */
static void
cut_last(char *path)
{
    size_t length = strlen(path);

    while (length > 1 && path[length - 1] == '/')
        length--;
    while (length > 1 && path[length - 1] != '/')
        length--;
    while (length > 1 && path[length - 1] == '/')
        length--;
    path[length] = '\0';
}

static bool
is_empty(const char *path)
{
    DIR *dir = opendir(path);
    bool empty = dir != NULL;

    if (!dir)
        return false;
    for (struct dirent *entry = readdir(dir); entry && empty; entry = readdir(dir))
        empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
    closedir(dir);
    return empty;
}

static bool
is_own(const struct mfg_mountpoints *mountpoints, dev_t device)
{
    for (size_t i = 0; i < mountpoints->n_own; i++) {
        if (mountpoints->own[i] == device)
            return true;
    }
    return mountpoints->root_mode == MFG_ROOT_OVERLAY && device == mountpoints->root;
}

/* Notes that the file system at 'path' is the guest's own. */
static void
adopt(struct mfg_mountpoints *mountpoints, const char *path)
{
    struct stat status;

    if (mountpoints->n_own < MFG_MOUNTPOINTS_OWN_MAX && stat(path, &status) == 0 &&
        status.st_dev != mountpoints->root)
        mountpoints->own[mountpoints->n_own++] = status.st_dev;
}

void
mfg_mountpoints_init(struct mfg_mountpoints *mountpoints, enum mfg_root_mode root_mode)
{
    struct stat status;

    *mountpoints = (struct mfg_mountpoints){.root_mode = root_mode};
    if (stat("/", &status) == 0)
        mountpoints->root = status.st_dev;
    adopt(mountpoints, "/run");
    adopt(mountpoints, "/dev");
}

enum mfg_place
mfg_mountpoint_place(const struct mfg_mountpoints *mountpoints, const char *path, char *ret_parent)
{
    struct stat status;
    int result;

    (void)snprintf(ret_parent, PATH_MAX, "%s", path);
    do {
        cut_last(ret_parent);
        result = stat(ret_parent, &status);
    } while (result != 0 && errno == ENOENT && strcmp(ret_parent, "/") != 0);

    if (result != 0)
        return MFG_PLACE_NONE;
    if (is_own(mountpoints, status.st_dev))
        return MFG_PLACE_MAKE;
    /* Another share that the user mounted is not covered, even when it is empty. */
    if (status.st_dev != mountpoints->root || strcmp(ret_parent, "/") == 0)
        return MFG_PLACE_NONE;
    if (is_empty(ret_parent))
        return MFG_PLACE_COVER;
    /* In a writable root a new file beside the mirrored ones would be lost, where the user expects
     * it on the host. Not in /mnt, where only mounts are. */
    if (mountpoints->root_mode == MFG_ROOT_RO || strcmp(ret_parent, "/mnt") == 0)
        return MFG_PLACE_MIRROR;
    return MFG_PLACE_NONE;
}

/* Makes 'path' and the directories that lead to it. */
static bool
make_dirs(const char *path)
{
    char prefix[PATH_MAX];

    (void)snprintf(prefix, sizeof prefix, "%s", path);
    for (char *slash = strchr(prefix + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(prefix, 0755) != 0 && errno != EEXIST)
            return false;
        *slash = '/';
    }
    return mkdir(prefix, 0755) == 0 || errno == EEXIST;
}

bool
mfg_mountpoint_cover(struct mfg_mountpoints *mountpoints, const char *path,
                     const struct mfg_reason *reason)
{
    if (mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755") != 0)
        return mfg_fail(reason, "The guest cannot mount a tmpfs on '%s': %s.", path,
                        strerror(errno));
    adopt(mountpoints, path);
    return true;
}

/* Shows the entry 'name' of the covered directory 'covered' at 'path'. */
static bool
mirror_entry(int covered, const char *name, const char *path)
{
    char source[sizeof "/proc/self/fd//" + 3 * sizeof covered + NAME_MAX], link[PATH_MAX];
    struct stat status;

    if (fstatat(covered, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
        return false;
    if (S_ISLNK(status.st_mode)) {
        ssize_t length = readlinkat(covered, name, link, sizeof link - 1);

        link[length > 0 ? length : 0] = '\0';
        return length > 0 && symlink(link, path) == 0;
    }
    if (S_ISDIR(status.st_mode) ? mkdir(path, 0755) != 0 : mknod(path, S_IFREG | 0644, 0) != 0)
        return false;
    (void)snprintf(source, sizeof source, "/proc/self/fd/%d/%s", covered, name);
    return mount(source, path, NULL, MS_BIND, NULL) == 0;
}

static bool
mirror_entries(DIR *covered, const char *path)
{
    size_t count = 0;

    for (struct dirent *entry = readdir(covered); entry; entry = readdir(covered)) {
        char target[PATH_MAX];

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (++count > MFG_MOUNTPOINT_MIRROR_MAX) {
            errno = E2BIG;
            return false;
        }
        if ((size_t)snprintf(target, sizeof target, "%s/%s", path, entry->d_name) >=
                sizeof target ||
            !mirror_entry(dirfd(covered), entry->d_name, target))
            return false;
    }
    return true;
}

/* Covers 'path' and keeps what is in it in sight. */
static bool
mirror(struct mfg_mountpoints *mountpoints, const char *path, const struct mfg_reason *reason)
{
    DIR *covered = opendir(path);

    if (!covered || !mfg_mountpoint_cover(mountpoints, path, reason)) {
        if (!covered)
            mfg_fail(reason, "The guest cannot read the directory '%s': %s.", path,
                     strerror(errno));
        else
            closedir(covered);
        return false;
    }

    bool complete = mirror_entries(covered, path);
    if (!complete)
        mfg_fail(reason,
                 "The guest cannot put a mount point into '%s', which it may not write, and keep "
                 "what is in there in sight: %s.",
                 path, strerror(errno));
    closedir(covered);
    return complete;
}

/* Makes the directory 'path', which does not exist. */
static bool
make(struct mfg_mountpoints *mountpoints, const char *path, const struct mfg_reason *reason)
{
    char parent[PATH_MAX];
    bool ready = true;

    switch (mfg_mountpoint_place(mountpoints, path, parent)) {
    case MFG_PLACE_NONE:
        return mfg_fail(reason,
                        "The guest has no directory '%s' to mount on, and it may not make one in "
                        "'%s', which is the host's: make it on the host, or use an overlay root.",
                        path, parent);
    case MFG_PLACE_COVER:
        ready = mfg_mountpoint_cover(mountpoints, parent, reason);
        break;
    case MFG_PLACE_MIRROR:
        ready = mirror(mountpoints, parent, reason);
        break;
    case MFG_PLACE_MAKE:
        break;
    }
    if (ready && !make_dirs(path))
        return mfg_fail(reason, "The guest cannot make the directory '%s' to mount on: %s.", path,
                        strerror(errno));
    return ready;
}

int
mfg_mountpoint_open(struct mfg_mountpoints *mountpoints, const char *path,
                    const struct mfg_reason *reason)
{
    int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 && errno == ENOENT) {
        if (!make(mountpoints, path, reason))
            return -1;
        fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    }
    if (fd < 0)
        mfg_fail(reason, "The guest cannot mount on '%s': %s.", path, strerror(errno));
    return fd;
}

bool
mfg_mountpoint_mount(const char *source, int target, const char *type, unsigned long flags,
                     const char *options)
{
    char path[sizeof "/proc/self/fd/" + 3 * sizeof target];

    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", target);
    return mount(source, path, type, flags, options) == 0;
}
