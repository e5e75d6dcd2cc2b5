/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

#include "run/result.h"

/* The verbs: 'argv' starts with the verb itself; the result is the exit status. */
int mf_cli_run(int argc, char **argv);
void mf_cli_run_describe(GPtrArray *verbs);

/* Exit statuses, as in the manual. A command's own are 0-123, 126, 127 and 128 + signal. */
typedef enum {
    MF_EXIT_UNMET = 1, /* the command exited with 0, and something else was expected; what the
                        * doctor found does not work */
    MF_EXIT_USAGE = 2,
    MF_EXIT_NO_MATCH = 4, /* no target is selected */
    MF_EXIT_UNAVAILABLE = 69,
    MF_EXIT_SKIPPED = 77,
    MF_EXIT_BAD_CONFIG = 78,
    MF_EXIT_TIMEOUT = 124,
    MF_EXIT_CRASHED = 125,
    MF_EXIT_SIGNAL_BASE = 128,
} MfExitStatus;

/* The exit status for a result: 0 for a pass, whatever status that took; 'cancel_signal' is the one
 * that cancelled it, if any did. */
int mf_cli_exit_status(const MfResult *result, int cancel_signal);

/* Writes "mayfly: <text>" and a newline to the standard error. */
void mf_cli_complain(const char *format, ...) G_GNUC_PRINTF(1, 2);

/* Complains of 'error'. The exit status: 'wrong' for MF_ERROR_CONFIG, of what was asked for, else
 * MF_EXIT_UNAVAILABLE. */
int mf_cli_fail(const GError *error, MfExitStatus wrong);

/* How much the libraries' log shows: 0 nothing, 1 what -v promises, 2 everything. What was given
 * ahead of the verb comes on top of what the verb sets. */
void mf_cli_set_verbosity(int level);
void mf_cli_add_verbosity(int level);

/* Which of descriptors 0, 1, 2 the caller left open. Must be the first thing the program calls: it
 * also fills the closed ones, so that nothing else ever gets those numbers. */
void mf_cli_secure_stdio(void);
const gboolean *mf_cli_get_stdio_open(void);
