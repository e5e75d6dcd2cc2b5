/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/kernel-layout.h"

#include <string.h>

/* Images that hold several kernels have each in a directory of its own here. */
#define IMAGE_STORE "data/kernels/"

/* Below usr/ is what is below / where the two are merged. */
static const char *
skip_usr(const char *name)
{
    return g_str_has_prefix(name, "usr/lib/") ? name + strlen("usr/") : name;
}

static gboolean
is_module_file(const char *name)
{
    return g_str_has_prefix(name, "lib/modules/") && !g_str_has_suffix(name, "/System.map");
}

char *
mf_kernel_layout_of_package(const char *name)
{
    static const char *const boot_files[] = {"boot/vmlinuz-", "boot/vmlinux-", "boot/config-"};

    name = skip_usr(name);
    if (is_module_file(name))
        return g_strdup(name);
    for (gsize i = 0; i < G_N_ELEMENTS(boot_files); i++)
        if (g_str_has_prefix(name, boot_files[i]) && !strchr(name + strlen("boot/"), '/'))
            return g_strdup(name);
    return NULL;
}

static const char *
skip_store(const char *name)
{
    const char *slash = g_str_has_prefix(name, IMAGE_STORE) //
                            ? strchr(name + strlen(IMAGE_STORE), '/')
                            : NULL;

    return slash ? slash + 1 : name;
}

/* The place of a file in boot/ or at the top: what it is called is all that tells what it is. */
static char *
place_in_boot(const char *base)
{
    static const char *const as_they_are[] = {"vmlinuz", "vmlinux", "config"};
    static const char *const other_names[] = {"bzImage", "kernel"};

    for (gsize i = 0; i < G_N_ELEMENTS(as_they_are); i++) {
        gsize length = strlen(as_they_are[i]);

        if (strncmp(base, as_they_are[i], length) == 0 && (!base[length] || base[length] == '-'))
            return g_strconcat("boot/", base, NULL);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(other_names); i++)
        if (g_str_equal(base, other_names[i]))
            return g_strdup("boot/vmlinuz");
    return NULL;
}

char *
mf_kernel_layout_of_image(const char *name)
{
    const char *rest = skip_usr(skip_store(name));

    if (is_module_file(rest))
        return g_strdup(rest);
    if (g_str_has_prefix(rest, "boot/"))
        rest += strlen("boot/");
    return strchr(rest, '/') ? NULL : place_in_boot(rest);
}

char *
mf_kernel_layout_of_removed(const char *name)
{
    static const char *const directories[] = {"boot", "lib", "lib/modules"};
    const char *rest = skip_usr(skip_store(name));

    for (gsize i = 0; i < G_N_ELEMENTS(directories); i++)
        if (g_str_equal(rest, directories[i]))
            return g_strdup(rest);
    return mf_kernel_layout_of_image(name);
}
