/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "machine/machine.h"

/*
 * The devices' state of a machine, out of QEMU and into it again. The memory is in a file that QEMU
 * was started with (MfBacking) and is left out.
 */

/* Stops the machine and writes its devices' state to 'state_fd', an empty regular file. The machine
 * stays stopped, and is of no further use. MF_ERROR_REMOTE when QEMU refuses: it would do so again;
 * MF_ERROR_TIMEOUT, CANCELLED, PROTOCOL, LOST. */
void mf_warm_save_async(MfMachine *machine, int state_fd, GCancellable *cancellable,
                        GAsyncReadyCallback callback, gpointer user_data);
gboolean mf_warm_save_finish(MfMachine *machine, GAsyncResult *result, GError **error);

/* Loads the state from the backing's file and lets the machine run. Errors as above. */
void mf_warm_restore_async(MfMachine *machine, GCancellable *cancellable,
                           GAsyncReadyCallback callback, gpointer user_data);
gboolean mf_warm_restore_finish(MfMachine *machine, GAsyncResult *result, GError **error);

/* Where state comes from, or goes to, for a QEMU of that version: its descriptor by number, or
 * for saving with QEMU before 8.2 by the name that 'getfd' gave it. Owned by the caller. */
char *mf_warm_transfer_uri(guint major, guint minor, gboolean saving);
