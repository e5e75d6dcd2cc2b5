/* SPDX-License-Identifier: Apache-2.0 */
#include "base/tempdir.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>

#include "base/error.h"

#define OPEN_DIRECTORIES_MAX 16

char *
mf_tempdir_make(GError **error)
{
    g_autofree char *path = g_build_filename(g_get_tmp_dir(), "mayfly-XXXXXX", NULL);

    if (!g_mkdtemp_full(path, 0700)) {
        mf_error_set_errno(error, MF_ERROR_HOST, errno,
                           "A temporary directory cannot be made in '%s'", g_get_tmp_dir());
        return NULL;
    }
    return g_steal_pointer(&path);
}

static int
remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    remove(path);
    return 0;
}

void
mf_tempdir_remove(const char *path)
{
    if (path)
        nftw(path, remove_entry, OPEN_DIRECTORIES_MAX, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}
