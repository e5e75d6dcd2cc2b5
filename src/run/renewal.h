/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

#include "machine/arch.h"
#include "wire/qga.h"

/*
 * What no two copies of an image's saved system may share, the random numbers and the time, is
 * renewed by mayfly-guest, before anything else happens in the copy. It is put into the system's
 * memory before that is saved, so that a system where it cannot run is known by then.
 */

/* Puts mayfly-guest there, through the system's own agent, which has answered. MF_ERROR_GUEST with
 * the system's own words when it does not run there; MF_ERROR_HOST, REMOTE, TIMEOUT, CANCELLED,
 * LOST, ... */
void mf_renewal_prepare_async(MfQga *qga, MfArch arch, GCancellable *cancellable,
                              GAsyncReadyCallback callback, gpointer user_data);
gboolean mf_renewal_prepare_finish(MfQga *qga, GAsyncResult *result, GError **error);

/* Has it renew a system that was restored. Errors as above. */
void mf_renewal_run_async(MfQga *qga, GCancellable *cancellable, GAsyncReadyCallback callback,
                          gpointer user_data);
gboolean mf_renewal_run_finish(MfQga *qga, GAsyncResult *result, GError **error);
