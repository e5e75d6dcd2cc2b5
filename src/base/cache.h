/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <sys/stat.h>

/*
 * The cache: $MAYFLY_CACHE_DIR, else $XDG_CACHE_HOME/mayfly, else ~/.cache/mayfly, else (for users
 * whose home cannot be written) mayfly-cache-UID in the temporary directory; mode 0700.
 * Whatever is in it can be deleted at any time by anyone; entries appear whole or not at all.
 */

/* The cache directory with 'section' below it ("kernels", "initramfs"; NULL for the top), made if
 * it is missing. Owned by the caller. MF_ERROR_HOST with the path and the reason. */
char *mf_cache_dir(const char *section, GError **error);

/* The same for whoever only looks: nothing is made, and *ret_path (owned) is NULL where it is not
 * there. MF_ERROR_HOST when the directory that MAYFLY_CACHE_DIR names cannot be one. */
gboolean mf_cache_find_dir(const char *section, char **ret_path, GError **error);

/* What identifies a file's content without reading it: device, inode, size, and the nanoseconds
 * of its modification and status change. As text, fit for a file name. Owned by the caller. */
char *mf_cache_file_id(const struct stat *status);

/* The lower-case hexadecimal SHA-256 of a NULL-terminated list of strings (each with its
 * terminating NUL, so that ("a","bc") differs from ("ab","c")). Owned by the caller. */
char *mf_cache_key(const char *first, ...) G_GNUC_NULL_TERMINATED;

/* Opens a private temporary file in the directory of 'path', to be filled and then published at
 * 'path' by mf_cache_commit(), or removed by mf_cache_discard(). Returns the descriptor (read and
 * write, close-on-exec), or -1 with MF_ERROR_HOST. *ret_temporary is owned by the caller. What
 * those have left who were killed while they filled one for the same path is removed.
 *
 * The name of an entry says what is in it. So one of the same size that somebody else has published
 * meanwhile is the same and stays: others may know it by its identity already, as saved machines
 * know their kernel. */
int mf_cache_begin(const char *path, char **ret_temporary, GError **error);
gboolean mf_cache_commit(const char *temporary, const char *path, GError **error);
void mf_cache_discard(const char *temporary);
