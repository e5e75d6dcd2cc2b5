/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/catalog.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cache.h"
#include "base/error.h"
#include "machine/catalog-draft.h"
#include "machine/kernel.h"

/* The newest release first; of one release, the entry added last. */
static int
compare_entries(gconstpointer a, gconstpointer b)
{
    const MfCatalogEntry *left = *(MfCatalogEntry *const *)a;
    const MfCatalogEntry *right = *(MfCatalogEntry *const *)b;
    int order =
        strverscmp(right->release ? right->release : "", left->release ? left->release : "");

    if (order != 0)
        return order;
    if (left->added != right->added)
        return left->added < right->added ? 1 : -1;
    return strcmp(left->name, right->name);
}

GPtrArray *
mf_catalog_list(GError **error)
{
    g_autoptr(GPtrArray) entries =
        g_ptr_array_new_with_free_func((GDestroyNotify)mf_catalog_entry_free);
    g_autofree char *section = NULL;
    g_autoptr(GError) unreadable = NULL;
    const char *name;

    if (!mf_cache_find_dir("kernels", &section, error))
        return NULL;
    if (!section)
        return g_steal_pointer(&entries);

    g_autoptr(GDir) directory = g_dir_open(section, 0, &unreadable);
    if (!directory) {
        mf_error_take_foreign(error, MF_ERROR_HOST, g_steal_pointer(&unreadable),
                              "The kernels cannot be listed");
        return NULL;
    }
    while ((name = g_dir_read_name(directory))) {
        g_autofree char *path = g_build_filename(section, name, NULL);
        MfCatalogEntry *entry = *name == '.' ? NULL : mf_catalog_entry_read(path);

        if (entry)
            g_ptr_array_add(entries, entry);
    }
    g_ptr_array_sort(entries, compare_entries);
    return g_steal_pointer(&entries);
}

MfCatalogEntry *
mf_catalog_lookup(const char *name, GError **error)
{
    g_autofree char *path = NULL;

    if (!mf_catalog_entry_check_name(name, NULL) || !mf_catalog_entry_find(name, &path, error))
        return NULL;
    return path ? mf_catalog_entry_read(path) : NULL;
}

MfCatalogEntry *
mf_catalog_lookup_version(const char *name, const char *version)
{
    g_autoptr(MfCatalogEntry) entry = mf_catalog_lookup(name, NULL);

    return entry && g_strcmp0(entry->version, version) == 0 ? g_steal_pointer(&entry) : NULL;
}

char *
mf_catalog_find(const char *name, GError **error)
{
    g_autoptr(MfCatalogEntry) entry = mf_catalog_lookup(name, error);

    return entry ? g_steal_pointer(&entry->image) : NULL;
}

char *
mf_catalog_resolve(const char *kernel, GError **error)
{
    struct stat status;
    int reason = stat(kernel, &status) < 0 ? errno : 0;
    char *image = reason == 0 ? g_strdup(kernel) : mf_catalog_find(kernel, NULL);

    if (image)
        return image;
    if (reason == ENOENT || reason == ENOTDIR)
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "Kernel '%s' does not exist, neither as a file nor in the catalog ('mayfly "
                    "kernel list' shows that, 'mayfly kernel pull' adds to it).",
                    kernel);
    else
        mf_error_set_errno(error, MF_ERROR_CONFIG, reason, "Kernel '%s' cannot be looked at",
                           kernel);
    return NULL;
}

/* An entry whose kernel.json is damaged is not listed, but can be removed. */
gboolean
mf_catalog_remove(const char *name, GError **error)
{
    g_autofree char *path = NULL;

    if (!mf_catalog_entry_find(name, &path, error))
        return FALSE;
    if (!path) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "There is no kernel '%s' in the catalog; 'mayfly kernel list' shows those that "
                    "are.",
                    name);
        return FALSE;
    }
    return mf_catalog_draft_discard_entry(path, error);
}

char *
mf_catalog_running_image(const char *root, const char *release)
{
    g_autofree char *versioned = g_strdup_printf("boot/vmlinuz-%s", release);
    g_autofree char *with_modules = g_strdup_printf("lib/modules/%s/vmlinuz", release);
    const char *const names[] = {versioned, with_modules, "boot/vmlinuz"};

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(root, names[i], NULL);

        if (g_file_test(path, G_FILE_TEST_IS_REGULAR) && access(path, R_OK) == 0)
            return g_steal_pointer(&path);
    }
    return NULL;
}

static gboolean
can_mount_9p(const MfCatalogEntry *entry)
{
    g_autoptr(MfKernel) kernel = mf_kernel_open(entry->image, NULL);

    return kernel && mf_kernel_check(kernel, MF_KERNEL_NEEDS_9P | MF_KERNEL_NEEDS_OVERLAY, NULL);
}

/* The newest entry for 'arch' that can mount a 9p root, else the newest for 'arch', else NULL. */
static const MfCatalogEntry *
choose_entry(GPtrArray *entries, MfArch arch)
{
    const MfCatalogEntry *newest = NULL;

    for (guint i = 0; i < entries->len; i++) {
        const MfCatalogEntry *entry = entries->pdata[i];

        if (entry->arch != arch)
            continue;
        if (can_mount_9p(entry))
            return entry;
        if (!newest)
            newest = entry;
    }
    return newest;
}

/* Only a kernel of the host's own architecture can be running, or be pulled. */
static void
set_no_kernel_error(MfArch arch, GError **error)
{
    if (arch == mf_arch_native())
        g_set_error(
            error, MF_ERROR, MF_ERROR_CONFIG,
            "There is no kernel to run by default: the running one's image is not readable, "
            "and none for %s was pulled. Fetch one with 'mayfly kernel pull debian', or "
            "name one with '-k'.",
            mf_arch_name(arch));
    else
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "There is no kernel to run by default: the catalog has none for %s, which is "
                    "not this host's architecture. Name one with '-k', or add it to the catalog "
                    "with 'mayfly kernel add'.",
                    mf_arch_name(arch));
}

char *
mf_catalog_default_kernel(MfArch arch, GError **error)
{
    struct utsname host;
    char *running = NULL;

    if (arch == mf_arch_native() && uname(&host) == 0)
        running = mf_catalog_running_image("/", host.release);
    if (running)
        return running;

    g_autoptr(GPtrArray) entries = mf_catalog_list(error);
    const MfCatalogEntry *entry = entries ? choose_entry(entries, arch) : NULL;
    if (entry)
        return g_strdup(entry->image);
    if (entries)
        set_no_kernel_error(arch, error);
    return NULL;
}
