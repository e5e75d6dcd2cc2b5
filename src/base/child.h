/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

#include "base/argv.h"

/*
 * A supervised child process: close-on-exec from birth, its own process group, killed by the
 * kernel when mayfly dies (PR_SET_PDEATHSIG), its standard error kept (the last
 * MF_CHILD_STDERR_MAX bytes). It is watched and signalled through a pidfd, so that no signal goes
 * to a recycled pid; where the host has no pidfds, through SIGCHLD and its pid.
 */
#define MF_TYPE_CHILD (mf_child_get_type())
G_DECLARE_FINAL_TYPE(MfChild, mf_child, MF, CHILD, GObject)

#define MF_CHILD_STDERR_MAX 16384

/* How a descriptor is handed to the child: 'fd' (of ours, borrowed) becomes number 'target' there.
 */
typedef struct {
    int fd;
    int target;
} MfChildFd;

/*
 * Starts 'argv' (program looked up in PATH). The child gets /dev/null as stdin and stdout and a
 * pipe as stderr, unless 'fds' says otherwise, and the 'n_fds' descriptors of 'fds' (targets from
 * 0, each once). MF_ERROR_HOST when the program is missing ("'%s' was not found") or cannot be
 * executed.
 */
MfChild *mf_child_spawn(const MfArgv *argv, const MfChildFd *fds, gsize n_fds, GError **error);

/* What the child does to itself before it becomes the program: async-signal-safe calls only.
 * Returns 0, or an errno that then is why it could not be executed. */
typedef int (*MfChildPrepare)(void);

/* The same, with 'prepare' (NULL for none). */
MfChild *mf_child_spawn_prepared(const MfArgv *argv, const MfChildFd *fds, gsize n_fds,
                                 MfChildPrepare prepare, GError **error);

GPid mf_child_get_pid(MfChild *self);
gboolean mf_child_has_exited(MfChild *self);

/* The wait status (WIFEXITED and so on); only after the exit. */
int mf_child_get_wait_status(MfChild *self);

/* "exited with status 1", "was killed by signal 9 (Killed)", "is running". Owned by the caller. */
char *mf_child_describe(MfChild *self);

/* The end of what the child wrote to its standard error so far, valid UTF-8, without a trailing
 * newline. Owned by the caller. */
char *mf_child_get_stderr_tail(MfChild *self);

/* Sends a signal; does nothing after the exit. */
void mf_child_signal(MfChild *self, int signal_number);

/* TERM now, KILL after 'grace_ms'. Returns at once; the exit is awaited with wait. */
void mf_child_terminate(MfChild *self, guint grace_ms);

/* Completes when the child has exited, has been reaped, and its stderr was read to the end
 * (bounded: leftover writers do not hold it open for longer than a second). Any number may wait. */
void mf_child_wait_async(MfChild *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                         gpointer user_data);
gboolean mf_child_wait_finish(MfChild *self, GAsyncResult *result, GError **error);

/* Signal "exited" (no arguments): once, at the same point as wait completes.
 * Disposing of a live child kills (KILL) and reaps it. */
