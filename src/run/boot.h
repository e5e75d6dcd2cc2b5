/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "machine/machine.h"
#include "run/plan.h"
#include "run/stream.h"

/*
 * Gets a machine to the ready point, where a guest of ours says so, and the own agent of an image's
 * system answers: restores a saved one; else boots one, saves it, and restores
 * the first copy of it; else just boots. Whatever is wrong with a saved machine, or with saving
 * one, ends in a cold boot, and is said.
 */
#define MF_TYPE_BOOT (mf_boot_get_type())
G_DECLARE_FINAL_TYPE(MfBoot, mf_boot, MF, BOOT, GObject)

/* Both are borrowed for the object's life. */
MfBoot *mf_boot_new(const MfPlan *plan, const MfTarget *target);

/* Ends at the ready point. Fails as mf_machine_launch(), mf_machine_open_async() and, for an image,
 * mf_image_wait_async() do for a cold boot, and with MF_ERROR_CANCELLED. That the guest panics or
 * QEMU ends while it boots is for who watches the machine: the boot goes on until it is cancelled,
 * or has lost the agent. */
void mf_boot_start_async(MfBoot *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                         gpointer user_data);
gboolean mf_boot_start_finish(MfBoot *self, GAsyncResult *result, GError **error);

/* As start, and ends when a machine is saved, without one that runs: MF_ERROR_HOST when it cannot
 * be, and MF_ERROR_TIMEOUT after the target's limit for a boot. */
void mf_boot_save_async(MfBoot *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                        gpointer user_data);
gboolean mf_boot_save_finish(MfBoot *self, GAsyncResult *result, GError **error);

/* Why it has not ended after 'limit'. Owned by the caller; NULL when there is nothing more to say
 * than that. */
char *mf_boot_describe_silence(MfBoot *self, const char *limit);

/* The machine of now, and its stream. Borrowed. */
MfMachine *mf_boot_get_machine(MfBoot *self);
MfStream *mf_boot_get_stream(MfBoot *self);

/* Whether the end of the machine of now is not the end of the boot: another one follows. */
gboolean mf_boot_survives_end(MfBoot *self);

/* Whether the console says once more what the first machine of this boot has said before. */
gboolean mf_boot_is_repeating(MfBoot *self);

/* Signals:
 *   "waiting"  ()   another run saves this machine, and there is none until it is done
 *   "launching" ()  QEMU is about to be started
 *   "launched" ()   there is a machine, in place of the last one
 *   "opened"   ()   QEMU is up, and the guest boots; not for a machine that is restored */
