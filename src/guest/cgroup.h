/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

/*
 * A control group of one command, so that all of it can be killed at once, whatever it did to its
 * sessions and process groups. Where there is no version 2 hierarchy at /sys/fs/cgroup, or it
 * cannot be written, there is none, and the caller falls back to guest/descendants.h.
 */
struct mfg_cgroup {
    char path[64]; /* empty: there is none */
    int fd;        /* owned; of its directory, for a child to start in; -1 when there is none */
};

/* Always leaves a valid object, possibly one without a group. */
void mfg_cgroup_make(struct mfg_cgroup *cgroup);

/* Kills everything in it. Returns false when there is no group or it could not be done. */
bool mfg_cgroup_kill(const struct mfg_cgroup *cgroup);

/* Removes it when nothing is left in it; otherwise leaves it behind. */
void mfg_cgroup_clear(struct mfg_cgroup *cgroup);
