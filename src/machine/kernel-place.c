/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/kernel-place.h"

#include <string.h>
#include <unistd.h>

#include "machine/module-index.h"

/* arch/ARCH/boot/compressed/vmlinux is as deep as images lie in a build tree. */
#define BUILD_TREE_DEPTH 4

/* TOP/DIRECTORY/NAME, where NULL parts are left out and ".." is resolved. */
static char *
join(const char *top, const char *directory, const char *name)
{
    g_autofree char *path = g_build_filename(top, directory, name, NULL);

    return g_canonicalize_filename(path, NULL);
}

char *
mf_kernel_place_modules_dir(const char *image, const char *release)
{
    static const char *const relatives[] = {"../lib/modules", "../usr/lib/modules", "lib/modules",
                                            "/lib/modules"};
    g_autofree char *directory = g_path_get_dirname(image);

    if (mf_module_index_exists(directory) && strstr(directory, "/lib/modules/"))
        return g_steal_pointer(&directory);
    for (gsize i = 0; release && i < G_N_ELEMENTS(relatives); i++) {
        const char *top = *relatives[i] == '/' ? "/" : directory;
        g_autofree char *path = join(top, relatives[i], release);

        if (mf_module_index_exists(path))
            return g_steal_pointer(&path);
    }
    return NULL;
}

static gboolean
has_file(const char *directory, const char *name)
{
    g_autofree char *path = g_build_filename(directory, name, NULL);

    return access(path, F_OK) == 0;
}

/* A copy of another kernel may lie in a build tree: the tree's own record decides. */
static gboolean
is_tree_of(const char *top, const char *release)
{
    g_autofree char *path = g_build_filename(top, "include/config/kernel.release", NULL);
    g_autofree char *text = NULL;

    if (!release || !g_file_get_contents(path, &text, NULL, NULL))
        return TRUE;
    return g_str_equal(g_strstrip(text), release);
}

char *
mf_kernel_place_build_tree(const char *image, const char *release)
{
    g_autofree char *directory = g_path_get_dirname(image);

    for (guint i = 0; i <= BUILD_TREE_DEPTH && !g_str_equal(directory, "/"); i++) {
        if (has_file(directory, ".config") && has_file(directory, "include/config"))
            return is_tree_of(directory, release) ? g_steal_pointer(&directory) : NULL;

        char *parent = g_path_get_dirname(directory);
        g_free(directory);
        directory = parent;
    }
    return NULL;
}

char *
mf_kernel_place_image_of_tree(const char *tree)
{
    static const char *const images[] = {"arch/x86/boot/bzImage", "arch/arm64/boot/Image",
                                         "arch/riscv/boot/Image", "arch/s390/boot/bzImage",
                                         "vmlinux"};

    for (gsize i = 0; i < G_N_ELEMENTS(images); i++) {
        g_autofree char *image = g_build_filename(tree, images[i], NULL);

        if (access(image, F_OK) == 0)
            return g_steal_pointer(&image);
    }
    return NULL;
}

char *
mf_kernel_place_config(const char *image, const char *release, const char *modules_dir)
{
    g_autofree char *directory = g_path_get_dirname(image);
    g_autofree char *name = release ? g_strconcat("config-", release, NULL) : NULL;
    char *candidates[] = {
        name ? join(directory, name, NULL) : NULL,
        name ? join(directory, "../boot", name) : NULL,
        modules_dir ? join(modules_dir, "config", NULL) : NULL,
        name ? join("/boot", name, NULL) : NULL,
    };
    char *found = NULL;

    for (gsize i = 0; i < G_N_ELEMENTS(candidates); i++) {
        if (!found && candidates[i] && access(candidates[i], R_OK) == 0)
            found = g_steal_pointer(&candidates[i]);
        g_free(candidates[i]);
    }
    return found;
}
