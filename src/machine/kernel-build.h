/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "machine/catalog.h"

/*
 * A kernel that is configured and built from its source, by the tree's own Makefile, and added to
 * the catalog. It starts from a configuration of the user's, and what mayfly needs is merged over
 * that; where there is none, it becomes a small kernel for this host's architecture with
 * everything that mayfly can use built in.
 */
typedef struct {
    const char *source;      /* the top of the source tree */
    const char *output;      /* where to build, made if it is missing; NULL: in the tree */
    const char *config;      /* to start from; NULL: the .config in the output, if there is one */
    const char *name;        /* of the entry; NULL for "local/RELEASE" */
    guint jobs;              /* at once; 0 for as many as there are processors */
    gboolean configure_only; /* stop before the build */
} MfKernelBuildRequest;

/* The request is copied. */
void mf_kernel_build_async(const MfKernelBuildRequest *request, MfCatalogProgressFunc progress,
                           gpointer progress_data, GCancellable *cancellable,
                           GAsyncReadyCallback callback, gpointer user_data);

/* *ret_entry is owned by the caller, and NULL when only the configuration was asked for.
 * MF_ERROR_CONFIG (no source tree; options that this tree does not let be set, all named),
 * MF_ERROR_REMOTE (make failed, with the end of what it said), MF_ERROR_HOST,
 * MF_ERROR_CANCELLED. */
gboolean mf_kernel_build_finish(GAsyncResult *result, MfCatalogEntry **ret_entry, GError **error);
