/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/setup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/random.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <time.h>
#include <unistd.h>

#include "guest/conf.h"
#include "guest/log.h"
#include "guest/module_tree.h"
#include "guest/mountpoint.h"
#include "guest/network.h"
#include "guest/root.h"
#include "guest/share.h"
#include "wire/guest-protocol.h"

/* 9p shares that the host writes to meanwhile: nothing is cached but what mmap needs. */
#define SHARE_CACHE "mmap"

static bool wants_script;

/* A machine that was restored from a file has the random generator of every other one restored from
 * it, so that going on without fresh entropy would be worse than not going on. */
static bool
add_entropy(const struct mfg_conf *conf, bool at_once, const struct mfg_reason *reason)
{
    union {
        struct rand_pool_info info;
        uint8_t bytes[sizeof(struct rand_pool_info) + MFG_CONF_ENTROPY_MAX];
    } pool = {.info = {.entropy_count = (int)conf->entropy_size * 8,
                       .buf_size = (int)conf->entropy_size}};

    if (conf->entropy_size == 0)
        return true;
    memcpy(pool.info.buf, conf->entropy, conf->entropy_size);

    int fd = open("/dev/urandom", O_WRONLY | O_CLOEXEC);
    if (fd < 0 || ioctl(fd, RNDADDENTROPY, &pool) != 0) {
        mfg_fail(reason, "The guest cannot seed its random generator: %s.", strerror(errno));
        if (fd >= 0)
            close(fd);
        return false;
    }
    /* Without it (Linux before 4.14) the generator takes the new bytes in by itself, later. */
    bool reseeded = ioctl(fd, RNDRESEEDCRNG) == 0;
    if (!reseeded && at_once)
        mfg_fail(reason, "The guest cannot reseed its random generator at once: %s.",
                 strerror(errno));
    else if (!reseeded)
        mfg_log("cannot reseed the random generator at once: %s", strerror(errno));
    close(fd);
    return reseeded || !at_once;
}

static bool
set_identity(const struct mfg_conf *conf, const struct mfg_reason *reason)
{
    if (conf->has_time && clock_settime(CLOCK_REALTIME, &conf->time) != 0)
        return mfg_fail(reason, "The guest cannot set its clock: %s.", strerror(errno));
    if (conf->hostname && sethostname(conf->hostname, strlen(conf->hostname)) != 0)
        return mfg_fail(reason, "The guest cannot take the host name '%s': %s.", conf->hostname,
                        strerror(errno));
    return true;
}

/* Shows the tree at 'source' once more at 'path', which 'target' is open for. */
static bool
bind_again(const char *source, int target, const char *path, bool read_only,
           const struct mfg_reason *reason)
{
    if (mfg_mountpoint_mount(source, target, NULL, MS_BIND, NULL) &&
        (!read_only || mount(NULL, path, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) == 0))
        return true;
    return mfg_fail(reason, "The guest cannot mount '%s' on '%s' too: %s.", source, path,
                    strerror(errno));
}

/* The place where the tag of mount 'index' is mounted already, NULL when this is the first: a 9p
 * share can be mounted once, and its other places are bind mounts of the first. */
static const char *
earlier_place(const struct mfg_conf *conf, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (strcmp(conf->mounts[i].tag, conf->mounts[index].tag) == 0)
            return conf->mounts[i].path;
    }
    return NULL;
}

static bool
mount_user_share(const struct mfg_conf *conf, size_t index, struct mfg_mountpoints *mountpoints,
                 const struct mfg_reason *reason)
{
    const struct mfg_conf_mount *wanted = &conf->mounts[index];
    const char *source = earlier_place(conf, index);
    struct mfg_share share = {
        .type = wanted->type,
        .tag = wanted->tag,
        .cache = SHARE_CACHE,
        .read_only = wanted->read_only,
    };

    int target = mfg_mountpoint_open(mountpoints, wanted->path, reason);
    if (target < 0)
        return false;

    bool mounted = source ? bind_again(source, target, wanted->path, wanted->read_only, reason)
                          : mfg_share_mount(&share, target, reason);
    close(target);
    return mounted;
}

/* init = "script": the rendered scripts, and what is needed to run them. */
static bool
mount_scripts(const struct mfg_conf *conf, struct mfg_mountpoints *mountpoints,
              const struct mfg_reason *reason)
{
    struct mfg_share share = {
        .type = conf->root_type,
        .tag = MF_TAG_RUN,
        .cache = SHARE_CACHE,
        .read_only = true,
    };
    int target = mfg_mountpoint_open(mountpoints, MF_GUEST_SCRIPTS, reason);

    if (target < 0)
        return false;

    bool mounted = mfg_share_mount(&share, target, reason);
    close(target);
    if (mounted && access("/bin/sh", X_OK) != 0)
        return mfg_fail(reason,
                        "The guest's root has no usable '/bin/sh' (%s), which the init script "
                        "needs: use '--init agent', or a root with a shell.",
                        strerror(errno));
    return mounted;
}

static bool
apply(const struct mfg_conf *conf, const struct mfg_reason *reason)
{
    struct mfg_mountpoints mountpoints;

    if (!add_entropy(conf, false, reason) || !set_identity(conf, reason) ||
        !mfg_root_mount(conf, reason) || !mfg_root_enter(conf, reason))
        return false;

    mfg_mountpoints_init(&mountpoints, conf->root_mode);
    for (size_t i = 0; i < conf->n_mounts; i++) {
        if (!mount_user_share(conf, i, &mountpoints, reason))
            return false;
    }
    if (!mfg_module_tree_mount(conf, &mountpoints, reason) || !mfg_network_set_up(conf, reason))
        return false;
    wants_script = conf->script;
    return !conf->script || mount_scripts(conf, &mountpoints, reason);
}

bool
mfg_setup_apply(const char *record, size_t size, struct mfg_rehearsal *rehearsal, char *reason,
                size_t reason_size)
{
    struct mfg_reason failure = {reason, reason_size};
    static struct mfg_conf conf; /* 8 KiB, and used once */

    *reason = '\0';
    bool good = mfg_conf_read(record, size, &conf, &failure);
    if (good && conf.rehearse)
        mfg_rehearsal_start(rehearsal);
    good = good && apply(&conf, &failure);
    mfg_rehearsal_end(rehearsal);
    return good;
}

bool
mfg_setup_renew(const char *record, size_t size, char *reason, size_t reason_size)
{
    struct mfg_reason failure = {reason, reason_size};
    static struct mfg_conf conf;

    if (!mfg_conf_read(record, size, &conf, &failure))
        return false;
    if (!conf.has_time || conf.entropy_size == 0)
        return mfg_fail(&failure, "The record has no time, or no entropy.");
    return add_entropy(&conf, true, &failure) && set_identity(&conf, &failure);
}

bool
mfg_setup_wants_script(void)
{
    return wants_script;
}

void
mfg_setup_exec_script(void)
{
    char *const argv[] = {(char *)"sh", (char *)MF_GUEST_INIT_SCRIPT, NULL};
    sigset_t none;

    /* What the agent's loop blocked or ignored is not the script's. */
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    setenv(MF_GUEST_PREPARED, "1", 1);
    setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
    execv("/bin/sh", argv);
}
