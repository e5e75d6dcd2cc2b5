/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

#include "machine/catalog-entry.h"

/*
 * A catalog entry in the making: a private, locked directory in the catalog that becomes an entry
 * by one rename, or is removed when it is freed. The lock goes away with the process, so that what
 * a killed one left behind is known for that, and the next draft removes it.
 */
typedef struct MfCatalogDraft MfCatalogDraft;

/* MF_ERROR_HOST. */
MfCatalogDraft *mf_catalog_draft_new(GError **error);

/* Removes the directory, unless it was published. */
void mf_catalog_draft_free(MfCatalogDraft *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfCatalogDraft, mf_catalog_draft_free)

/* The directory to fill. Borrowed. */
const char *mf_catalog_draft_get_path(MfCatalogDraft *self);

/* Brings the files of unpacked packages to an entry's layout: the one image to boot/vmlinuz or
 * boot/vmlinux, its configuration to boot/config-RELEASE. 'origin' is what messages call the
 * package. A kernel for rescue ("vmlinuz-0-rescue-...") does not count unless it was chosen, and
 * what belongs to those that do not count is removed. MF_ERROR_CONFIG (no image, several, a release
 * that is no name), MF_ERROR_HOST. */
gboolean mf_catalog_draft_arrange(MfCatalogDraft *self, const char *origin, GError **error);

/* The draft can come to hold several kernels, of an image: the one that 'release' names is kept, or
 * with NULL the only one that is none for rescue. Before it is arranged. */
void mf_catalog_draft_let_choose(MfCatalogDraft *self, const char *release);

/* From here on a kernel of another architecture is refused. */
void mf_catalog_draft_require_arch(MfCatalogDraft *self, MfArch arch);

/* The name of the one directory in lib/modules that still lacks a modules.dep; NULL when there is
 * none. Owned by the caller. */
char *mf_catalog_draft_unindexed_release(MfCatalogDraft *self);

/* Opens the image (MF_ERROR_CONFIG when it is none), writes kernel.json and makes this the entry
 * called 'name' (NULL: 'prefix', a slash and the release), in the place of an older one. Returns
 * the entry, owned by the caller. MF_ERROR_CONFIG, MF_ERROR_HOST. */
MfCatalogEntry *mf_catalog_draft_publish(MfCatalogDraft *self, const char *name, const char *prefix,
                                         const char *source, const char *version, GError **error);

/* Takes the entry in the directory 'path' out of sight at once, then removes it. MF_ERROR_HOST. */
gboolean mf_catalog_draft_discard_entry(const char *path, GError **error);
