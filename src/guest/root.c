/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/root.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest/kernelfs.h"
#include "guest/log.h"
#include "guest/module_tree.h"
#include "guest/share.h"
#include "guest/upper.h"
#include "wire/guest-protocol.h"

/* In the initramfs. */
#define NEW_ROOT "/newroot"
#define LOWER    "/lower"
#define UPPER    "/upper"

/* errno of what was done beforehand, for the run that needs it. */
static int upper_error;

void
mfg_root_prepare(void)
{
    mkdir(LOWER, 0755);
    mkdir(NEW_ROOT, 0755);
    mkdir(UPPER, 0755);
    if (mount("tmpfs", UPPER, "tmpfs", 0, "mode=755") != 0 || mkdir(UPPER "/root", 0755) != 0 ||
        mkdir(UPPER "/work", 0755) != 0)
        upper_error = errno;
}

static bool
mount_share(const struct mfg_conf *conf, const char *path, bool read_only,
            const struct mfg_reason *reason)
{
    struct mfg_share share = {
        .type = conf->root_type,
        .tag = MF_TAG_ROOT,
        .cache = conf->cache,
        .read_only = read_only,
    };

    int target = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (target < 0)
        return mfg_fail(reason, "The guest cannot mount on '%s': %s.", path, strerror(errno));

    bool mounted = mfg_share_mount(&share, target, reason);
    close(target);
    return mounted;
}

/* redirect_dir: a directory of the host can be renamed, as it can without an overlay. The others
 * keep features off that need what a 9p share does not have, file handles and small inode numbers,
 * whatever the kernel's default is. Kernels that do not know an option refuse all of them. */
static bool
mount_overlay(void)
{
    static const char *const options[] = {
        "lowerdir=" LOWER ",upperdir=" UPPER "/root,workdir=" UPPER "/work,redirect_dir=on,"
        "index=off,metacopy=off,xino=off",
        "lowerdir=" LOWER ",upperdir=" UPPER "/root,workdir=" UPPER "/work",
    };

    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        if (mount("mayfly", NEW_ROOT, "overlay", 0, options[i]) == 0)
            return true;
        if (errno != EINVAL)
            return false;
    }
    return false;
}

/* Whether /lib is a link to /usr/lib, as in most roots. */
static bool
is_merged(void)
{
    static const char merged[] = "usr/lib";
    char target[sizeof merged];

    return readlink(LOWER "/lib", target, sizeof target) == sizeof merged - 1 &&
           memcmp(target, merged, sizeof merged - 1) == 0;
}

/* Makes the directories that will be mounted on. */
static void
make_mountpoints(const struct mfg_conf *conf)
{
    char modules[256], path[sizeof "/usr" + sizeof modules];

    for (size_t i = 0; i < conf->n_mounts; i++)
        mfg_upper_make_dirs(LOWER, UPPER "/root", conf->mounts[i].path);
    if (!mfg_module_tree_place(conf, modules, sizeof modules))
        return;
    (void)snprintf(path, sizeof path, "%s%s", is_merged() ? "/usr" : "", modules);
    mfg_upper_make_dirs(LOWER, UPPER "/root", path);
}

static bool
mount_over_tmpfs(const struct mfg_conf *conf, const struct mfg_reason *reason)
{
    if (upper_error)
        return mfg_fail(reason, "The guest cannot mount a tmpfs for what is written: %s.",
                        strerror(upper_error));
    if (!mount_share(conf, LOWER, true, reason))
        return false;
    make_mountpoints(conf);
    if (!mount_overlay()) {
        if (errno == ENODEV)
            return mfg_fail(reason, "The guest kernel cannot mount an overlay root: it has no "
                                    "overlay file system (CONFIG_OVERLAY_FS), neither built in nor "
                                    "as a module that could be loaded; use the root mode 'ro'.");
        return mfg_fail(reason, "The guest cannot mount the overlay over its root: %s.",
                        strerror(errno));
    }
    /* The layers stay mounted in the initramfs, where nobody sees them once the new root is
     * entered: to detach them takes as long as the kernel needs to be sure of that. */
    return true;
}

bool
mfg_root_mount(const struct mfg_conf *conf, const struct mfg_reason *reason)
{
    if (conf->root_mode == MFG_ROOT_OVERLAY)
        return mount_over_tmpfs(conf, reason);
    return mount_share(conf, NEW_ROOT, conf->root_mode == MFG_ROOT_RO, reason);
}

/* A root of the host's that lacks the directory does without that tree: what the run then misses
 * says so itself, and a root with one static program misses nothing. */
static void
move_tree(const char *tree, bool root_writable)
{
    char target[64];

    (void)snprintf(target, sizeof target, NEW_ROOT "%s", tree);
    if (mount(tree, target, NULL, MS_MOVE, NULL) == 0)
        return;
    if (errno == ENOENT && root_writable && mkdir(target, 0755) == 0 &&
        mount(tree, target, NULL, MS_MOVE, NULL) == 0)
        return;
    mfg_log("the root has no usable directory '%s', so that is missing in this run: %s", tree,
            strerror(errno));
}

static void
make_tmp(void)
{
    /* Not by mode alone: the umask takes from it. */
    if (mkdir("tmp", 01777) == 0)
        chmod("tmp", 01777);
}

bool
mfg_root_enter(const struct mfg_conf *conf, const struct mfg_reason *reason)
{
    bool root_writable = conf->root_mode == MFG_ROOT_OVERLAY;

    for (const char *const *tree = mfg_kernelfs_trees; *tree; tree++)
        move_tree(*tree, root_writable);
    /* The root of an initramfs cannot be pivoted away from: the new one is put on top of it. */
    if (chdir(NEW_ROOT) != 0 || mount(".", "/", NULL, MS_MOVE, NULL) != 0 || chroot(".") != 0)
        return mfg_fail(reason, "The guest cannot enter its root: %s.", strerror(errno));
    if (root_writable)
        make_tmp();
    /* As an init system leaves it; programs that want mounts of their own unshare from this. */
    if (mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL) != 0)
        mfg_log("cannot make the mounts shared: %s", strerror(errno));
    return true;
}
