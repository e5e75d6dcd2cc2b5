/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "machine/arch.h"
#include "machine/daemon.h"

/*
 * The TPM of a machine, which swtpm emulates. Its state begins anew with each run, in a private
 * directory that is gone with it. QEMU inherits a connection that is there before swtpm runs, so
 * there is no socket to wait for and no path that could be too long: QEMU's first request waits in
 * it, as long as a boot may take.
 */
typedef enum {
    MF_TPM_NONE,
    MF_TPM_1_2,
    MF_TPM_2_0,
} MfTpm;

/* Names the swtpm to use, instead of the one in PATH. */
#define MF_TPM_ENV "MAYFLY_SWTPM"

/* "none", "1.2", "2.0"; and back, MF_ERROR_CONFIG. */
const char *mf_tpm_name(MfTpm tpm);
gboolean mf_tpm_parse(const char *text, MfTpm *ret_tpm, GError **error);

/* Whether a machine of 'arch' can have it. MF_ERROR_CONFIG. */
gboolean mf_tpm_check_machine(MfTpm tpm, MfArch arch, GError **error);

/* Whether the guest reaches it as a CRB device, rather than through TIS, the older interface. */
gboolean mf_tpm_is_crb(MfTpm tpm, MfArch arch);

/* Finds swtpm: $MAYFLY_SWTPM, else PATH. Owned by the caller. MF_ERROR_HOST with the package to
 * install. */
char *mf_tpm_find(GError **error);

/* swtpm's command line, with its connection and its directory as these descriptors. */
#define MF_TPM_CONNECTION_FD 3
#define MF_TPM_STATE_FD      4
MfArgv *mf_tpm_to_argv(MfTpm tpm, const char *path);

/* QEMU's, with the descriptor 'fd' that it inherits. */
void mf_tpm_add_to_argv(MfTpm tpm, MfArch arch, int fd, MfArgv *argv);

/* Starts the swtpm at 'path'. *ret_connection is for QEMU to inherit, owned by the caller.
 * MF_ERROR_HOST. */
MfDaemon *mf_tpm_start(MfTpm tpm, const char *path, int *ret_connection, GError **error);
