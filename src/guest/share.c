/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/share.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#include "guest/mountpoint.h"

/* The largest message that the virtio transport carries: 125 pages. More is cut down with a
 * warning in the kernel log. */
#define MSIZE 512000

static bool
fail_9p(const struct mfg_share *share, const struct mfg_reason *reason)
{
    switch (errno) {
    case ENODEV:
        return mfg_fail(reason,
                        "The guest kernel cannot mount the 9p share '%s': it has no 9p file system "
                        "(CONFIG_9P_FS), neither built in nor as a module that could be loaded; "
                        "use virtiofs or another kernel.",
                        share->tag);
    case ENOENT:
        return mfg_fail(reason,
                        "The guest cannot mount the 9p share '%s': the machine has no 9p share "
                        "with that tag.",
                        share->tag);
    case EINVAL:
    case EPROTONOSUPPORT:
        return mfg_fail(reason,
                        "The guest kernel cannot mount the 9p share '%s': it has no 9p over virtio "
                        "(CONFIG_NET_9P_VIRTIO), or does not know the cache mode '%s'.",
                        share->tag, share->cache);
    case EBUSY:
        return mfg_fail(reason,
                        "The guest cannot mount the 9p share '%s': it is mounted already, and a "
                        "9p share can be mounted once.",
                        share->tag);
    default:
        return mfg_fail(reason, "The guest cannot mount the 9p share '%s': %s.", share->tag,
                        strerror(errno));
    }
}

static bool
fail_virtiofs(const struct mfg_share *share, const struct mfg_reason *reason)
{
    switch (errno) {
    case ENODEV:
        return mfg_fail(reason,
                        "The guest kernel cannot mount the virtiofs share '%s': it has no virtiofs "
                        "(CONFIG_VIRTIO_FS), neither built in nor as a module that could be "
                        "loaded; use 9p or another kernel.",
                        share->tag);
    case EINVAL:
        return mfg_fail(reason,
                        "The guest cannot mount the virtiofs share '%s': the machine has no "
                        "virtiofs share with that tag.",
                        share->tag);
    default:
        return mfg_fail(reason, "The guest cannot mount the virtiofs share '%s': %s.", share->tag,
                        strerror(errno));
    }
}

bool
mfg_share_mount(const struct mfg_share *share, int target, const struct mfg_reason *reason)
{
    bool is_9p = strcmp(share->type, "9p") == 0;
    char options[128] = "";

    if (is_9p)
        (void)snprintf(options, sizeof options, "trans=virtio,version=9p2000.L,msize=%d,cache=%s",
                       MSIZE, share->cache);
    if (mfg_mountpoint_mount(share->tag, target, share->type, share->read_only ? MS_RDONLY : 0,
                             options))
        return true;
    return is_9p ? fail_9p(share, reason) : fail_virtiofs(share, reason);
}
