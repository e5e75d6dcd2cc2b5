/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/kernel-config.h"

#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "image-fixture.h"
#include "machine/kernel-place.h"
#include "machine/kernel.h"

#define RELEASE_DIR "lib/modules/" FIXTURE_RELEASE

/* A configuration that lacks nothing; the tests take away from it. */
#define COMPLETE_CONFIG                                                                            \
    "CONFIG_DEVTMPFS=y\nCONFIG_BLK_DEV_INITRD=y\nCONFIG_VIRTIO_PCI=y\nCONFIG_VIRTIO_CONSOLE=y\n"   \
    "CONFIG_NET_9P=y\nCONFIG_NET_9P_VIRTIO=y\nCONFIG_9P_FS=y\nCONFIG_FUSE_FS=y\n"                  \
    "CONFIG_VIRTIO_FS=y\nCONFIG_OVERLAY_FS=y\n"

static void
write_text(const char *directory, const char *name, const char *text)
{
    g_autofree char *path = fixture_write_text(directory, name, text);
}

static MfKernelConfig *
config_of(const char *directory, const char *text)
{
    g_autofree char *path = fixture_write_text(directory, "config", text);

    return mf_kernel_config_load(path);
}

/* Opens a bzImage at DIRECTORY/NAME, with 'ikconfig' in it unless that is NULL. */
static MfKernel *
kernel_at(const char *directory, const char *name, const char *ikconfig)
{
    const FixtureKernel spec = {.pvh = TRUE, .config = ikconfig};
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) vmlinux = fixture_vmlinux(&spec);
    g_autoptr(GBytes) image = fixture_bzimage(vmlinux, "zstd");
    g_autofree char *path = fixture_write(directory, name, image);
    MfKernel *kernel = mf_kernel_open(path, &error);

    g_assert_no_error(error);
    return kernel;
}

/* COMPLETE_CONFIG with the first 'from' replaced by 'to', beside the image. */
static void
write_config(const char *directory, const char *from, const char *to)
{
    g_autoptr(GString) text = g_string_new(COMPLETE_CONFIG);

    if (from)
        g_assert_cmpuint(g_string_replace(text, from, to, 1), ==, 1);
    write_text(directory, "boot/config-" FIXTURE_RELEASE, text->str);
}

static void
test_values_are_read_as_kconfig_writes_them(void)
{
    static const struct {
        const char *option;
        char expected;
    } cases[] = {{"FIRST", 'y'},  {"9P_FS", 'm'}, {"9P_FSCACHE", 'y'}, {"9P", 'n'},
                 {"UNSET", 'n'},  {"OFF", 'n'},   {"LOG_BUF", 'y'},    {"CMDLINE", 'y'},
                 {"ABSENT", 'n'}, {"FS", 'n'},    {"LAST", 'm'},       {"EMPTY", 'y'}};
    char *directory = fixture_begin();
    g_autoptr(MfKernelConfig) config =
        config_of(directory, "CONFIG_FIRST=y\n# CONFIG_UNSET is not set\nCONFIG_9P_FSCACHE=y\n"
                             "CONFIG_9P_FS=m\nCONFIG_OFF=n\nCONFIG_LOG_BUF=17\n"
                             "CONFIG_CMDLINE=\"CONFIG_ABSENT=y\"\nCONFIG_EMPTY=\"\"\n"
                             "CONFIG_LAST=m");

    g_assert_nonnull(config);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_test_message("%s", cases[i].option);
        g_assert_cmpint(mf_kernel_config_get(config, cases[i].option), ==, cases[i].expected);
    }
    fixture_end(directory);
}

static void
test_what_is_no_configuration_is_left_aside(void)
{
    char *directory = fixture_begin();
    g_autofree char *missing = g_build_filename(directory, "missing", NULL);

    g_assert_null(mf_kernel_config_load(missing));
    g_assert_null(mf_kernel_config_load(directory));
    g_assert_null(config_of(directory, ""));
    g_assert_null(config_of(directory, "text of some other kind\n"));

    g_autofree char *longest = g_strnfill(MF_KERNEL_CONFIG_MAX + 1, '#');
    memcpy(longest, "CONFIG_A=y\n", 11);
    g_assert_null(config_of(directory, longest));
    longest[MF_KERNEL_CONFIG_MAX] = '\0';
    g_autoptr(MfKernelConfig) config = config_of(directory, longest);
    g_assert_cmpint(mf_kernel_config_get(config, "A"), ==, 'y');
    fixture_end(directory);
}

