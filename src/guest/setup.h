/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "guest/rehearsal.h"

/*
 * What the CONF record asks for: from the ready point to a machine that is this run's own.
 */

/* Puts all of a CONF record into effect, once: entropy, clock, hostname, the root with the user's
 * mounts and the kernel's modules in it, and that root as "/". Returns false with one sentence in
 * 'reason' (always terminated) that says what failed and what to do; the machine is of no use then.
 * Starts 'rehearsal' first if the record asks for that; it is over when this returns. */
bool mfg_setup_apply(const char *record, size_t size, struct mfg_rehearsal *rehearsal, char *reason,
                     size_t reason_size);

/* Puts entropy and time of a CONF record into effect, which has to have both, and nothing else of
 * it: in the system of an image, which is on its own otherwise. As above. */
bool mfg_setup_renew(const char *record, size_t size, char *reason, size_t reason_size);

/* Whether the record that was applied says init = "script": the caller closes the agent's port, so
 * that what the host sends there waits for the script's agent, then answers CONR, closes the other
 * port and calls mfg_setup_exec_script(). */
bool mfg_setup_wants_script(void);

/* Becomes the init script: executes MF_GUEST_INIT_SCRIPT by /bin/sh as PID 1, with no signal
 * blocked and MF_GUEST_PREPARED in its environment. Returns only when that failed, with errno. */
void mfg_setup_exec_script(void);
