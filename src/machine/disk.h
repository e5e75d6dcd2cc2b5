/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/argv.h"
#include "machine/platform.h"

/* A disk of the guest: an image file of the host. What is not writable is never written to: the
 * guest's writes go to an overlay that is gone with the run. */
typedef struct {
    char *path;   /* owned; absolute */
    char *format; /* owned; "raw", "qcow2"; NULL: found out from the image's first bytes */
    gboolean writable;
    gboolean optical;  /* a disc in a drive: never writable */
    gboolean fleeting; /* the image is made for this run alone */
} MfDisk;

/* A qcow2 file above a disk's image, which names no image below it itself. */
typedef struct {
    const char *path; /* borrowed */
    gboolean frozen;  /* never written to either: the guest's writes go above it, as they would go
                       * above the image */
} MfDiskOverlay;

MfDisk *mf_disk_new(const char *path, const char *format, gboolean writable);

/* A disc image, such as of ISO 9660. */
MfDisk *mf_disk_new_optical(const char *path);

MfDisk *mf_disk_copy(const MfDisk *self);
void mf_disk_free(MfDisk *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfDisk, mf_disk_free)

/* Reads a --disk value, "PATH[,writable]". MF_ERROR_CONFIG. Nothing is looked at yet. */
MfDisk *mf_disk_parse(const char *text, GError **error);

/* Looks at the image, and settles its format, which QEMU is always told: what a guest writes to a
 * raw image must not make it one of another format. MF_ERROR_CONFIG when the image is missing, not
 * a file, empty, may not be read (or written, if it is to be), or is of a format that mayfly does
 * not hand to QEMU. */
gboolean mf_disk_resolve(MfDisk *self, GError **error);

/* Whether a BIOS cannot boot from the (resolved) image, because it has partitions but no code in
 * its first sector, as an image for UEFI. FALSE also where that cannot be seen. */
gboolean mf_disk_lacks_boot_code(const MfDisk *self);

/* A resolved disk, as the guest's 'index'th, which the firmware boots first where 'boots'. With an
 * 'overlay' (else NULL) it is what is seen through that, and is itself not writable. */
void mf_disk_add_to_argv(const MfDisk *self, const MfPlatform *platform, guint index,
                         gboolean boots, const MfDiskOverlay *overlay, MfArgv *argv);
