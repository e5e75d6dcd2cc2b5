/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/kernel-source.h"

#include <string.h>

#include "base/error.h"
#include "machine/catalog-entry.h"
#include "machine/kernel-place.h"
#include "machine/kernel.h"

void
mf_kernel_source_free(MfKernelSource *self)
{
    if (!self)
        return;
    g_free(self->image);
    g_free(self->release);
    g_free(self->config);
    g_free(self->modules);
    g_free(self->tree);
    g_free(self);
}

/* 'directory'/'name' if that is there; NULL if not. Owned by the caller. */
static char *
existing(const char *directory, const char *name)
{
    g_autofree char *path = g_build_filename(directory, name, NULL);

    return g_file_test(path, G_FILE_TEST_EXISTS) ? g_steal_pointer(&path) : NULL;
}

static gboolean
is_build_tree(const char *directory)
{
    g_autofree char *mark = existing(directory, "include/config/kernel.release");

    return mark != NULL;
}

/* The build tree that 'image' was built in (TREE/vmlinux, TREE/arch/x86/boot/bzImage); NULL when
 * there is none. Owned by the caller. */
static char *
enclosing_tree(const char *image)
{
    g_autofree char *directory = g_path_get_dirname(image);

    for (int level = 0; level < 4; level++) {
        if (is_build_tree(directory))
            return g_steal_pointer(&directory);

        char *parent = g_path_get_dirname(directory);
        g_free(directory);
        directory = parent;
    }
    return NULL;
}

/* The image below 'directory'/boot when it has exactly one; *ret_count is how many there are. */
static char *
image_in_boot(const char *directory, guint *ret_count)
{
    g_autofree char *boot = g_build_filename(directory, "boot", NULL);
    g_autoptr(GDir) names = g_dir_open(boot, 0, NULL);
    g_autofree char *image = NULL;
    const char *name;

    *ret_count = 0;
    while (names && (name = g_dir_read_name(names))) {
        if (!g_str_has_prefix(name, "vmlinu"))
            continue;
        g_free(image);
        image = g_build_filename(boot, name, NULL);
        ++*ret_count;
    }
    return *ret_count == 1 ? g_steal_pointer(&image) : NULL;
}

static char *
image_of_directory(const char *path, GError **error)
{
    guint in_boot;
    char *image = is_build_tree(path) ? mf_kernel_place_image_of_tree(path) : NULL;

    if (!image)
        image = image_in_boot(path, &in_boot);
    if (!image)
        image = existing(path, "vmlinuz");
    if (!image)
        image = existing(path, "vmlinux");
    if (image)
        return image;
    if (in_boot > 1)
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "The directory '%s' holds %u kernel images in boot: name one of them.", path,
                    in_boot);
    else
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "The directory '%s' holds no kernel: expected boot/vmlinuz-RELEASE, vmlinuz, "
                    "vmlinux, or a kernel tree that was built.",
                    path);
    return NULL;
}

static gboolean
is_module_directory(const char *directory)
{
    g_autofree char *index = existing(directory, "modules.dep");
    g_autofree char *order = existing(directory, "modules.order");

    return index || order;
}

/* The modules that lie with the image, else those that the kernel finds for itself. */
static char *
find_modules(const MfKernelSource *self, MfKernel *kernel)
{
    g_autofree char *directory = g_path_get_dirname(self->image);
    g_autofree char *base = g_path_get_basename(directory);
    g_autofree char *beside = g_build_filename("../lib/modules", self->release, NULL);
    g_autofree char *merged = g_build_filename("../usr/lib/modules", self->release, NULL);
    char *modules = NULL;

    if (g_str_equal(base, self->release) && is_module_directory(directory))
        return g_steal_pointer(&directory);
    modules = existing(directory, beside);
    if (!modules)
        modules = existing(directory, merged);
    return modules ? modules : g_strdup(mf_kernel_get_modules_dir(kernel));
}

