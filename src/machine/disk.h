/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* A disk of the guest: an image file of the host. What is not writable is never written to: the
 * guest's writes go to an overlay that is gone with the run. */
typedef struct {
    char *path;   /* owned; absolute */
    char *format; /* owned; "raw", "qcow2"; NULL: found out from the image's first bytes */
    gboolean writable;
} MfDisk;

MfDisk *mf_disk_new(const char *path, const char *format, gboolean writable);
void mf_disk_free(MfDisk *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfDisk, mf_disk_free)
