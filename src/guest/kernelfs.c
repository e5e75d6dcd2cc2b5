/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/kernelfs.h"

#include <errno.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest/log.h"

const char *const mfg_kernelfs_trees[] = {"/dev", "/proc", "/sys", "/run", NULL};

struct filesystem {
    const char *type;
    const char *target;
    unsigned long flags;
    const char *options;
    bool make_dir; /* else the kernel provides the directory, or there is nothing to mount */
};

/* Flags and modes are those of a systemd machine, since that is where tests are written. */
static const struct filesystem dev = {
    "devtmpfs", "/dev", MS_NOSUID, "mode=755", true,
};
static const struct filesystem required[] = {
    {"proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL, true},
    {"sysfs", "/sys", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL, true},
};
static const struct filesystem optional[] = {
    {"devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC, "gid=5,mode=620,ptmxmode=666", true},
    {"tmpfs", "/dev/shm", MS_NOSUID | MS_NODEV, "mode=1777", true},
    {"mqueue", "/dev/mqueue", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL, true},
    /* Not MS_NOEXEC: the guest program is executed from here. */
    {"tmpfs", "/run", MS_NOSUID | MS_NODEV, "mode=755", true},
    {"cgroup2", "/sys/fs/cgroup", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL, false},
    {"bpf", "/sys/fs/bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=700", false},
    {"debugfs", "/sys/kernel/debug", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL, false},
    {"tracefs", "/sys/kernel/tracing", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL, false},
    {"securityfs", "/sys/kernel/security", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL, false},
    {"configfs", "/sys/kernel/config", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL, false},
};

#define N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

static bool
mount_one(const struct filesystem *filesystem)
{
    if (filesystem->make_dir)
        mkdir(filesystem->target, 0755);
    return mount(filesystem->type, filesystem->target, filesystem->type, filesystem->flags,
                 filesystem->options) == 0 ||
           errno == EBUSY;
}

bool
mfg_kernelfs_mount_dev(void)
{
    /* EBUSY, here and above: a kernel with CONFIG_DEVTMPFS_MOUNT, or a custom initramfs. */
    if (mount_one(&dev))
        return true;
    mfg_log("cannot mount %s on '%s': %s", dev.type, dev.target, strerror(errno));
    return false;
}

static void
link_descriptors(void)
{
    static const struct {
        const char *target, *path;
    } links[] = {
        {"/proc/self/fd", "/dev/fd"},
        {"/proc/self/fd/0", "/dev/stdin"},
        {"/proc/self/fd/1", "/dev/stdout"},
        {"/proc/self/fd/2", "/dev/stderr"},
    };

    for (size_t i = 0; i < N_ELEMENTS(links); i++) {
        if (symlink(links[i].target, links[i].path) != 0 && errno != EEXIST)
            mfg_log("cannot make the link '%s': %s", links[i].path, strerror(errno));
    }
}

bool
mfg_kernelfs_mount_all(void)
{
    bool complete = true;

    for (size_t i = 0; i < N_ELEMENTS(required); i++) {
        if (!mount_one(&required[i])) {
            mfg_log("cannot mount %s on '%s': %s", required[i].type, required[i].target,
                    strerror(errno));
            complete = false;
        }
    }
    for (size_t i = 0; i < N_ELEMENTS(optional); i++) {
        /* ENODEV: no such file system; ENOENT: it is there without its directory's subsystem. */
        if (!mount_one(&optional[i]) && errno != ENODEV && errno != ENOENT)
            mfg_log("cannot mount %s on '%s': %s", optional[i].type, optional[i].target,
                    strerror(errno));
    }
    link_descriptors();
    return complete;
}
