/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/kernel-layout.h"

typedef struct {
    const char *name, *place;
} Case;

static void
check(char *(*place_of)(const char *name), const Case *cases)
{
    for (; cases->name; cases++) {
        g_autofree char *place = place_of(cases->name);

        if (g_strcmp0(place, cases->place) != 0)
            g_error("'%s' goes to '%s', not to '%s'", cases->name, place, cases->place);
    }
}

static void
test_of_a_package_only_a_kernel_s_files_are_taken(void)
{
    const Case cases[] = {
        {"boot/vmlinuz-6.1", "boot/vmlinuz-6.1"},
        {"boot/vmlinux-6.1", "boot/vmlinux-6.1"},
        {"boot/config-6.1", "boot/config-6.1"},
        {"lib/modules/6.1/kernel/fs/9p.ko", "lib/modules/6.1/kernel/fs/9p.ko"},
        {"usr/lib/modules/6.1/vmlinuz", "lib/modules/6.1/vmlinuz"},
        {"lib/modules/6.1/System.map", NULL},
        {"boot/vmlinuz-6.1/file", NULL},
        {"boot/vmlinuz", NULL},
        {"boot/System.map-6.1", NULL},
        {"vmlinuz-6.1", NULL},
        {"usr/boot/vmlinuz-6.1", NULL},
        {"usr/share/lib/modules/6.1/x", NULL},
        {"lib/modules", NULL},
        {"etc/passwd", NULL},
        {NULL},
    };

    check(mf_kernel_layout_of_package, cases);
}

static void
test_an_image_has_the_files_of_a_package_and_others(void)
{
    const Case cases[] = {
        {"boot/vmlinuz-6.1", "boot/vmlinuz-6.1"},
        {"usr/lib/modules/6.1/modules.dep", "lib/modules/6.1/modules.dep"},
        {"boot/vmlinuz", "boot/vmlinuz"},
        {"boot/vmlinux", "boot/vmlinux"},
        {"boot/config", "boot/config"},
        {"boot/bzImage", "boot/vmlinuz"},
        {"boot/kernel", "boot/vmlinuz"},
        {"vmlinuz", "boot/vmlinuz"},
        {"vmlinux-6.1", "boot/vmlinux-6.1"},
        {"bzImage", "boot/vmlinuz"},
        {"kernel", "boot/vmlinuz"},
        {"data/kernels/6.6/boot/vmlinuz-6.6.1", "boot/vmlinuz-6.6.1"},
        {"data/kernels/6.6/lib/modules/6.6.1/a.ko", "lib/modules/6.6.1/a.ko"},
        {"data/kernels/vmlinuz", NULL},
        {"data/vmlinuz", NULL},
        {"boot/vmlinuz.old", NULL},
        {"kernel/vmlinuz", NULL},
        {"kernel.tar", NULL},
        {"boot", NULL},
        {"", NULL},
        {NULL},
    };

    check(mf_kernel_layout_of_image, cases);
}

static void
test_what_is_removed_can_be_a_directory(void)
{
    const Case cases[] = {
        {"boot", "boot"},
        {"lib", "lib"},
        {"usr/lib/modules", "lib/modules"},
        {"lib/modules/6.1", "lib/modules/6.1"},
        {"boot/vmlinuz", "boot/vmlinuz"},
        {"data/kernels/6.6/boot", "boot"},
        {"etc", NULL},
        {"", NULL},
        {NULL},
    };

    check(mf_kernel_layout_of_removed, cases);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/kernel-layout/of-a-package-only-a-kernels-files-are-taken",
                    test_of_a_package_only_a_kernel_s_files_are_taken);
    g_test_add_func("/kernel-layout/an-image-has-the-files-of-a-package-and-others",
                    test_an_image_has_the_files_of_a_package_and_others);
    g_test_add_func("/kernel-layout/what-is-removed-can-be-a-directory",
                    test_what_is_removed_can_be_a_directory);
    return g_test_run();
}