static void
test_lists_of_modules_stand_in_for_a_configuration(void)
{
    char *directory = fixture_begin();
    g_autoptr(MfKernel) kernel = kernel_at(directory, "boot/vmlinuz", NULL);

    write_text(directory, RELEASE_DIR "/modules.order", "kernel/fs/9p/9p.ko\n");
    write_text(directory, RELEASE_DIR "/modules.builtin", "kernel/drivers/virtio/virtio_pci.ko\n");
    write_text(directory, RELEASE_DIR "/kernel/fs/9p/9p.ko", "");
    g_assert_cmpint(mf_kernel_get_option(kernel, "VIRTIO_PCI"), ==, 'y');
    g_assert_cmpint(mf_kernel_get_option(kernel, "9P_FS"), ==, 'm');
    g_assert_cmpint(mf_kernel_get_option(kernel, "OVERLAY_FS"), ==, 'n');
    g_assert_cmpint(mf_kernel_get_option(kernel, "DEVTMPFS"), ==, '?');
    fixture_end(directory);
}

static void
test_without_any_source_nothing_is_known_and_nothing_refused(void)
{
    g_autoptr(GError) error = NULL;
    char *directory = fixture_begin();
    g_autoptr(MfKernel) kernel = kernel_at(directory, "boot/vmlinuz", NULL);

    g_assert_cmpint(mf_kernel_get_option(kernel, "9P_FS"), ==, '?');
    g_assert_null(mf_kernel_get_modules_dir(kernel));
    g_assert_true(mf_kernel_check(kernel, MF_KERNEL_NEEDS_9P | MF_KERNEL_NEEDS_OVERLAY, &error));
    g_assert_no_error(error);
    fixture_end(directory);
}

static void
test_the_configuration_is_found_wherever_it_is_kept(void)
{
    static const char *const places[] = {"boot/config-" FIXTURE_RELEASE, RELEASE_DIR "/config",
                                         "usr/lib/modules/" FIXTURE_RELEASE "/config",
                                         "boot/" RELEASE_DIR "/config"};

    for (gsize i = 0; i < G_N_ELEMENTS(places); i++) {
        char *directory = fixture_begin();
        g_autoptr(MfKernel) kernel = kernel_at(directory, "boot/vmlinuz", NULL);

        write_text(directory, places[i], "CONFIG_SOME=m\n");
        if (strstr(places[i], "modules")) {
            g_autofree char *modules_dir = g_path_get_dirname(places[i]);
            g_autofree char *list = g_build_filename(modules_dir, "modules.order", NULL);
            write_text(directory, list, "");
        }
        g_assert_cmpint(mf_kernel_get_option(kernel, "SOME"), ==, 'm');
        fixture_end(directory);
    }
}

static void
test_the_configuration_in_the_image_is_read_and_remembered(void)
{
    char *directory = fixture_begin();
    g_autoptr(MfKernel) kernel = kernel_at(directory, "boot/vmlinuz", "CONFIG_IK=m\n");

    g_assert_cmpint(mf_kernel_get_option(kernel, "IK"), ==, 'm');
    g_autoptr(MfKernel) again = mf_kernel_open(mf_kernel_get_path(kernel), NULL);
    g_assert_cmpint(mf_kernel_get_option(again, "IK"), ==, 'm');
    g_assert_cmpint(mf_kernel_get_option(again, "OTHER"), ==, 'n');
    fixture_end(directory);
}

static void
test_a_vmlinux_may_have_its_configuration_in_it(void)
{
    const FixtureKernel spec = {.pvh = TRUE, .config = "CONFIG_IK=y\n", .padding = 1024 * 1024};
    char *directory = fixture_begin();
    g_autoptr(GBytes) vmlinux = fixture_vmlinux(&spec);
    g_autofree char *path = fixture_write(directory, "vmlinux", vmlinux);
    g_autoptr(MfKernel) kernel = mf_kernel_open(path, NULL);

    g_assert_cmpint(mf_kernel_get_option(kernel, "IK"), ==, 'y');
    fixture_end(directory);
}

