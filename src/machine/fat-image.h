/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* Where the one partition of the image begins, bytes. */
#define MF_FAT_PARTITION_OFFSET (1u << 20)

/*
 * Makes 'name' in 'directory' (base/copy.h): the image of a disk with one partition, an EFI system
 * partition with FAT32, that has a copy of what is below 'source'. It has 256 MiB, or half as much
 * again as the copy where that is more; what nothing is in are holes in the file. The same tree
 * gives the same image. *ret_path is owned by the caller. MF_ERROR_CONFIG as mf_fat_tree_read(),
 * and when a file changes meanwhile; MF_ERROR_HOST.
 */
gboolean mf_fat_image_make(const char *source, const char *directory, const char *name,
                           char **ret_path, GError **error);
