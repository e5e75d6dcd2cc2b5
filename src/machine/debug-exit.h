/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/argv.h"
#include "machine/arch.h"

/*
 * QEMU's device isa-debug-exit: a guest that writes V to port 0xf4 ends QEMU, with the exit status
 * 2 * V + 1, of which the host gets 8 bits. So 33 is a guest that wrote 0x10, and what ends QEMU in
 * another way (0, a power-off or reset) is never mistaken for it.
 */
#define MF_DEBUG_EXIT_PORT 0xf4u

/* What QEMU exits with when the guest writes 'value'. */
guint mf_debug_exit_get_status(guint32 value);

/* Whether a guest for 'arch' can end QEMU with that status. MF_ERROR_CONFIG. */
gboolean mf_debug_exit_check(MfArch arch, gint64 status, GError **error);

/* Adds the device. */
void mf_debug_exit_add_to_argv(MfArgv *argv);

/* How QEMU's process ended (a wait status), measured by the exit status that is a success: NULL
 * when it is that, else the sentence. Owned by the caller. */
char *mf_debug_exit_judge(guint success, int wait_status);
