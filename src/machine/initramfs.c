/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/initramfs.h"

#include <gio/gio.h>
#include <string.h>
#include <unistd.h>

#include "base/cache.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/parse.h"
#include "machine/initramfs-writer.h"
#include "machine/kernel-store.h"
#include "machine/modules.h"
#include "wire/json.h"

/* Of the archive and of the list of modules: with a new one, all cached ones are stale. */
#define FORMAT_VERSION "1"

#define MANIFEST_VERSION  1
#define MANIFEST_SIZE_MAX (256 * MF_KIB)
#define KEY_LENGTH        16

#define WITHOUT(arch) (1u << MF_ARCH_##arch)
#define ONLY(arch)    (~WITHOUT(arch))

/* The drivers of what a machine has (spec.c), in load order as far as nothing depends on anything.
 * A module without a device would only cost time. */
static const struct {
    const char *module;
    const char *option;
    MfKernelNeeds needs; /* 0: always */
    gboolean optional;
    guint without; /* architectures whose machines lack it, by bit */
} wishes[] = {
    {"virtio_pci", "VIRTIO_PCI", 0, FALSE, WITHOUT(S390X)},
    {"virtio_console", "VIRTIO_CONSOLE", 0, FALSE},
    {"9p", "9P_FS", MF_KERNEL_NEEDS_9P, FALSE},
    {"9pnet_virtio", "NET_9P_VIRTIO", MF_KERNEL_NEEDS_9P, FALSE},
    {"virtiofs", "VIRTIO_FS", MF_KERNEL_NEEDS_VIRTIOFS, FALSE},
    {"overlay", "OVERLAY_FS", MF_KERNEL_NEEDS_OVERLAY, FALSE},
    {"virtio_blk", "VIRTIO_BLK", MF_KERNEL_NEEDS_DISKS, FALSE},
    {"virtio_net", "VIRTIO_NET", MF_KERNEL_NEEDS_NET, FALSE},
    {"tpm_crb", "TCG_CRB", MF_KERNEL_NEEDS_TPM_CRB, FALSE},
    {"tpm_tis", "TCG_TIS", MF_KERNEL_NEEDS_TPM_TIS, FALSE},
    /* QEMU's pvpanic for x86 is found through ACPI, by the driver for MMIO. */
    {"pvpanic_mmio", "PVPANIC_MMIO", 0, TRUE, ONLY(X86_64)},
    {"pvpanic_pci", "PVPANIC_PCI", 0, TRUE, WITHOUT(X86_64) | WITHOUT(S390X)},
    {"vmgenid", "VMGENID", 0, TRUE, ONLY(X86_64)},
};

static char *
file_id(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 ? mf_cache_file_id(&status) : NULL;
}

/* The guest program of an architecture, or what is beside it under that suffix. */
static GBytes *
find_guest(MfArch arch, const char *suffix, GError **error)
{
    g_autofree char *name =
        g_strconcat(MF_INITRAMFS_GUEST_RESOURCE, mf_arch_name(arch), suffix, NULL);
    GBytes *bytes = g_resources_lookup_data(name, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);

    if (!bytes)
        g_set_error(error, MF_ERROR, MF_ERROR_HOST,
                    "This mayfly was built without a guest program for %s. Build it with the cross "
                    "compiler and the libraries that tools/guest-libs.sh names, or boot with "
                    "'--no-initramfs' a kernel that has every driver built in.",
                    mf_arch_name(arch));
    return bytes;
}

GBytes *
mf_initramfs_guest(MfArch arch, GError **error)
{
    return find_guest(arch, "", error);
}

GBytes *
mf_initramfs_guest_hash(MfArch arch, GError **error)
{
    return find_guest(arch, ".sha256", error);
}

/* What decides, before any module is looked at, which initramfs is the right one. The hash stands
 * for the guest: reading the guest itself would cost more than all the rest. */
