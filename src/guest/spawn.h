/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/*
 * Starts a program in a session and process group of its own, with default signal dispositions and
 * nothing blocked.
 *
 * What fails between fork and exec is either reported to the caller or, as a shell does it, said in
 * one sentence on the child's standard error, with exit status 127 when the program was not found
 * and 126 when it could not be executed.
 */
struct mfg_spawn {
    char *const *argv;   /* the program is looked up in 'path' as execvp(3) does; or else: */
    const char *shell;   /* text for "bash -c" when there is one, else "sh -c", unless it needs
                          * none (guest/plain.h); or else: */
    const char *login;   /* a login shell: this path if it is there, else bash, else sh */
    char *const *envp;   /* all of the environment; NULL: ours */
    const char *path;    /* NULL: MFG_SPAWN_PATH */
    const char *workdir; /* NULL: ours */
    const char *user;    /* as mfg_account_find() takes it; NULL: ours. Gets the streams too */
    int fds[3];          /* standard input, output, error, each above 2; -1: closed */
    bool tty;            /* fds[0] is the terminal to be controlled by */
    int cgroup_fd;       /* directory of the control group to start in; -1: ours */
    bool parent_group;   /* in our session and process group instead */
    bool alone;          /* runs by itself: starts near the root (guest/processor.h) */
};

#define MFG_SPAWN_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* Returns the pid, or -1 with errno when there could be no process, or it could not be placed in
 * its control group. */
pid_t mfg_spawn(const struct mfg_spawn *spawn);

/* As that, but waits for the program to be executed: -1 with errno also when that failed, and
 * nothing is said. Knows no 'shell', 'login', 'workdir', 'user', 'tty' and 'cgroup_fd'. */
pid_t mfg_spawn_checked(const struct mfg_spawn *spawn);
