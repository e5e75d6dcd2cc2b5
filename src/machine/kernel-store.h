/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <sys/stat.h>

/*
 * Names in the cache for what is made from a kernel image: facts, the unpacked kernel, its
 * configuration, initramfs. A name starts with a hash of the image's path, so that what was made
 * from an earlier build at the same place can be found and removed: a developer who builds fifty
 * kernels a day has one of them in the cache.
 */

#define MF_KERNEL_STORE_FACTS     "facts"
#define MF_KERNEL_STORE_IMAGES    "images"
#define MF_KERNEL_STORE_INITRAMFS "initramfs"

/* What names the content at 'path' with that status. Owned by the caller. */
char *mf_kernel_store_id(const char *path, const struct stat *status);

/* The path of a file in a section of the cache, whose directory is made. Owned by the caller.
 * MF_ERROR_HOST. */
char *mf_kernel_store_path(const char *section, const char *id, const char *suffix, GError **error);

/* Removes from all sections what was made from other content at the same path. */
void mf_kernel_store_prune(const char *id);