static char *
make_key(MfKernel *kernel, MfKernelNeeds needs, GError **error)
{
    g_autoptr(GBytes) guest_hash = mf_initramfs_guest_hash(mf_kernel_get_arch(kernel), error);

    if (!guest_hash)
        return NULL;

    const char *directory = mf_kernel_get_module_source(kernel);
    g_autofree char *source = directory ? mf_module_index_source(directory) : g_strdup("");
    g_autofree char *source_id = file_id(source);
    g_autofree char *needs_text = g_strdup_printf("%x", (guint)needs);
    g_autofree char *hash_text =
        g_strndup(g_bytes_get_data(guest_hash, NULL), g_bytes_get_size(guest_hash));

    return mf_cache_key(FORMAT_VERSION, needs_text, hash_text, source, source_id ? source_id : "",
                        NULL);
}

/* FALSE when a file that is in the archive is not the one of then. */
static gboolean
modules_are_unchanged(const MfJson *top)
{
    gsize length;
    MfJson modules;

    if (!mf_json_get_array(top, "modules", &modules, &length, NULL))
        return FALSE;
    for (gsize i = 0; i < length; i++) {
        MfJson module = mf_json_element(&modules, i);
        const char *path, *id;

        if (!mf_json_get_string(&module, "path", &path, NULL) ||
            !mf_json_get_string(&module, "id", &id, NULL))
            return FALSE;

        g_autofree char *current = file_id(path);
        if (g_strcmp0(current, id) != 0)
            return FALSE;
    }
    return TRUE;
}

/* The name of the archive that a manifest stands for; NULL when there is no manifest of use.
 * *ret_valid says whether that archive is still the right one. Owned by the caller. */
static char *
read_manifest(const char *path, gboolean *ret_valid)
{
    g_autoptr(GBytes) bytes = mf_file_read(path, MANIFEST_SIZE_MAX, NULL);
    g_autoptr(json_object) document = NULL;
    gint64 version;
    const char *image;

    if (!bytes || !mf_json_parse(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes),
                                 MANIFEST_SIZE_MAX, &document, NULL))
        return NULL;

    MfJson top = mf_json_top(document, "the manifest of an initramfs");
    if (!mf_json_get_int64(&top, "version", MANIFEST_VERSION, MANIFEST_VERSION, &version, NULL) ||
        !mf_json_get_string(&top, "image", &image, NULL) || strchr(image, '/'))
        return NULL;
    *ret_valid = modules_are_unchanged(&top);
    return g_strdup(image);
}

static gboolean
write_manifest(const char *path, const char *image, const GPtrArray *modules, const GPtrArray *ids,
               GError **error)
{
    g_autoptr(json_object) top = json_object_new_object();
    json_object *list = json_object_new_array();

    for (guint i = 0; i < modules->len; i++) {
        json_object *module = json_object_new_object();

        json_object_object_add(module, "path",
                               json_object_new_string(g_ptr_array_index(modules, i)));
        json_object_object_add(module, "id", json_object_new_string(g_ptr_array_index(ids, i)));
        json_object_array_add(list, module);
    }
    json_object_object_add(top, "version", json_object_new_int(MANIFEST_VERSION));
    json_object_object_add(top, "image", json_object_new_string(image));
    json_object_object_add(top, "modules", list);

    const char *text = json_object_to_json_string_ext(top, JSON_C_TO_STRING_PRETTY);
    return mf_file_replace(path, text, strlen(text), 0600, error);
}

/* Whether a module has to be asked for. Where neither a configuration nor a list of what is built
 * in tells, a module that is not there is taken for built in: the guest will say if it was not. */
static gboolean
is_wanted(MfKernel *kernel, const MfModuleIndex *index, gsize wish, MfKernelNeeds needs)
{
    if ((wishes[wish].needs & ~needs) != 0 ||
        (wishes[wish].without & 1u << mf_kernel_get_arch(kernel)) != 0 ||
        mf_kernel_get_option(kernel, wishes[wish].option) == 'y')
        return FALSE;

    g_autofree char *file = mf_module_index_find(index, wishes[wish].module);
    return file || (!wishes[wish].optional && mf_module_index_knows_builtins(index));
}

static GPtrArray *
resolve_modules(MfKernel *kernel, MfKernelNeeds needs, GError **error)
{
    const char *source = mf_kernel_get_module_source(kernel);
    const char *names[G_N_ELEMENTS(wishes) + 1] = {NULL};
    gsize n_names = 0;

    if (!source)
        return g_ptr_array_new_with_free_func(g_free);

    g_autoptr(MfModuleIndex) index = mf_module_index_load(source, error);
    if (!index)
        return NULL;
    for (gsize i = 0; i < G_N_ELEMENTS(wishes); i++) {
        if (is_wanted(kernel, index, i, needs))
            names[n_names++] = wishes[i].module;
    }
    return mf_modules_resolve(index, names, error);
}

