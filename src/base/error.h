/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * The one error domain, with codes by what the reader can do about it.
 *
 *   CONFIG     what the user asked for is wrong: an option, a path, a size, a config key
 *   HOST       this host lacks something: a file, a program, memory, space, permission
 *   LAUNCH     QEMU did not start or refused its arguments
 *   PROTOCOL   a peer sent what its protocol does not allow
 *   REMOTE     a peer answered with an error of its own
 *   TIMEOUT    a deadline passed
 *   CANCELLED  the caller cancelled
 *   GUEST      the guest could not do its part: a mount, a module, a command
 *   LOST       the peer, the VM or the connection to it went away
 */
#define MF_ERROR (mf_error_quark())

typedef enum {
    MF_ERROR_CONFIG,
    MF_ERROR_HOST,
    MF_ERROR_LAUNCH,
    MF_ERROR_PROTOCOL,
    MF_ERROR_REMOTE,
    MF_ERROR_TIMEOUT,
    MF_ERROR_CANCELLED,
    MF_ERROR_GUEST,
    MF_ERROR_LOST,
} MfErrorCode;

GQuark mf_error_quark(void);

/* Sets *error from errno-style 'code_errno': the formatted sentence, then ": " and strerror. */
void mf_error_set_errno(GError **error, MfErrorCode code, int code_errno, const char *format, ...)
    G_GNUC_PRINTF(4, 5);

/* Converts a foreign error (GIOError, GSpawnError, ...) where it enters: the domain becomes
 * MF_ERROR with 'code' (G_IO_ERROR_CANCELLED always becomes MF_ERROR_CANCELLED), the message is
 * prefixed with the formatted text. Takes ownership of 'foreign', writes *error. */
void mf_error_take_foreign(GError **error, MfErrorCode code, GError *foreign, const char *format,
                           ...) G_GNUC_PRINTF(4, 5);
