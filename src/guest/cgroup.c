/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define HIERARCHY "/sys/fs/cgroup"
#define PARENT    HIERARCHY "/mayfly"

/* Kernels before 5.14 have no cgroup.kill. There the members are killed one by one, and again as
 * long as there are new ones. */
#define KILL_ROUNDS_MAX 100

static bool
is_version_2(void)
{
    struct statfs status;

    return statfs(HIERARCHY, &status) == 0 && status.f_type == CGROUP2_SUPER_MAGIC;
}

void
mfg_cgroup_make(struct mfg_cgroup *cgroup)
{
    static unsigned int count;

    *cgroup = (struct mfg_cgroup){.fd = -1};
    if (!is_version_2() || (mkdir(PARENT, 0755) < 0 && errno != EEXIST))
        return;
    snprintf(cgroup->path, sizeof(cgroup->path), PARENT "/%d.%u", (int)getpid(), ++count);
    if (mkdir(cgroup->path, 0755) == 0)
        cgroup->fd = open(cgroup->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (cgroup->fd < 0)
        mfg_cgroup_clear(cgroup);
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

void
mfg_cgroup_clear(struct mfg_cgroup *cgroup)
{
    if (cgroup->fd >= 0)
        close(cgroup->fd);
    cgroup->fd = -1;
    if (*cgroup->path && rmdir(cgroup->path) == 0)
        rmdir(PARENT);
    cgroup->path[0] = '\0';
}
