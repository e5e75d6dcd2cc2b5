/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <limits.h>
#include <sys/types.h>

#include "guest/conf.h"

/*
 * Directories to mount on. One that is missing is made, but never on the host: only in the overlay
 * and in file systems that the guest itself put into memory. In a root that is the host's own
 * directory a tmpfs covers the nearest parent that exists; when something is in there it is bound
 * into the tmpfs, so that nothing is hidden.
 */
#define MFG_MOUNTPOINTS_OWN_MAX 16

#define MFG_MOUNTPOINT_MIRROR_MAX 128

struct mfg_mountpoints {
    dev_t root;
    enum mfg_root_mode root_mode;
    dev_t own[MFG_MOUNTPOINTS_OWN_MAX]; /* tmpfs of the guest's */
    size_t n_own;
};

enum mfg_place {
    MFG_PLACE_MAKE,   /* make the missing directories below the parent */
    MFG_PLACE_COVER,  /* put a tmpfs on the parent first: it is empty */
    MFG_PLACE_MIRROR, /* the same, and bind what is in the parent into the tmpfs */
    MFG_PLACE_NONE,
};

/* For the root that is "/" now. */
void mfg_mountpoints_init(struct mfg_mountpoints *mountpoints, enum mfg_root_mode root_mode);

/* What has to be done for the directory 'path', which does not exist, with its nearest parent that
 * does in 'ret_parent' (PATH_MAX bytes). */
enum mfg_place
mfg_mountpoint_place(const struct mfg_mountpoints *mountpoints, const char *path, char *ret_parent);

/* Opens the directory 'path' (absolute, shorter than PATH_MAX) to mount on, making it where that is
 * right. Returns an O_PATH descriptor, or -1 with the sentence. */
int mfg_mountpoint_open(struct mfg_mountpoints *mountpoints, const char *path,
                        const struct mfg_reason *reason);

/* Covers the directory 'path' with a tmpfs, in which mountpoints can be made from then on. */
bool mfg_mountpoint_cover(struct mfg_mountpoints *mountpoints, const char *path,
                          const struct mfg_reason *reason);

/* mount(2) on an open directory, which needs no second look-up of its path. Needs /proc. */
bool mfg_mountpoint_mount(const char *source, int target, const char *type, unsigned long flags,
                          const char *options);
