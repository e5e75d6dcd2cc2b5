/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

static char *
cache_top(void)
{
    const char *own = g_getenv("MAYFLY_CACHE_DIR");

    if (own && *own)
        return g_canonicalize_filename(own, NULL);
    return g_build_filename(g_get_user_cache_dir(), "mayfly", NULL);
}

char *
mf_cache_dir(const char *section, GError **error)
{
    g_autofree char *top = cache_top();
    g_autofree char *path = section ? g_build_filename(top, section, NULL) : g_strdup(top);

    if (g_mkdir_with_parents(path, 0700) < 0) {
        mf_error_set_errno(error, MF_ERROR_HOST, errno,
                           "The cache directory '%s' cannot be made (MAYFLY_CACHE_DIR names "
                           "another)",
                           path);
        return NULL;
    }
    return g_steal_pointer(&path);
}

char *
mf_cache_file_id(const struct stat *status)
{
    return g_strdup_printf(
        "%lx-%lx-%lx-%lx.%lx-%lx.%lx", (unsigned long)status->st_dev, (unsigned long)status->st_ino,
        (unsigned long)status->st_size, (unsigned long)status->st_mtim.tv_sec,
        (unsigned long)status->st_mtim.tv_nsec, (unsigned long)status->st_ctim.tv_sec,
        (unsigned long)status->st_ctim.tv_nsec);
}

char *
mf_cache_key(const char *first, ...)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    va_list args;

    va_start(args, first);
    for (const char *part = first; part; part = va_arg(args, const char *))
        g_checksum_update(sum, (const guchar *)part, (gssize)strlen(part) + 1);
    va_end(args);
    return g_strdup(g_checksum_get_string(sum));
}

int
mf_cache_begin(const char *path, char **ret_temporary, GError **error)
{
    g_autofree char *temporary = g_strconcat(path, ".XXXXXX", NULL);
    int fd = g_mkstemp_full(temporary, O_RDWR | O_CLOEXEC, 0600);

    if (fd < 0) {
        mf_error_set_errno(error, MF_ERROR_HOST, errno,
                           "The cache file '%s' cannot be made (MAYFLY_CACHE_DIR names another "
                           "directory)",
                           path);
        return -1;
    }
    *ret_temporary = g_steal_pointer(&temporary);
    return fd;
}

gboolean
mf_cache_commit(const char *temporary, const char *path, GError **error)
{
    if (rename(temporary, path) == 0)
        return TRUE;
    mf_error_set_errno(error, MF_ERROR_HOST, errno, "The cache file '%s' cannot be published",
                       path);
    unlink(temporary);
    return FALSE;
}

void
mf_cache_discard(const char *temporary)
{
    if (temporary)
        unlink(temporary);
}
