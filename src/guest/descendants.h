/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "guest/children.h"

/*
 * Who descends from a program that this process has started. It finds those who left the program's
 * process group and session too, because this process is PID 1 or a subreaper, where orphans end
 * up.
 */
struct mfg_descent {
    pid_t leader;   /* the program; 0: it has exited */
    pid_t session;  /* its session or process group, whose members are its own; 0: it has none */
    uint64_t since; /* orphans of no known origin are its own that are not older than this: the
                     * start of a process as mfg_descendants_start_of() gives it. 0: all */
};

/* The 'since' with which no such orphan is. */
#define MFG_DESCENT_NO_ORPHANS UINT64_MAX

/* Signals the leader and all that descend from it. The other children that somebody waits for are
 * spared, with their descendants. Returns how many there were: with processes that fork meanwhile
 * it takes several rounds until that is 0. With signal 0 they are only counted; those that SIGSTOP
 * has stopped already do not count for it. */
size_t mfg_descendants_signal(const struct mfg_children *children,
                              const struct mfg_descent *descent, int number);

/* When a process was started, in ticks since the boot; MFG_DESCENT_NO_ORPHANS when it is not
 * there. */
uint64_t mfg_descendants_start_of(pid_t pid);
