/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "run/target.h"

/*
 * The command records (wire/guest-protocol.h) of a run. 'workdir' is the directory in the guest.
 * Owned by the caller.
 */

/* Of the target's command; 'stdio_open' tells which of descriptors 0, 1, 2 it is to have. */
GBytes *
mf_command_record_new(const MfTarget *target, const char *workdir, const gboolean stdio_open[3]);

/* The payload record of what 'step' starts of 'payload', in the target's directory, environment and
 * user where the payload has none of its own. */
GBytes *mf_command_record_new_payload(const MfTarget *target, const char *workdir,
                                      const MfPayload *payload, const MfStep *step);

/* Of a text of its setup or teardown: for a shell, as root, in the same environment, and with
 * nothing to read. */
GBytes *mf_command_record_new_hook(const MfTarget *target, const char *workdir, const char *text,
                                   gboolean has_output);
