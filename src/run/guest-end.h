/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "machine/machine.h"
#include "run/result.h"

/* What it means when a guest ends before its run does. */

/* How every panic of Linux begins. */
#define MF_PANIC_WORDS "Kernel panic - not syncing"

/* Whether the guest's kernel has panicked, by whatever tells of that. */
gboolean mf_guest_end_is_panic(MfMachine *machine);

/* Whether the host ended the machine: nothing in the guest tells why. */
gboolean mf_guest_end_is_by_host(MfMachine *machine);

/* Of a guest whose kernel has panicked. Owned by the caller. */
char *mf_guest_end_describe_panic(MfMachine *machine, MfPhase phase);

/* Of a machine that is gone; 'error' says what QEMU's process did. *ret_message is owned by the
 * caller. */
MfVerdict
mf_guest_end_judge(MfMachine *machine, MfPhase phase, const GError *error, char **ret_message);
