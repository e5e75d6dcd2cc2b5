/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <sys/types.h>

/*
 * An emulator translates each piece of the kernel when it runs for the first time, also in a
 * machine that was restored, and that is most of what the start of a command takes there. So while
 * init mounts the root, another process of ours goes through what a command will need, on another
 * processor: fork, exec, the system calls of a loader, exit.
 *
 * The process is there from before the ready point, so that to set it going takes one write. It
 * touches nothing but memory and this program's own file, and is gone before the command starts.
 */
struct mfg_rehearsal {
    pid_t pid; /* of the process that waits or runs; 0: there is none */
    int fd;    /* owned; what it waits for; -1 when there is none */
};

/* Makes the process, which has all descriptors that are open by now. */
void mfg_rehearsal_prepare(struct mfg_rehearsal *rehearsal);

/* Lets it run. */
void mfg_rehearsal_start(struct mfg_rehearsal *rehearsal);

/* Waits for its end; one that was not started ends without having done anything. */
void mfg_rehearsal_end(struct mfg_rehearsal *rehearsal);

/* The word that has this program do its part of a rehearsal, with its own file as standard input,
 * and that part: what a loader does before a program begins. Returns an exit status. */
#define MFG_REHEARSAL_VERB "rehearse"
int mfg_rehearsal_main(void);
