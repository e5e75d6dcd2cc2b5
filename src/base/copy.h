/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <sys/types.h>

/*
 * Copies the regular file 'path' (a link to one is followed) into 'fd' from 'offset' on, in bytes.
 * Blocks of zeros are left out: 'fd' is of a file that reads as zero there. *ret_size is how much
 * there was. MF_ERROR_CONFIG when 'path' is not a readable regular file, or has more than 'max'
 * bytes; MF_ERROR_HOST when it cannot be written.
 */
gboolean mf_copy_file(const char *path, int fd, off_t offset, guint64 max, guint64 *ret_size,
                      GError **error);

/* Makes the file 'name' (no path) in 'directory', for its owner only, and opens it to read and
 * write; what is there already, a symbolic link above all, is never followed or written to.
 * *ret_path is where it really is, owned by the caller. -1 with MF_ERROR_HOST. */
int
mf_create_private_file(const char *directory, const char *name, char **ret_path, GError **error);
