/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/child.h"

/*
 * A program that serves one machine for as long as that runs, over a connection that QEMU has: the
 * virtiofsd of a share, the swtpm of the TPM. It ends when the connection does.
 */
typedef struct MfDaemon MfDaemon;

/* 'child' is taken. 'role' says who it is for whom, as the subject of a sentence: "virtiofsd, which
 * serves '/srv' to the guest,". 'directory' (taken; or NULL) is its private one, removed with it.
 */
MfDaemon *mf_daemon_new(MfChild *child, const char *role, char *directory);

/* Kills it if it still runs. */
void mf_daemon_free(MfDaemon *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfDaemon, mf_daemon_free)

/* Its process, to wait for. Borrowed. */
MfChild *mf_daemon_get_child(MfDaemon *self);

/* Whether it has ended other than by itself after its connection was closed. */
gboolean mf_daemon_has_failed(MfDaemon *self);

/* After its end: who it was, how it ended, and its last words. Owned by the caller. */
char *mf_daemon_describe_end(MfDaemon *self);
