/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <sys/types.h>

/*
 * fork(2) with the child in a control group before it returns there, so that all that the child
 * does counts for the group. 'directory_fd' is the group's directory. All return -1 with errno in
 * the parent when there is no child; one that could not be placed has not run.
 */

/* The child is born there. To move it there takes until every processor was seen to be at rest:
 * many milliseconds. Linux 5.7; before that, or where clone3(2) is filtered, it fails. */
pid_t mfg_placement_clone(int directory_fd);

/* The child stands still at first: it says that it is there by its pid on one pipe, and goes on at
 * a byte on another one, which it gets once it was moved. At the end of that pipe without a byte it
 * exits. The parent waits at most MFG_PLACEMENT_NOTIFY_MS for the word, and
 * MFG_CGROUP_WRITE_MS for the group's file to take the pid (ETIMEDOUT). */
pid_t mfg_placement_handshake(int directory_fd);

#define MFG_PLACEMENT_NOTIFY_MS 5000

/* The first of them that works; where neither does, the errno is the second one's. */
pid_t mfg_placement_fork(int directory_fd);
