/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* Makes a private directory (mode 0700) under $TMPDIR or /tmp, named "mayfly-XXXXXX".
 * Owned by the caller; MF_ERROR_HOST. */
char *mf_tempdir_make(GError **error);

/* Removes 'path' and everything below it, never following a symbolic link and never crossing into
 * another file system. Errors are ignored: there is nobody left to tell. Accepts NULL. */
void mf_tempdir_remove(const char *path);
