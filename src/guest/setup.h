/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * What the CONF record asks for: from the ready point to a machine that is this run's own.
 */

/* Puts all of a CONF record into effect, once: entropy, clock, hostname, the root with the user's
 * mounts and the kernel's modules in it, and that root as "/". Returns false with one sentence in
 * 'reason' (always terminated) that says what failed and what to do; the machine is of no use then.
 */
bool mfg_setup_apply(const char *record, size_t size, char *reason, size_t reason_size);

/* Whether the record that was applied says init = "script": the caller answers CONR, closes its
 * ports and calls mfg_setup_exec_script(). */
bool mfg_setup_wants_script(void);

/* Becomes the init script: executes MF_GUEST_INIT_SCRIPT by /bin/sh as PID 1. Returns only when
 * that failed, with errno. */
void mfg_setup_exec_script(void);