static void
write_build_tree(const char *directory, const char *release)
{
    write_text(directory, ".config", "CONFIG_TREE=m\n" COMPLETE_CONFIG);
    write_text(directory, "include/config/kernel.release", release);
}

static void
test_a_build_tree_is_recognised_around_its_images(void)
{
    static const char *const images[] = {"arch/x86/boot/bzImage", "bzImage",
                                         "arch/x86/boot/compressed/image"};

    for (gsize i = 0; i < G_N_ELEMENTS(images); i++) {
        char *directory = fixture_begin();

        write_build_tree(directory, FIXTURE_RELEASE "\n");
        g_autoptr(MfKernel) kernel = kernel_at(directory, images[i], NULL);
        g_assert_cmpstr(mf_kernel_get_build_tree(kernel), ==, directory);
        g_assert_cmpint(mf_kernel_get_option(kernel, "TREE"), ==, 'm');
        g_assert_null(mf_kernel_get_module_source(kernel));
        write_text(directory, "modules.order", "fs/9p/9p.o\n");
        g_assert_cmpstr(mf_kernel_get_module_source(kernel), ==, directory);
        g_assert_null(mf_kernel_get_modules_dir(kernel));
        fixture_end(directory);
    }
}

static void
test_a_kernel_of_another_release_is_not_of_the_build_tree(void)
{
    char *directory = fixture_begin();

    write_build_tree(directory, "6.6.6-other\n");
    g_autoptr(MfKernel) kernel = kernel_at(directory, "bzImage", NULL);
    g_assert_null(mf_kernel_get_build_tree(kernel));
    g_assert_cmpint(mf_kernel_get_option(kernel, "TREE"), ==, '?');
    fixture_end(directory);
}

static void
test_the_modules_directory_is_found_around_the_image(void)
{
    static const struct {
        const char *image;
        const char *modules;
    } cases[] = {{"boot/vmlinuz", RELEASE_DIR},
                 {"boot/vmlinuz", "usr/" RELEASE_DIR},
                 {"vmlinuz", RELEASE_DIR},
                 {RELEASE_DIR "/vmlinuz", RELEASE_DIR},
                 {"usr/" RELEASE_DIR "/vmlinuz", "usr/" RELEASE_DIR}};

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        char *directory = fixture_begin();
        g_autofree char *list = g_build_filename(cases[i].modules, "modules.dep", NULL);
        g_autofree char *expected = g_build_filename(directory, cases[i].modules, NULL);

        write_text(directory, "lib/modules/6.6.6-other/modules.dep", "");
        write_text(directory, list, "");
        g_autoptr(MfKernel) kernel = kernel_at(directory, cases[i].image, NULL);
        g_assert_cmpstr(mf_kernel_get_modules_dir(kernel), ==, expected);
        g_assert_cmpstr(mf_kernel_get_module_source(kernel), ==, expected);
        fixture_end(directory);
    }
}

static void
test_a_link_to_the_image_leads_to_what_lies_around_it(void)
{
    char *directory = fixture_begin();
    g_autofree char *expected = g_build_filename(directory, RELEASE_DIR, NULL);
    g_autofree char *link_path = g_build_filename(directory, "current", NULL);

    write_text(directory, RELEASE_DIR "/modules.dep", "");
    g_autoptr(MfKernel) kernel = kernel_at(directory, "boot/vmlinuz", NULL);
    g_assert_cmpint(symlink("boot/vmlinuz", link_path), ==, 0);
    g_autoptr(MfKernel) linked = mf_kernel_open(link_path, NULL);
    g_assert_cmpstr(mf_kernel_get_path(linked), ==, link_path);
    g_assert_cmpstr(mf_kernel_get_modules_dir(linked), ==, expected);
    fixture_end(directory);
}