static gboolean
write_image(const char *path, MfArch arch, const GPtrArray *modules, GError **error)
{
    g_autoptr(GBytes) guest = find_guest(arch, "", error);
    g_autofree char *temporary = NULL;
    g_autoptr(GError) cause = NULL;

    if (!guest)
        return FALSE;

    mf_autofd fd = mf_cache_begin(path, &temporary, error);
    if (fd < 0)
        return FALSE;
    if (mf_initramfs_write(fd, guest, modules, &cause))
        return mf_cache_commit(temporary, path, error);

    mf_cache_discard(temporary);
    if (!g_error_matches(cause, MF_ERROR, MF_ERROR_HOST)) {
        g_propagate_error(error, g_steal_pointer(&cause));
        return FALSE;
    }
    g_autofree char *directory = g_path_get_dirname(path);
    mf_error_take_foreign(
        error, MF_ERROR_HOST, g_steal_pointer(&cause),
        "The initramfs cannot be written into the cache directory '%s' (make room "
        "there, or name another directory with MAYFLY_CACHE_DIR)",
        directory);
    return FALSE;
}

/* The archive's name has the identity of all that is in it, so that archives of builders at the
 * same time either are the same or do not meet. */
static char *
name_image(MfKernel *kernel, const char *key, const GPtrArray *modules, GPtrArray *ids)
{
    g_autoptr(GString) content = g_string_new(key);

    for (guint i = 0; i < modules->len; i++) {
        char *id = file_id(g_ptr_array_index(modules, i));

        g_ptr_array_add(ids, id ? id : g_strdup("gone"));
        g_string_append_printf(content, "\n%s %s", (const char *)g_ptr_array_index(modules, i),
                               (const char *)g_ptr_array_index(ids, i));
    }

    g_autofree char *hash = mf_cache_key(content->str, NULL);
    return g_strdup_printf("%s-%.*s.cpio", mf_kernel_get_store_id(kernel), KEY_LENGTH, hash);
}

static char *
build(MfKernel *kernel, MfKernelNeeds needs, const char *key, const char *manifest,
      const char *stale, GError **error)
{
    g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);

    if (!mf_kernel_check(kernel, needs, error))
        return NULL;

    g_autoptr(GPtrArray) modules = resolve_modules(kernel, needs, error);
    if (!modules)
        return NULL;

    g_autofree char *name = name_image(kernel, key, modules, ids);
    g_autofree char *directory = g_path_get_dirname(manifest);
    g_autofree char *path = g_build_filename(directory, name, NULL);
    if (!write_image(path, mf_kernel_get_arch(kernel), modules, error) ||
        !write_manifest(manifest, name, modules, ids, error))
        return NULL;
    if (stale && !g_str_equal(stale, name)) {
        g_autofree char *stale_path = g_build_filename(directory, stale, NULL);

        unlink(stale_path);
    }
    return g_steal_pointer(&path);
}

char *
mf_initramfs_prepare(MfKernel *kernel, MfKernelNeeds needs, GError **error)
{
    g_autofree char *key = make_key(kernel, needs, error);
    gboolean valid = FALSE;

    if (!key)
        return NULL;

    g_autofree char *suffix = g_strdup_printf("-%.*s.json", KEY_LENGTH, key);
    g_autofree char *manifest = mf_kernel_store_path(MF_KERNEL_STORE_INITRAMFS,
                                                     mf_kernel_get_store_id(kernel), suffix, error);
    if (!manifest)
        return NULL;

    g_autofree char *image = read_manifest(manifest, &valid);
    if (image && valid) {
        g_autofree char *directory = g_path_get_dirname(manifest);
        g_autofree char *path = g_build_filename(directory, image, NULL);

        if (access(path, R_OK) == 0)
            return g_steal_pointer(&path);
    }
    return build(kernel, needs, key, manifest, image, error);
}
