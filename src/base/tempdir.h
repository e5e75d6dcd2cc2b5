/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* Makes a private directory (mode 0700) under $TMPDIR or /tmp for as long as this process needs it,
 * named "mayfly-run-XXXXXX" and locked. A process that is killed leaves its directories, without
 * the locks; the first one that is made in a process takes along what others have left so. Owned by
 * the caller, who ends with mf_tempdir_remove(); MF_ERROR_HOST. */
char *mf_tempdir_make(GError **error);

/* As that, but named "mayfly-XXXXXX" and there to stay: somebody is going to look into it. */
char *mf_tempdir_make_lasting(GError **error);

/* Removes 'path' and everything below it, never following a symbolic link and never crossing into
 * another file system. Errors are ignored: there is nobody left to tell. Accepts NULL. */
void mf_tempdir_remove(const char *path);
