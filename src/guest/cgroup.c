/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define HIERARCHY "/sys/fs/cgroup"
#define PARENT    MF_GUEST_CGROUP

/* Kernels before 5.14 have no cgroup.kill. There the members are killed one by one, and again as
 * long as there are new ones. */
#define KILL_ROUNDS_MAX 100

#define ATTEMPTS_MAX 5

static bool
is_version_2(void)
{
    struct statfs status;

    return statfs(HIERARCHY, &status) == 0 && status.f_type == CGROUP2_SUPER_MAGIC;
}

static bool
make_directory(const char *path)
{
    return mkdir(path, 0755) == 0 || errno == EEXIST;
}

/* Where several agents are about, as in tests, another one may remove the parent at any time. */
static bool
make_unnamed(const char *path)
{
    bool made = false;

    errno = ENOENT;
    for (int i = 0; i < ATTEMPTS_MAX && !made && errno == ENOENT; i++)
        made = make_directory(PARENT) && mkdir(path, 0755) == 0;
    return made;
}

void
mfg_cgroup_make(struct mfg_cgroup *cgroup)
{
    static unsigned int count;

    *cgroup = (struct mfg_cgroup){.fd = -1};
    if (!is_version_2())
        return;
    snprintf(cgroup->path, sizeof(cgroup->path), PARENT "/%d.%u", (int)getpid(), ++count);
    if (make_unnamed(cgroup->path))
        cgroup->fd = open(cgroup->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (cgroup->fd < 0)
        mfg_cgroup_clear(cgroup);
}

int
mfg_cgroup_write(int directory_fd, const char *file, const char *text)
{
    struct pollfd poll_fd = {.events = POLLOUT};
    size_t size = strlen(text);
    ssize_t n = -1;
    int ready, error;

    poll_fd.fd = openat(directory_fd, file, O_WRONLY | O_CLOEXEC | O_NONBLOCK);
    if (poll_fd.fd < 0)
        return -1;
    ready = poll(&poll_fd, 1, MFG_CGROUP_WRITE_MS);
    if (ready == 0)
        errno = ETIMEDOUT;
    else if (ready > 0)
        n = write(poll_fd.fd, text, size);
    error = n < 0 ? errno : EIO;
    close(poll_fd.fd);
    if (n == (ssize_t)size)
        return 0;
    errno = error;
    return -1;
}

/* Each by itself: one that the kernel does not have, or that something holds back, is missed only
 * by a limit that needs it. */
static void
enable_controllers(const char *path)
{
    static const char *const controllers[] = {"+cpu", "+cpuset", "+io", "+memory", "+pids"};
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return;
    for (size_t i = 0; i < sizeof(controllers) / sizeof(controllers[0]); i++)
        mfg_cgroup_write(fd, "cgroup.subtree_control", controllers[i]);
    close(fd);
}

/* Makes the groups of all the parts of a name, the last of which is 'cgroup->path' then. Parts that
 * mean nothing are left out, so that no group has two paths. */
static bool
make_parts(struct mfg_cgroup *cgroup, const char *name)
{
    size_t length;

    memcpy(cgroup->path, PARENT, sizeof(PARENT));
    cgroup->kept = 0;
    if (!make_directory(PARENT))
        return false;
    for (; *name; name += length + (name[length] == '/')) {
        size_t end = strlen(cgroup->path);

        length = strcspn(name, "/");
        if (length == 0 || (length == 1 && *name == '.'))
            continue;
        enable_controllers(cgroup->path);
        snprintf(cgroup->path + end, sizeof(cgroup->path) - end, "/%.*s", (int)length, name);
        if (mkdir(cgroup->path, 0755) == 0)
            continue;
        if (errno != EEXIST)
            return false;
        cgroup->kept = strlen(cgroup->path);
    }
    return true;
}

bool
mfg_cgroup_make_named(struct mfg_cgroup *cgroup, const char *name, const struct mfg_reason *reason)
{
    const char *problem = mf_cgroup_name_problem(name, strlen(name), &name);
    bool made = false;

    *cgroup = (struct mfg_cgroup){.fd = -1};
    if (problem)
        return mfg_fail(reason, "the cgroup name '%.200s' %s", name, problem);
    if (!is_version_2())
        return mfg_fail(
            reason,
            "cannot make the cgroup '%s': the guest has no version 2 hierarchy at '%s', "
            "for which its kernel needs CONFIG_CGROUPS",
            name, HIERARCHY);
    enable_controllers(HIERARCHY);
    errno = ENOENT;
    for (int i = 0; i < ATTEMPTS_MAX && !made && errno == ENOENT; i++)
        made = make_parts(cgroup, name);
    if (made)
        cgroup->fd = open(cgroup->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (cgroup->fd >= 0)
        return true;
    mfg_fail(reason, "cannot make the cgroup '%s' at '%s': %s", name, cgroup->path,
             strerror(errno));
    mfg_cgroup_clear(cgroup);
    return false;
}

bool
mfg_cgroup_limit(const struct mfg_cgroup *cgroup, const char *limit,
                 const struct mfg_reason *reason)
{
    const char *value = strchr(limit, '=');
    char file[32];

    if (!value || !mf_cgroup_limit_is_known(limit, (size_t)(value - limit)))
        return mfg_fail(reason, "'%.200s' is not a limit that can be set", limit);
    snprintf(file, sizeof(file), "%.*s", (int)(value - limit), limit);
    value++;
    if (mfg_cgroup_write(cgroup->fd, file, value) == 0)
        return true;
    if (errno == ENOENT)
        return mfg_fail(reason,
                        "cannot set '%s': there is no such file in the cgroup '%s'. The guest's "
                        "kernel lacks the controller for it, or a cgroup above has processes",
                        file, cgroup->path);
    return mfg_fail(reason, "cannot set '%s' of the cgroup '%s' to '%.200s': %s", file,
                    cgroup->path, value, strerror(errno));
}

static bool
is_inside(const char *path, const char *outer)
{
    size_t length = strlen(outer);

    return strncmp(path, outer, length) == 0 && (!path[length] || path[length] == '/');
}

bool
mfg_cgroup_overlaps(const struct mfg_cgroup *cgroup, const struct mfg_cgroup *other)
{
    return *cgroup->path && *other->path &&
           (is_inside(cgroup->path, other->path) || is_inside(other->path, cgroup->path));
}

/* Returns how many were killed, or -1. */
static int
kill_members(const struct mfg_cgroup *cgroup)
{
    int fd = openat(cgroup->fd, "cgroup.procs", O_RDONLY | O_CLOEXEC), killed = 0;
    FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
    char line[32];

    if (!file)
        return -1;
    while (fgets(line, sizeof(line), file)) {
        int pid = atoi(line);

        if (pid > 1 && kill(pid, SIGKILL) == 0)
            killed++;
    }
    fclose(file);
    return killed;
}

bool
mfg_cgroup_kill(const struct mfg_cgroup *cgroup)
{
    int fd, killed = 1;

    if (!*cgroup->path)
        return false;
    fd = openat(cgroup->fd, "cgroup.kill", O_WRONLY | O_CLOEXEC);
    if (fd >= 0) {
        bool done = write(fd, "1", 1) == 1;

        close(fd);
        return done;
    }
    for (int i = 0; i < KILL_ROUNDS_MAX && killed > 0; i++)
        killed = kill_members(cgroup);
    return killed >= 0;
}

bool
mfg_cgroup_is_populated(const struct mfg_cgroup *cgroup)
{
    int fd = *cgroup->path ? openat(cgroup->fd, "cgroup.events", O_RDONLY | O_CLOEXEC) : -1;
    char text[256];
    ssize_t n;

    if (fd < 0)
        return false;
    n = read(fd, text, sizeof(text) - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    return strstr(text, "populated 1") != NULL;
}

void
mfg_cgroup_clear(struct mfg_cgroup *cgroup)
{
    if (cgroup->fd >= 0)
        close(cgroup->fd);
    cgroup->fd = -1;
    while (strlen(cgroup->path) > cgroup->kept && rmdir(cgroup->path) == 0 &&
           strcmp(cgroup->path, PARENT) != 0)
        *strrchr(cgroup->path, '/') = '\0';
    cgroup->path[0] = '\0';
}

void
mfg_cgroup_bequeath(const struct mfg_cgroup *cgroup, struct mfg_cgroup *heir)
{
    if (cgroup->kept < heir->kept)
        heir->kept = cgroup->kept;
}
