/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "machine/disk.h"

/*
 * The files that a disk's content is in: the image, and where that is a qcow2, those below it.
 */
typedef struct {
    guint64 size;   /* bytes, of the disk */
    char *identity; /* owned; of each file (mf_cache_file_id), with a space between */
} MfDiskFiles;

/* Looks at the files of a resolved disk. MF_ERROR_HOST when one cannot be read, or is such that a
 * change of it cannot be seen: no regular file, or something that only QEMU can find. */
gboolean mf_disk_files_find(const MfDisk *disk, MfDiskFiles *ret_files, GError **error);
void mf_disk_files_clear(MfDiskFiles *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MfDiskFiles, mf_disk_files_clear)
