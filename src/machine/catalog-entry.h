/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

#include "machine/arch.h"

/*
 * One kernel of the catalog: a directory in the cache's section "kernels" with
 *
 *   boot/vmlinuz or boot/vmlinux     the image
 *   boot/config-RELEASE              its configuration, when there was one
 *   lib/modules/RELEASE/             its modules with modules.dep, when there were some
 *   kernel.json                      what this struct holds
 *
 * Its name is one or two words of letters, digits and ".+~_-" with a slash between, such as
 * "debian/6.1.0-56-amd64"; the directory has '@' in the place of the slash. Entries appear whole or
 * not at all, and may be deleted at any time.
 */
typedef struct {
    char *name;
    char *release; /* "6.1.0-56-amd64"; NULL when the image does not say */
    MfArch arch;
    char *source;  /* where it came from: "debian", or the path it was added from */
    char *version; /* of the package, such as "6.1.192-2"; NULL when not known */
    gint64 added;  /* seconds since 1970 */
    guint64 size;  /* of all files, in bytes */
    char *image;   /* absolute path */
} MfCatalogEntry;

void mf_catalog_entry_free(MfCatalogEntry *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfCatalogEntry, mf_catalog_entry_free)

/* Whether 'name' can be an entry's. MF_ERROR_CONFIG with what a name looks like. */
gboolean mf_catalog_entry_check_name(const char *name, GError **error);

/* The directory of an entry called 'name', which need not exist. Owned by the caller;
 * MF_ERROR_CONFIG, MF_ERROR_HOST. */
char *mf_catalog_entry_path(const char *name, GError **error);

/* That directory, with nothing made: *ret_path (owned) is NULL where it is not there.
 * MF_ERROR_CONFIG, MF_ERROR_HOST. */
gboolean mf_catalog_entry_find(const char *name, char **ret_path, GError **error);

/* The image in the directory 'path': boot/vmlinuz or boot/vmlinux; NULL when it has none. Owned by
 * the caller. */
char *mf_catalog_entry_find_image(const char *path);

/* The entry in the directory 'path'; NULL when it has no usable kernel.json or no image. Owned by
 * the caller. */
MfCatalogEntry *mf_catalog_entry_read(const char *path);

/* Writes kernel.json into the directory 'path'. MF_ERROR_HOST. */
gboolean mf_catalog_entry_write(const MfCatalogEntry *self, const char *path, GError **error);
