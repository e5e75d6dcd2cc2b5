/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

#include "machine/arch.h"
#include "machine/catalog-entry.h"

/* The kernels that mayfly keeps in its cache, so that they can be run by name. */

/* All entries, the newest release first. Owned by the caller, of MfCatalogEntry. MF_ERROR_HOST. */
GPtrArray *mf_catalog_list(GError **error);

/* The entry called 'name'; NULL without an error when there is none. Owned by the caller. */
MfCatalogEntry *mf_catalog_lookup(const char *name, GError **error);

/* That entry if it is of this version, too. */
MfCatalogEntry *mf_catalog_lookup_version(const char *name, const char *version);

/* The path of the image of the entry called 'name'; NULL without an error when there is none (also
 * when 'name' cannot be a name). Owned by the caller. */
char *mf_catalog_find(const char *name, GError **error);

/* The kernel of a run that names none: for the native architecture the running kernel's image if it
 * is readable; else the newest entry for 'arch', one that can mount a 9p root before one that
 * cannot. Owned by the caller; MF_ERROR_CONFIG that names 'mayfly kernel pull', or 'mayfly kernel
 * add' for another architecture than the host's. */
char *mf_catalog_default_kernel(MfArch arch, GError **error);

/* The image that 'kernel' names: that file, else the image of that entry. Owned by the caller;
 * MF_ERROR_CONFIG when it is neither, or when the file cannot be looked at. */
char *mf_catalog_resolve(const char *kernel, GError **error);

/* The readable image of the kernel with this release below 'root' ("/" but in tests):
 * boot/vmlinuz-RELEASE, lib/modules/RELEASE/vmlinuz, boot/vmlinuz. NULL when there is none. */
char *mf_catalog_running_image(const char *root, const char *release);

/* Removes the entry called 'name'. MF_ERROR_CONFIG when there is none, MF_ERROR_HOST. */
gboolean mf_catalog_remove(const char *name, GError **error);

/* Called on the main loop while a kernel is fetched or unpacked: what is being done ("Unpacking
 * linux.deb"), and how much of that is done, 0 to 1; negative when that is not known. */
typedef void (*MfCatalogProgressFunc)(const char *activity, double fraction, gpointer user_data);

/* What somebody wants of a pull, beside the kernel. Each can be NULL. */
typedef struct {
    const char *name;    /* to call the entry */
    const MfArch *arch;  /* that it has to be for; NULL: whatever this host would take */
    const char *release; /* of several kernels of one image, the one that is meant */
} MfCatalogWish;

/*
 * Fetches a kernel and makes an entry of it. 'what' is one of these:
 *
 *   DISTRIBUTION[/VERSION]   A package, fetched with the distribution's own client, which checks
 * its signature: "debian" for the newest generic kernel of this host's architecture, "debian/cloud"
 * for a flavour, "debian/6.1.0-56-amd64" or "debian/6.1" for that release or the newest that starts
 * so. oci://REGISTRY/...       A container image: oci-reference.h.
 *
 * Only an image can be for another architecture than the host's, and have several kernels; of those
 * one for rescue is never meant unless it is named.
 *
 * Without a name the entry is called DISTRIBUTION/RELEASE, or by the image's name and tag (and the
 * release and the architecture, where these were chosen). An entry of that name that has the same
 * version already is returned as it is, and nothing is fetched.
 */
void
mf_catalog_pull_async(const char *what, const MfCatalogWish *wish, MfCatalogProgressFunc progress,
                      gpointer progress_data, GCancellable *cancellable,
                      GAsyncReadyCallback callback, gpointer user_data);

/* The entry, owned by the caller. MF_ERROR_CONFIG (no such distribution, version or image; a
 * hostile one), MF_ERROR_REMOTE (the client or the server failed), MF_ERROR_LOST,
 * MF_ERROR_PROTOCOL (the server sent what it should not), MF_ERROR_HOST (no client, no package
 * index, no space), MF_ERROR_CANCELLED. */
MfCatalogEntry *mf_catalog_pull_finish(GAsyncResult *result, GError **error);

/*
 * Makes an entry of what is on this host: one or more packages (.deb, .rpm) that together hold a
 * kernel, a directory (an unpacked package, a module directory with vmlinuz in it, or a kernel
 * build tree), or an image (with the modules that belong to it, where they are found). 'name' may
 * be NULL for "local/RELEASE". An entry of that name is replaced.
 */
void
mf_catalog_add_async(const char *const *paths, const char *name, MfCatalogProgressFunc progress,
                     gpointer progress_data, GCancellable *cancellable,
                     GAsyncReadyCallback callback, gpointer user_data);

/* The entry, owned by the caller. MF_ERROR_CONFIG (nothing usable at 'paths', a hostile package),
 * MF_ERROR_HOST, MF_ERROR_REMOTE (depmod failed), MF_ERROR_CANCELLED. */
MfCatalogEntry *mf_catalog_add_finish(GAsyncResult *result, GError **error);
