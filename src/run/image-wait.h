/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "machine/machine.h"
#include "run/target.h"

/* Waits until the own guest agent of an image's system answers, as long as it takes. MF_ERROR_GUEST
 * when the firmware says that the target's image does not boot; MF_ERROR_CANCELLED, LOST,
 * PROTOCOL. */
void mf_image_wait_async(MfMachine *machine, const MfTarget *target, GCancellable *cancellable,
                         GAsyncReadyCallback callback, gpointer user_data);
gboolean mf_image_wait_finish(MfMachine *machine, GAsyncResult *result, GError **error);
