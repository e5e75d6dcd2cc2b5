/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

/* Completes when whoever holds the lock of a saved machine (warm/store.h) has let go of it, in
 * whatever way it ended, or when nobody holds it. MF_ERROR_TIMEOUT, MF_ERROR_CANCELLED, and
 * MF_ERROR_HOST when it cannot be watched. */
void mf_warm_wait_async(const char *id, guint timeout_ms, GCancellable *cancellable,
                        GAsyncReadyCallback callback, gpointer user_data);
gboolean mf_warm_wait_finish(GAsyncResult *result, GError **error);
