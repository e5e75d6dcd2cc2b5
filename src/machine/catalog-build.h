/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "machine/catalog-draft.h"
#include "machine/catalog.h"
#include "machine/tree-copy.h"

/*
 * The way from packages or files to an entry: unpack or copy into a draft, index the modules with
 * depmod where they came without an index, publish.
 */
typedef struct MfCatalogBuild MfCatalogBuild;

/* Takes the draft. 'progress' is called until the completion. */
MfCatalogBuild *
mf_catalog_build_new(MfCatalogDraft *draft, MfCatalogProgressFunc progress, gpointer progress_data);
void mf_catalog_build_free(MfCatalogBuild *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfCatalogBuild, mf_catalog_build_free)

/* Plans to unpack a package. MF_ERROR_CONFIG. */
gboolean mf_catalog_build_add_package(MfCatalogBuild *self, const char *path, GError **error);

/* Plans to unpack a layer of a container image over those planned before it. 'shown' is what
 * messages call it. The limits of a package hold for all layers together. */
void mf_catalog_build_add_layer(MfCatalogBuild *self, const char *path, const char *shown);

/* Plans a copy to the layout of an entry; takes it. */
void mf_catalog_build_add_copy(MfCatalogBuild *self, MfTreeCopy *copy);

/* A directory in the draft that is removed before the entry is published: for downloads. */
char *mf_catalog_build_make_scratch(MfCatalogBuild *self, GError **error);

/* Takes 'self'. The entry is called 'name', or 'prefix'/RELEASE when that is NULL; 'version' is
 * NULL for what the package says. */
void mf_catalog_build_run_async(MfCatalogBuild *self, const char *name, const char *prefix,
                                const char *source, const char *version, GCancellable *cancellable,
                                GAsyncReadyCallback callback, gpointer user_data);
MfCatalogEntry *mf_catalog_build_run_finish(GAsyncResult *result, GError **error);

/* The same as the last step of a task, which is taken: it returns the entry. */
void mf_catalog_build_run_for_task(MfCatalogBuild *self, const char *name, const char *prefix,
                                   const char *source, const char *version, GTask *task);
