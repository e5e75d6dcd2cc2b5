/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "guest/reason.h"
#include "wire/cgroup-name.h"
#include "wire/guest-protocol.h"

/*
 * A control group of one program, so that all of it can be killed at once, whatever it did to its
 * sessions and process groups. Where there is no version 2 hierarchy at /sys/fs/cgroup, or it
 * cannot be written, there is none, and the caller falls back to guest/descendants.h.
 */
struct mfg_cgroup {
    char path[sizeof(MF_GUEST_CGROUP "/") + MF_CGROUP_NAME_MAX]; /* empty: there is none */
    int fd;      /* owned; of its directory, for a child to start in; -1 when there is none */
    size_t kept; /* so much of the path was there before, and is not ours to remove */
};

/* A group without a name that matters. Always leaves a valid object, possibly one without a
 * group. */
void mfg_cgroup_make(struct mfg_cgroup *cgroup);

/* The group of that name, as somebody asked for it, and the ones above it, each with all the
 * controllers for which the kernel lets it. It may be there already. Returns false with a sentence;
 * the object is valid in any case. */
bool
mfg_cgroup_make_named(struct mfg_cgroup *cgroup, const char *name, const struct mfg_reason *reason);

/* Sets one limit, "<file>=<value>". Returns false with a sentence. */
bool mfg_cgroup_limit(const struct mfg_cgroup *cgroup, const char *limit,
                      const struct mfg_reason *reason);

/* Whether both are there, and are the same group or one is inside the other. */
bool mfg_cgroup_overlaps(const struct mfg_cgroup *cgroup, const struct mfg_cgroup *other);

/* Kills everything in it. Returns false when there is no group or it could not be done. */
bool mfg_cgroup_kill(const struct mfg_cgroup *cgroup);

/* Whether there are processes in it, or in a group below it. */
bool mfg_cgroup_is_populated(const struct mfg_cgroup *cgroup);

/* Removes it, and the named ones above it, as far as they were made for it and nothing is left in
 * them. */
void mfg_cgroup_clear(struct mfg_cgroup *cgroup);

/* Leaves it to 'heir', which overlaps it, to remove what was made for 'cgroup'. */
void mfg_cgroup_bequeath(const struct mfg_cgroup *cgroup, struct mfg_cgroup *heir);

/* Writes 'text' to a file of a group, or waits at most MFG_CGROUP_WRITE_MS until it can be written.
 * Returns 0, or -1 with errno. */
int mfg_cgroup_write(int directory_fd, const char *file, const char *text);

#define MFG_CGROUP_WRITE_MS 2000
