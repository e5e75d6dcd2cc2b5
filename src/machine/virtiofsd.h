/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/argv.h"
#include "machine/daemon.h"
#include "machine/share.h"

/*
 * The daemon that serves one directory to the guest over virtiofs. There are two programs of that
 * name: QEMU's own, up to QEMU 7, which works for root only, and the one that came after it, which
 * works for everybody. What tells them apart is read from the program's file, without running it.
 *
 * What holds for a share that is not writable: the newer program refuses writes by itself where it
 * has --readonly. Otherwise everything is made read-only in the mount namespace that it is started
 * in, which takes root. Where neither can be had, only the guest's kernel refuses writes, and that
 * is logged.
 *
 * File systems mounted below the directory are served as part of it: an overlay in the guest could
 * not look into them otherwise.
 */

/* Names the program to use, instead of those that are looked for. */
#define MF_VIRTIOFSD_ENV "MAYFLY_VIRTIOFSD"

/* What a program of that name can do. */
typedef struct {
    gboolean legacy;       /* QEMU's own: other options, root only */
    gboolean read_only;    /* has --readonly */
    gboolean no_submounts; /* announces submounts unless it is told not to */
} MfVirtiofsdFacts;

/* Reads them from the program's file. FALSE when it cannot be read. */
gboolean mf_virtiofsd_probe(const char *path, MfVirtiofsdFacts *ret_facts);

/* Finds the program: $MAYFLY_VIRTIOFSD, PATH, and where distributions keep it. Owned by the caller.
 * MF_ERROR_HOST with the package to install, also when there is only one that needs root. */
char *mf_virtiofsd_find(GError **error);

/* The command line, with MF_VIRTIOFSD_FD as the listening socket: a pure function. 'root' is
 * whether it is to be run by root. */
#define MF_VIRTIOFSD_FD 3
MfArgv *mf_virtiofsd_to_argv(const char *path, const MfVirtiofsdFacts *facts, const MfShare *share,
                             gboolean root);

/*
 * Starts the daemon for one share. *ret_connection is a connection to it for QEMU to inherit, owned
 * by the caller; the daemon ends when that is closed. Nothing has to be waited for. MF_ERROR_HOST.
 */
MfDaemon *
mf_virtiofsd_start(const char *path, const MfShare *share, int *ret_connection, GError **error);
