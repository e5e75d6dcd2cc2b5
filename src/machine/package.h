/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * A distribution's kernel package (.deb or .rpm) that is unpacked into a directory, in steps, so
 * that a main loop stays alive. Only what belongs to a kernel is taken:
 *
 *   boot/vmlinuz-*  boot/vmlinux-*  boot/config-*
 *   lib/modules/...  (also from below usr/; System.map files are left out)
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
