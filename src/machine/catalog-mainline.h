/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "machine/catalog.h"

/* Whether 'what' is "ubuntu-mainline" or starts so. */
gboolean mf_catalog_mainline_recognise(const char *what);

/* mf_catalog_pull_async() for "ubuntu-mainline/vX.Y": packages that are fetched by URL, from the
 * directory vX.Y/ below what MAYFLY_UBUNTU_MAINLINE names, and checked by the list of sums there.
 * That list is as good as the way it comes by, which is therefore https, or this host. Ends with
 * mf_catalog_pull_finish(). */
void mf_catalog_mainline_pull_async(const char *what, const MfCatalogWish *wish,
                                    MfCatalogProgressFunc progress, gpointer progress_data,
                                    GCancellable *cancellable, GAsyncReadyCallback callback,
                                    gpointer user_data);
