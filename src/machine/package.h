/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * A distribution's kernel package (.deb or .rpm), or a layer of a container image, that is unpacked
 * into a directory, in steps, so that a main loop stays alive. Only what belongs to a kernel is
 * taken: kernel-layout.h.
 *
 * The package is not trusted. An absolute name or one with "..", anywhere in it, is refused; so is,
 * among the files taken, a device node, a link that leads out of the package, a name that comes
 * twice. Symbolic links that stay inside are left out, as are the 'build' and 'source' links of a
 * module directory: nothing mayfly reads goes through them, and without links in the directory
 * nothing can be written through one. Modes become 0644 and 0755, the owner is the caller.
 */
typedef struct MfPackage MfPackage;

/* What a package may unpack to, at most: everything it contains counts, taken or not, so that a
 * decompression bomb ends early. The largest stock kernel (with debug info) has a tenth of it. */
typedef struct {
    guint64 bytes;
    guint64 entries;
} MfPackageLimits;

#define MF_PACKAGE_BYTES_MAX   (G_GUINT64_CONSTANT(16) << 30)
#define MF_PACKAGE_ENTRIES_MAX G_GUINT64_CONSTANT(200000)

/* Whether the file looks like a .deb or .rpm, by its first bytes. FALSE also when it cannot be
 * read. */
gboolean mf_package_recognise(const char *path);

/* Opens the package at 'path' for unpacking into 'directory' (which exists). 'limits' is NULL for
 * the two limits above. MF_ERROR_CONFIG, MF_ERROR_HOST. */
MfPackage *mf_package_open(const char *path, const char *directory, const MfPackageLimits *limits,
                           GError **error);

/* The same for a layer of a container image: a tar archive, compressed or not. 'shown' is what
 * messages call it: "layer sha256:12ab of 'oci://...'". In a layer a device node is refused
 * anywhere, and so is a hard link that leads out, and what lies below a symbolic link that does. */
MfPackage *mf_package_open_layer(const char *path, const char *shown, const char *directory,
                                 const MfPackageLimits *limits, GError **error);

void mf_package_free(MfPackage *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfPackage, mf_package_free)

/* Does some milliseconds of work. *ret_done becomes TRUE when everything is unpacked. On FALSE
 * (MF_ERROR_CONFIG: damaged or refused; MF_ERROR_HOST: cannot be written) the directory holds a
 * part of the files, and the caller removes it. */
gboolean mf_package_step(MfPackage *self, gboolean *ret_done, GError **error);

/* How much of the package was read, 0 to 1. */
double mf_package_get_fraction(MfPackage *self);

/* The version in a .deb's control file, once unpacked; NULL when it does not say, as for .rpm.
 * Borrowed. */
const char *mf_package_get_version(MfPackage *self);

/* What a layer removes of the layers below it: places of files and directories of an entry, of
 * strings; the layer's own files in them stay. Once unpacked; NULL for a package. Borrowed. */
const GPtrArray *mf_package_get_whiteouts(MfPackage *self);

/* How much it was, of what the limits count. */
void mf_package_get_met(MfPackage *self, MfPackageLimits *ret_met);
