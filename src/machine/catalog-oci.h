/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "machine/catalog.h"

/* mf_catalog_pull_async() for a container image of a registry, "oci://..."; see oci-reference.h.
 * Its layers are checked by their sums and unpacked as packages are. A pull that failed because of
 * the connection, or was cancelled, leaves what was fetched in the cache, and the next goes on from
 * there; one that was refused leaves nothing. Ends with mf_catalog_pull_finish(). */
void mf_catalog_oci_pull_async(const char *what, const MfCatalogWish *wish,
                               MfCatalogProgressFunc progress, gpointer progress_data,
                               GCancellable *cancellable, GAsyncReadyCallback callback,
                               gpointer user_data);
