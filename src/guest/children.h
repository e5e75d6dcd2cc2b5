/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "guest/loop.h"

/*
 * Reaps: the children that somebody waits for, and as PID 1 or subreaper everybody's orphans.
 *
 * A child is reported before it is reaped: until then its pid cannot belong to anybody else, so it
 * and its process group may be signalled while 'pid' is set and during exited(), and never after.
 */
struct mfg_child {
    struct mfg_child *next;
    pid_t pid; /* 0: not started, or it has exited */
    /* 'status' is an exit status 0 to 255, or minus the signal that killed it. May free the child.
     */
    void (*exited)(void *data, pid_t pid, int status);
    void *data;
};

struct mfg_children {
    struct mfg_watch watch;
    int signal_fd;           /* owned */
    struct mfg_child *first; /* borrowed; the living ones */
};

/* Blocks SIGCHLD, for what runs after this; mfg_spawn() unblocks it in children. Returns false with
 * errno. */
bool mfg_children_init(struct mfg_children *children, struct mfg_loop *loop);
void mfg_children_clear(struct mfg_children *children);

/* Calls exited(data, pid, status) once, from the loop. */
void mfg_children_add(struct mfg_children *children, struct mfg_child *child, pid_t pid,
                      void (*exited)(void *data, pid_t pid, int status), void *data);

/* Nobody waits for it any more; it is still reaped. */
void mfg_children_remove(struct mfg_children *children, struct mfg_child *child);

/* Whether that is a living child that somebody waits for. */
bool mfg_children_has(const struct mfg_children *children, pid_t pid);
