/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/kernel-store.h"

#include <string.h>
#include <unistd.h>

#include "base/cache.h"

#define PATH_HASH_LENGTH 16

char *
mf_kernel_store_id(const char *path, const struct stat *status)
{
    g_autofree char *hash = mf_cache_key(path, NULL);
    g_autofree char *file_id = mf_cache_file_id(status);

    return g_strdup_printf("%.*s-%s", PATH_HASH_LENGTH, hash, file_id);
}

char *
mf_kernel_store_path(const char *section, const char *id, const char *suffix, GError **error)
{
    g_autofree char *directory = mf_cache_dir(section, error);

    if (!directory)
        return NULL;
    return g_strconcat(directory, "/", id, suffix, NULL);
}

static void
prune_section(const char *section, const char *id)
{
    g_autofree char *directory = NULL;
    const char *name;

    if (!mf_cache_find_dir(section, &directory, NULL) || !directory)
        return;

    g_autoptr(GDir) entries = g_dir_open(directory, 0, NULL);

    while (entries && (name = g_dir_read_name(entries))) {
        if (strncmp(name, id, PATH_HASH_LENGTH + 1) != 0 || g_str_has_prefix(name, id))
            continue;

        g_autofree char *path = g_build_filename(directory, name, NULL);
        unlink(path);
    }
}

void
mf_kernel_store_prune(const char *id)
{
    prune_section(MF_KERNEL_STORE_FACTS, id);
    prune_section(MF_KERNEL_STORE_IMAGES, id);
    prune_section(MF_KERNEL_STORE_INITRAMFS, id);
}
