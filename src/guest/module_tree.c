/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/module_tree.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "guest/log.h"
#include "guest/share.h"

#define MODULES_DIR "/lib/modules"

/* Opens the place. In a root that cannot be written, the trees of other kernels make way: this
 * kernel could load nothing from them. */
static int
open_place(struct mfg_mountpoints *mountpoints, const char *path)
{
    char text[256], second[256];
    struct mfg_reason reason = {text, sizeof text}, second_reason = {second, sizeof second};
    int target = mfg_mountpoint_open(mountpoints, path, &reason);

    if (target < 0 && mfg_mountpoint_cover(mountpoints, MODULES_DIR, &second_reason))
        target = mfg_mountpoint_open(mountpoints, path, &reason);
    if (target < 0)
        mfg_log("no modules at '%s': %s", path, text);
    return target;
}

static bool
mount_tree(const struct mfg_conf *conf, int target, const struct mfg_reason *reason)
{
    struct mfg_share share = {
        .type = conf->root_type,
        .tag = conf->modules + strlen("tag:"),
        .cache = conf->cache,
        .read_only = true,
    };

    if (*conf->modules != '/')
        return mfg_share_mount(&share, target, reason);
    if (!mfg_mountpoint_mount(conf->modules, target, NULL, MS_BIND, NULL))
        return mfg_fail(reason, "The guest cannot bind-mount the kernel's modules from '%s': %s.",
                        conf->modules, strerror(errno));
    return true;
}

bool
mfg_module_tree_place(const struct mfg_conf *conf, char *path, size_t size)
{
    struct utsname name;

    if (!conf->modules || uname(&name) != 0 ||
        (size_t)snprintf(path, size, MODULES_DIR "/%s", name.release) >= size)
        return false;
    /* There already, also where /lib is a link to /usr/lib. */
    return strcmp(conf->modules, path) != 0 &&
           (strncmp(conf->modules, "/usr", 4) != 0 || strcmp(conf->modules + 4, path) != 0);
}

bool
mfg_module_tree_mount(const struct mfg_conf *conf, struct mfg_mountpoints *mountpoints,
                      const struct mfg_reason *reason)
{
    char path[256];

    if (!mfg_module_tree_place(conf, path, sizeof path))
        return true;

    int target = open_place(mountpoints, path);
    if (target < 0)
        return true;

    bool mounted = mount_tree(conf, target, reason);
    close(target);
    return mounted;
}
