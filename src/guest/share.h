/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "guest/reason.h"

/*
 * A directory of the host, known by its mount tag.
 */
struct mfg_share {
    const char *type; /* "9p" or "virtiofs" */
    const char *tag;
    const char *cache; /* the 9p cache mode */
    bool read_only;
};

/* Mounts the share on the directory that 'target' is open for (O_PATH will do). The sentence names
 * the kernel option or the tag that is missing. Needs /proc. */
bool mfg_share_mount(const struct mfg_share *share, int target, const struct mfg_reason *reason);