/* Checks a kernel in DIRECTORY/boot and returns the sentence, with the directory cut out of it. */
static char *
refusal(const char *directory, MfKernelNeeds needs)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MfKernel) kernel = kernel_at(directory, "boot/vmlinuz", NULL);

    g_assert_false(mf_kernel_check(kernel, needs, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    g_autoptr(GString) text = g_string_new(error->message);
    g_string_replace(text, directory, "", 0);
    return g_strdup(text->str);
}

static void
test_a_complete_kernel_passes_with_and_without_an_initramfs(void)
{
    const MfKernelNeeds all =
        MF_KERNEL_NEEDS_9P | MF_KERNEL_NEEDS_VIRTIOFS | MF_KERNEL_NEEDS_OVERLAY;
    g_autoptr(GError) error = NULL;
    char *directory = fixture_begin();

    write_config(directory, NULL, NULL);
    g_autoptr(MfKernel) kernel = kernel_at(directory, "boot/vmlinuz", NULL);
    g_assert_true(mf_kernel_check(kernel, all, &error));
    g_assert_no_error(error);
    g_assert_true(mf_kernel_check(kernel, all | MF_KERNEL_NEEDS_BUILTIN, &error));
    g_assert_no_error(error);
    fixture_end(directory);
}

static void
test_a_kernel_without_9p_names_every_missing_option_and_virtiofs(void)
{
    char *directory = fixture_begin();

    write_text(directory, "boot/config-" FIXTURE_RELEASE,
               "CONFIG_DEVTMPFS=y\nCONFIG_BLK_DEV_INITRD=y\nCONFIG_VIRTIO_PCI=y\n"
               "CONFIG_VIRTIO_CONSOLE=y\nCONFIG_OVERLAY_FS=y\n# CONFIG_NET_9P is not set\n"
               "CONFIG_VIRTIO_FS=y\n");
    write_text(directory, RELEASE_DIR "/modules.order", "");
    g_autofree char *text = refusal(directory, MF_KERNEL_NEEDS_9P | MF_KERNEL_NEEDS_OVERLAY);

    g_assert_cmpstr(
        text, ==,
        "Kernel '/boot/vmlinuz' cannot mount a 9p root: CONFIG_NET_9P, CONFIG_NET_9P_VIRTIO and "
        "CONFIG_9P_FS are not set and no module '9pnet', '9pnet_virtio' or '9p' is in "
        "'/lib/modules/6.6.6-fixture'. Use virtiofs ('--share-type virtiofs', needs virtiofsd), or "
        "a kernel with CONFIG_NET_9P, CONFIG_NET_9P_VIRTIO and CONFIG_9P_FS, built in or as "
        "modules.");
    fixture_end(directory);
}

static void
test_virtiofs_is_not_advised_to_a_kernel_without_it(void)
{
    char *directory = fixture_begin();

    write_text(directory, "boot/config-" FIXTURE_RELEASE,
               "CONFIG_DEVTMPFS=y\nCONFIG_BLK_DEV_INITRD=y\nCONFIG_VIRTIO_PCI=y\n"
               "CONFIG_VIRTIO_CONSOLE=y\nCONFIG_OVERLAY_FS=y\n");
    g_autofree char *text = refusal(directory, MF_KERNEL_NEEDS_9P);

    g_assert_nonnull(strstr(text, "CONFIG_9P_FS are not set"));
    g_assert_null(strstr(text, "virtiofs"));
    g_assert_nonnull(strstr(text, ". Use a kernel with CONFIG_NET_9P"));
    fixture_end(directory);
}

static void
test_one_missing_option_reads_as_one(void)
{
    char *directory = fixture_begin();

    write_config(directory, "CONFIG_OVERLAY_FS=y", "# CONFIG_OVERLAY_FS is not set");
    g_autofree char *text = refusal(directory, MF_KERNEL_NEEDS_OVERLAY);

    g_assert_cmpstr(
        text, ==,
        "Kernel '/boot/vmlinuz' cannot keep the guest's writes in an overlay: CONFIG_OVERLAY_FS "
        "is not set and no module 'overlay' is to be found (no lib/modules/6.6.6-fixture is beside "
        "the image or on this host). Use a root that is read-only ('--root-mode ro'), or a kernel "
        "with CONFIG_OVERLAY_FS, built in or as modules.");
    fixture_end(directory);
}

static void
test_a_module_will_not_do_without_an_initramfs(void)
{
    char *directory = fixture_begin();

    write_config(directory, "CONFIG_9P_FS=y", "CONFIG_9P_FS=m");
    write_text(directory, RELEASE_DIR "/modules.order", "kernel/9p.ko\n");
    write_text(directory, RELEASE_DIR "/kernel/9p.ko", "");
    g_autofree char *text = refusal(directory, MF_KERNEL_NEEDS_9P | MF_KERNEL_NEEDS_BUILTIN);

    g_assert_cmpstr(
        text, ==,
        "Kernel '/boot/vmlinuz' cannot mount a 9p root: CONFIG_9P_FS is a module, which "
        "cannot be loaded without an initramfs. Run it with an initramfs (without "
        "'--no-initramfs'), or build them in.");

    g_autoptr(GError) error = NULL;
    g_autoptr(MfKernel) kernel = kernel_at(directory, "boot/vmlinuz", NULL);
    g_assert_true(mf_kernel_check(kernel, MF_KERNEL_NEEDS_9P, &error));
    g_assert_no_error(error);
    fixture_end(directory);
}

static void
test_modules_that_are_not_installed_are_missed(void)
{
    char *directory = fixture_begin();

    write_config(directory, "CONFIG_9P_FS=y", "CONFIG_9P_FS=m");
    g_autofree char *text = refusal(directory, MF_KERNEL_NEEDS_9P);

    g_assert_nonnull(
        strstr(text, "no module '9p' is to be found (no lib/modules/" FIXTURE_RELEASE));
    g_assert_nonnull(strstr(text, "Put the kernel's modules there"));
    fixture_end(directory);
}

static void
test_a_build_tree_without_modules_says_how_to_make_them(void)
{
    g_autoptr(GError) error = NULL;
    char *directory = fixture_begin();

    write_build_tree(directory, FIXTURE_RELEASE "\n");
    write_text(directory, ".config", "CONFIG_9P_FS=m\n" COMPLETE_CONFIG);
    g_autoptr(MfKernel) kernel = kernel_at(directory, "arch/x86/boot/bzImage", NULL);
    g_autofree char *advice = g_strdup_printf("Run 'make modules' in '%s'.", directory);

    g_assert_false(mf_kernel_check(kernel, MF_KERNEL_NEEDS_9P, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    g_assert_nonnull(strstr(error->message, advice));
    fixture_end(directory);
}

static void
test_several_failures_are_one_sentence(void)
{
    char *directory = fixture_begin();

    write_text(directory, "boot/config-" FIXTURE_RELEASE, "CONFIG_DEVTMPFS=y\n");
    g_autofree char *text = refusal(directory, MF_KERNEL_NEEDS_VIRTIOFS | MF_KERNEL_NEEDS_BUILTIN);

    g_assert_cmpstr(text, ==,
                    "Kernel '/boot/vmlinuz' cannot reach mayfly over virtio or mount a virtiofs "
                    "root: CONFIG_VIRTIO_PCI, CONFIG_VIRTIO_CONSOLE, CONFIG_FUSE_FS and "
                    "CONFIG_VIRTIO_FS are not set. Use a kernel with CONFIG_VIRTIO_PCI, "
                    "CONFIG_VIRTIO_CONSOLE, CONFIG_FUSE_FS and CONFIG_VIRTIO_FS built in.");
    fixture_end(directory);
}

static void
test_an_initramfs_needs_a_kernel_that_takes_one(void)
{
    g_autoptr(GError) error = NULL;
    char *directory = fixture_begin();

    write_config(directory, "CONFIG_BLK_DEV_INITRD=y", "# CONFIG_BLK_DEV_INITRD is not set");
    g_autofree char *text = refusal(directory, 0);
    g_assert_nonnull(strstr(text, "cannot start from an initramfs: CONFIG_BLK_DEV_INITRD is not"));

    g_autoptr(MfKernel) kernel = kernel_at(directory, "boot/vmlinuz", NULL);
    g_assert_true(mf_kernel_check(kernel, MF_KERNEL_NEEDS_BUILTIN, &error));
    g_assert_no_error(error);
    fixture_end(directory);
}

static void
test_the_kernels_of_debian_have_9p_or_say_that_they_have_not(void)
{
    const char *top = g_getenv("MAYFLY_TEST_KERNELS");
    g_autoptr(GError) error = NULL;

    if (!top) {
        g_test_skip("MAYFLY_TEST_KERNELS does not name the directory of tools/test-kernels.sh");
        return;
    }

    char *directory = fixture_begin();
    g_autofree char *stock_path = g_build_filename(top, "generic/vmlinuz", NULL);
    g_autofree char *cloud_path = g_build_filename(top, "cloud/vmlinuz", NULL);
    g_autoptr(MfKernel) stock = mf_kernel_open(stock_path, NULL);
    g_autoptr(MfKernel) cloud = mf_kernel_open(cloud_path, NULL);

    g_assert_cmpint(mf_kernel_get_option(stock, "9P_FS"), ==, 'm');
    g_assert_true(mf_kernel_check(stock, MF_KERNEL_NEEDS_9P | MF_KERNEL_NEEDS_OVERLAY, &error));
    g_assert_no_error(error);
    g_assert_true(
        mf_kernel_check(cloud, MF_KERNEL_NEEDS_VIRTIOFS | MF_KERNEL_NEEDS_OVERLAY, &error));
    g_assert_no_error(error);
    g_assert_false(mf_kernel_check(cloud, MF_KERNEL_NEEDS_9P, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    g_test_message("%s", error->message);
    g_assert_nonnull(
        strstr(error->message, "CONFIG_NET_9P, CONFIG_NET_9P_VIRTIO and CONFIG_9P_FS are not set"));
    g_assert_nonnull(strstr(error->message, "virtiofs"));
    fixture_end(directory);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/kernel-config/values-are-read-as-kconfig-writes-them",
                    test_values_are_read_as_kconfig_writes_them);
    g_test_add_func("/kernel-config/what-is-no-configuration-is-left-aside",
                    test_what_is_no_configuration_is_left_aside);
    g_test_add_func("/kernel-config/lists-of-modules-stand-in-for-a-configuration",
                    test_lists_of_modules_stand_in_for_a_configuration);
    g_test_add_func("/kernel-config/without-any-source-nothing-is-known-and-nothing-refused",
                    test_without_any_source_nothing_is_known_and_nothing_refused);
    g_test_add_func("/kernel-config/the-configuration-is-found-wherever-it-is-kept",
                    test_the_configuration_is_found_wherever_it_is_kept);
    g_test_add_func("/kernel-config/the-configuration-in-the-image-is-read-and-remembered",
                    test_the_configuration_in_the_image_is_read_and_remembered);
    g_test_add_func("/kernel-config/a-vmlinux-may-have-its-configuration-in-it",
                    test_a_vmlinux_may_have_its_configuration_in_it);
    g_test_add_func("/kernel-config/a-build-tree-is-recognised-around-its-images",
                    test_a_build_tree_is_recognised_around_its_images);
    g_test_add_func("/kernel-config/a-kernel-of-another-release-is-not-of-the-build-tree",
                    test_a_kernel_of_another_release_is_not_of_the_build_tree);
    g_test_add_func("/kernel-config/the-modules-directory-is-found-around-the-image",
                    test_the_modules_directory_is_found_around_the_image);
    g_test_add_func("/kernel-config/a-link-to-the-image-leads-to-what-lies-around-it",
                    test_a_link_to_the_image_leads_to_what_lies_around_it);
    g_test_add_func("/kernel-check/a-complete-kernel-passes-with-and-without-an-initramfs",
                    test_a_complete_kernel_passes_with_and_without_an_initramfs);
    g_test_add_func("/kernel-check/a-kernel-without-9p-names-every-missing-option-and-virtiofs",
                    test_a_kernel_without_9p_names_every_missing_option_and_virtiofs);
    g_test_add_func("/kernel-check/virtiofs-is-not-advised-to-a-kernel-without-it",
                    test_virtiofs_is_not_advised_to_a_kernel_without_it);
    g_test_add_func("/kernel-check/one-missing-option-reads-as-one",
                    test_one_missing_option_reads_as_one);
    g_test_add_func("/kernel-check/a-module-will-not-do-without-an-initramfs",
                    test_a_module_will_not_do_without_an_initramfs);
    g_test_add_func("/kernel-check/modules-that-are-not-installed-are-missed",
                    test_modules_that_are_not_installed_are_missed);
    g_test_add_func("/kernel-check/a-build-tree-without-modules-says-how-to-make-them",
                    test_a_build_tree_without_modules_says_how_to_make_them);
    g_test_add_func("/kernel-check/several-failures-are-one-sentence",
                    test_several_failures_are_one_sentence);
    g_test_add_func("/kernel-check/an-initramfs-needs-a-kernel-that-takes-one",
                    test_an_initramfs_needs_a_kernel_that_takes_one);
    g_test_add_func("/kernel-check/the-kernels-of-debian-have-9p-or-say-that-they-have-not",
                    test_the_kernels_of_debian_have_9p_or_say_that_they_have_not);
    return g_test_run();
}