static char *
find_config(const MfKernelSource *self)
{
    g_autofree char *directory = g_path_get_dirname(self->image);
    g_autofree char *named = g_strdup_printf("config-%s", self->release);
    char *config = existing(directory, named);

    if (!config && self->modules)
        config = existing(self->modules, "config");
    return config;
}

MfKernelSource *
mf_kernel_source_find(const char *path, GError **error)
{
    g_autoptr(MfKernelSource) self = g_new0(MfKernelSource, 1);
    g_autoptr(MfKernel) kernel = NULL;

    self->image = g_file_test(path, G_FILE_TEST_IS_DIR) ? image_of_directory(path, error)
                                                        : g_canonicalize_filename(path, NULL);
    kernel = self->image ? mf_kernel_open(self->image, error) : NULL;
    if (!kernel)
        return NULL;
    self->is_elf = mf_kernel_get_format(kernel) == MF_KERNEL_ELF;
    self->release = g_strdup(mf_kernel_get_release(kernel));
    self->tree = enclosing_tree(self->image);
    if (self->tree) {
        self->config = existing(self->tree, ".config");
    } else if (self->release) {
        self->modules = find_modules(self, kernel);
        self->config = find_config(self);
    }
    /* It becomes part of paths, and comes from the image. */
    if (self->release && !mf_catalog_entry_check_name(self->release, NULL)) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "The kernel '%s' says it is release '%s', which cannot be a release.",
                    self->image, self->release);
        return NULL;
    }
    return g_steal_pointer(&self);
}

/* "drivers/net/dummy.ko" of a line of modules.order, which older kernels write as
 * "kernel/drivers/net/dummy.ko" and newer ones as "drivers/net/dummy.o". NULL for a line that is no
 * path below the tree. Owned by the caller. */
static char *
module_of_line(const char *line)
{
    const char *end = strrchr(line, '.');

    if (g_str_has_prefix(line, "kernel/") && g_str_has_suffix(line, ".ko"))
        line += strlen("kernel/");
    if (!end || *line == '/' || strstr(line, ".."))
        return NULL;
    return g_strdup_printf("%.*s.ko", (int)(end - line), line);
}

/* What 'make modules_install' would install. A tree without modules has no modules.order. */
static gboolean
plan_tree_modules(const MfKernelSource *self, const char *modules, MfTreeCopy *copy, GError **error)
{
    static const char *const lists[] = {"modules.order", "modules.builtin",
                                        "modules.builtin.modinfo"};
    g_autofree char *order = g_build_filename(self->tree, lists[0], NULL);
    g_autofree char *text = NULL;

    if (!g_file_get_contents(order, &text, NULL, NULL) || !*text)
        return TRUE;

    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        g_autofree char *module = module_of_line(*line);
        g_autofree char *from = module ? g_build_filename(self->tree, module, NULL) : NULL;
        g_autofree char *to = module ? g_build_filename(modules, "kernel", module, NULL) : NULL;

        if (module && !mf_tree_copy_add_file(copy, from, to, error))
            return FALSE;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(lists); i++) {
        g_autofree char *from = existing(self->tree, lists[i]);
        g_autofree char *to = g_build_filename(modules, lists[i], NULL);

        if (from && !mf_tree_copy_add_file(copy, from, to, error))
            return FALSE;
    }
    return TRUE;
}

gboolean
mf_kernel_source_plan(const MfKernelSource *self, MfTreeCopy *copy, GError **error)
{
    g_autofree char *modules = NULL;
    g_autofree char *config = NULL;

    if (!mf_tree_copy_add_file(copy, self->image, self->is_elf ? "boot/vmlinux" : "boot/vmlinuz",
                               error))
        return FALSE;
    if (!self->release)
        return TRUE;
    modules = g_build_filename("lib/modules", self->release, NULL);
    config = g_strdup_printf("boot/config-%s", self->release);
    if (self->config && !mf_tree_copy_add_file(copy, self->config, config, error))
        return FALSE;
    if (self->tree)
        return plan_tree_modules(self, modules, copy, error);
    return !self->modules || mf_tree_copy_add_tree(copy, self->modules, modules, error);
}
