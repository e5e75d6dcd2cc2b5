/* SPDX-License-Identifier: Apache-2.0 */
#include <archive.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "catalog-fixture.h"
#include "image-fixture.h"
#include "machine/catalog.h"
#include "package-fixture.h"

static void
test_an_added_package_can_be_found_by_its_name(CatalogFixture *fixture, gconstpointer data)
{
    catalog_write_package(fixture);
    catalog_add(fixture, fixture->package, NULL);
    g_assert_no_error(fixture->error);
    g_assert_cmpstr(fixture->entry->name, ==, "local/" FIXTURE_RELEASE);
    g_assert_cmpuint(fixture->told, >, 0);

    g_autoptr(MfCatalogEntry) found = mf_catalog_lookup("local/" FIXTURE_RELEASE, NULL);
    g_assert_nonnull(found);
    g_assert_cmpstr(found->release, ==, FIXTURE_RELEASE);
    g_assert_cmpint(found->arch, ==, MF_ARCH_X86_64);
    g_assert_cmpstr(found->source, ==, fixture->package);
    g_assert_cmpstr(found->version, ==, FIXTURE_PACKAGE_VERSION);
    g_assert_cmpuint(found->size, >, g_bytes_get_size(fixture->image));
    g_assert_cmpint(ABS(found->added - g_get_real_time() / G_USEC_PER_SEC), <, 60);

    g_autofree char *image = mf_catalog_find("local/" FIXTURE_RELEASE, NULL);
    g_assert_cmpstr(image, ==, found->image);
    g_assert_true(g_str_has_suffix(image, "/kernels/local@" FIXTURE_RELEASE "/boot/vmlinuz"));
}

static void
test_an_entry_has_image_config_and_indexed_modules(CatalogFixture *fixture, gconstpointer data)
{
    catalog_write_package(fixture);
    catalog_add(fixture, fixture->package, "mine");
    g_assert_no_error(fixture->error);

    g_autoptr(GBytes) image = mf_file_read(fixture->entry->image, 1 << 24, NULL);
    g_assert_true(g_bytes_equal(image, fixture->image));
    catalog_assert_file(fixture, "mine/boot/config-" FIXTURE_RELEASE, "CONFIG_9P_FS=m\n");
    catalog_assert_file(fixture, "mine/lib/modules/" FIXTURE_RELEASE "/kernel/fs/9p.ko", "module");
    catalog_assert_file(fixture, "mine/lib/modules/" FIXTURE_RELEASE "/modules.dep", "index\n");
    catalog_assert_file(fixture, "mine/usr", NULL);
    g_assert_cmpuint(catalog_count_directories(fixture), ==, 1);
}

static void
test_an_rpm_with_everything_in_the_module_directory(CatalogFixture *fixture, gconstpointer data)
{
    const FixtureItem items[] = {
        {"./lib/modules/" FIXTURE_RELEASE "/vmlinuz", .bytes = fixture->image},
        {"./lib/modules/" FIXTURE_RELEASE "/config", .content = "CONFIG_9P_FS=y\n"},
        {"./lib/modules/" FIXTURE_RELEASE "/modules.dep", .content = "own index"},
        {NULL},
    };

    fixture_write_rpm(fixture->package, items);
    catalog_add(fixture, fixture->package, NULL);
    g_assert_no_error(fixture->error);
    g_assert_true(g_str_has_suffix(fixture->entry->image, "/boot/vmlinuz"));
    g_assert_null(fixture->entry->version);
    catalog_assert_file(fixture, "local@" FIXTURE_RELEASE "/boot/config-" FIXTURE_RELEASE,
                        "CONFIG_9P_FS=y\n");
    catalog_assert_file(fixture,
                        "local@" FIXTURE_RELEASE "/lib/modules/" FIXTURE_RELEASE "/modules.dep",
                        "own index");
}

static void
test_several_packages_make_one_entry(CatalogFixture *fixture, gconstpointer data)
{
    g_autofree char *second = g_build_filename(fixture->directory, "modules.deb", NULL);
    const char *const paths[] = {fixture->package, second, NULL};
    const FixtureItem image[] = {{"./boot/vmlinuz-" FIXTURE_RELEASE, .bytes = fixture->image},
                                 {NULL}};
    const FixtureItem modules[] = {
        {"./lib/modules/" FIXTURE_RELEASE "/kernel/a.ko", .content = "module"}, {NULL}};

    fixture_write_deb(fixture->package, ARCHIVE_FILTER_NONE, "data.tar", image);
    fixture_write_deb(second, ARCHIVE_FILTER_NONE, "data.tar", modules);
    catalog_add_all(fixture, paths, "both");
    g_assert_no_error(fixture->error);
    catalog_assert_file(fixture, "both/lib/modules/" FIXTURE_RELEASE "/kernel/a.ko", "module");
    catalog_assert_file(fixture, "both/lib/modules/" FIXTURE_RELEASE "/modules.dep", "index\n");
}

static void
test_only_packages_can_be_several(CatalogFixture *fixture, gconstpointer data)
{
    g_autofree char *image = fixture_write(fixture->directory, "bzImage", fixture->image);
    const char *const paths[] = {image, image, NULL};

    catalog_add_all(fixture, paths, NULL);
    catalog_assert_refused(fixture, MF_ERROR_CONFIG, "only packages can be several");
}

static void
test_a_second_add_replaces_the_first(CatalogFixture *fixture, gconstpointer data)
{
    const FixtureItem items[] = {{"./boot/vmlinuz-" FIXTURE_RELEASE, .bytes = fixture->image},
                                 {NULL}};

    catalog_write_package(fixture);
    catalog_add(fixture, fixture->package, "mine");
    g_assert_no_error(fixture->error);
    fixture_write_deb(fixture->package, ARCHIVE_FILTER_NONE, "data.tar", items);
    catalog_add(fixture, fixture->package, "mine");
    g_assert_no_error(fixture->error);
    catalog_assert_file(fixture, "mine/boot/config-" FIXTURE_RELEASE, NULL);
    g_assert_cmpuint(catalog_count_directories(fixture), ==, 1);
}

static void
test_a_failed_add_keeps_the_first(CatalogFixture *fixture, gconstpointer data)
{
    const FixtureItem items[] = {{"./boot/vmlinuz-6", .content = "no kernel at all, but text"},
                                 {NULL}};

    catalog_write_package(fixture);
    catalog_add(fixture, fixture->package, "mine");
    fixture_write_deb(fixture->package, ARCHIVE_FILTER_NONE, "data.tar", items);
    catalog_add(fixture, fixture->package, "mine");
    g_assert_error(fixture->error, MF_ERROR, MF_ERROR_CONFIG);
    catalog_assert_file(fixture, "mine/boot/config-" FIXTURE_RELEASE, "CONFIG_9P_FS=m\n");
    g_assert_cmpuint(catalog_count_directories(fixture), ==, 1);
}

static void
test_a_directory_with_only_a_vmlinux_is_a_kernel(CatalogFixture *fixture, gconstpointer data)
{
    const FixtureKernel kernel = {.pvh = TRUE};
    g_autoptr(GBytes) vmlinux = fixture_vmlinux(&kernel);
    g_autofree char *path = fixture_write(fixture->directory, "built/vmlinux", vmlinux);
    g_autofree char *directory = g_path_get_dirname(path);

    catalog_add(fixture, directory, NULL);
    g_assert_no_error(fixture->error);
    g_assert_cmpstr(fixture->entry->release, ==, FIXTURE_RELEASE);
    g_assert_true(g_str_has_suffix(fixture->entry->image, "/boot/vmlinux"));
}

static void
test_the_vmlinuz_of_a_directory_wins_over_its_vmlinux(CatalogFixture *fixture, gconstpointer data)
{
    const FixtureKernel kernel = {.pvh = TRUE};
    g_autoptr(GBytes) vmlinux = fixture_vmlinux(&kernel);
    g_autofree char *path = fixture_write(fixture->directory, "built/vmlinux", vmlinux);
    g_autofree char *image = fixture_write(fixture->directory, "built/vmlinuz", fixture->image);
    g_autofree char *directory = g_path_get_dirname(path);

    catalog_add(fixture, directory, NULL);
    g_assert_no_error(fixture->error);
    g_assert_true(g_str_has_suffix(fixture->entry->image, "/boot/vmlinuz"));
}

static void
test_packages_without_exactly_one_kernel_are_refused(CatalogFixture *fixture, gconstpointer data)
{
    const FixtureItem none[] = {{"./usr/share/doc/x", .content = "text"}, {NULL}};
    const FixtureItem two[] = {{"./boot/vmlinuz-1", .bytes = fixture->image},
                               {"./boot/vmlinuz-2", .bytes = fixture->image},
                               {NULL}};
    const FixtureItem text[] = {{"./boot/vmlinuz-1", .content = "plain text"}, {NULL}};

    fixture_write_deb(fixture->package, ARCHIVE_FILTER_NONE, "data.tar", none);
    catalog_add(fixture, fixture->package, NULL);
    catalog_assert_refused(fixture, MF_ERROR_CONFIG, "holds no kernel image");
    fixture_write_deb(fixture->package, ARCHIVE_FILTER_NONE, "data.tar", two);
    catalog_add(fixture, fixture->package, NULL);
    catalog_assert_refused(fixture, MF_ERROR_CONFIG, "holds several kernel images");
    fixture_write_deb(fixture->package, ARCHIVE_FILTER_NONE, "data.tar", text);
    catalog_add(fixture, fixture->package, NULL);
    catalog_assert_refused(fixture, MF_ERROR_CONFIG, "cannot be used");
}

static void
test_a_hostile_package_leaves_nothing(CatalogFixture *fixture, gconstpointer data)
{
    const FixtureItem items[] = {{"./boot/vmlinuz-" FIXTURE_RELEASE, .bytes = fixture->image},
                                 {"../../escaped", .content = "x"},
                                 {NULL}};

    fixture_write_deb(fixture->package, ARCHIVE_FILTER_NONE, "data.tar", items);
    catalog_add(fixture, fixture->package, NULL);
    catalog_assert_refused(fixture, MF_ERROR_CONFIG, "'../../escaped' would be written outside");
}

static void
test_a_failing_depmod_is_quoted_and_leaves_nothing(CatalogFixture *fixture, gconstpointer data)
{
    g_autofree char *mark = fixture_write_text(fixture->directory, "depmod-fails", "");

    catalog_write_package(fixture);
    catalog_add(fixture, fixture->package, NULL);
    catalog_assert_refused(fixture, MF_ERROR_REMOTE, "'depmod' exited with status 1: broken");
    g_assert_nonnull(mark);
}

static void
test_a_bad_name_is_refused_before_anything_is_done(CatalogFixture *fixture, gconstpointer data)
{
    catalog_write_package(fixture);
    catalog_add(fixture, fixture->package, "../x");
    catalog_assert_refused(fixture, MF_ERROR_CONFIG, "'../x' is not a name");
    g_assert_cmpuint(fixture->told, ==, 0);
}

static void
test_a_cancelled_add_leaves_nothing(CatalogFixture *fixture, gconstpointer data)
{
    /* Without modules, so that no depmod is there to notice. */
    g_autofree char *image = fixture_write(fixture->directory, "bzImage", fixture->image);

    fixture->cancel_at = 1;
    catalog_add(fixture, image, NULL);
    catalog_assert_refused(fixture, MF_ERROR_CANCELLED, "cancelled");
}

static void
test_a_pulled_kernel_is_named_after_distribution_and_release(CatalogFixture *fixture,
                                                             gconstpointer data)
{
    catalog_write_package(fixture);
    catalog_pull(fixture, "1.0-1");
    g_assert_no_error(fixture->error);
    g_assert_true(g_str_has_suffix(fixture->entry->name, "/" FIXTURE_RELEASE));
    g_assert_cmpstr(fixture->entry->version, ==, "1.0-1");
    g_assert_true(g_str_has_prefix(fixture->entry->name, fixture->entry->source));
    g_assert_cmpuint(catalog_count_downloads(fixture), ==, 1);
    g_assert_cmpuint(catalog_count_directories(fixture), ==, 1);

    /* The package itself is not kept. */
    g_autofree char *place = mf_catalog_entry_path(fixture->entry->name, NULL);
    g_autofree char *download = g_build_filename(place, "download", NULL);
    g_assert_false(g_file_test(download, G_FILE_TEST_EXISTS));
}

static void
test_only_another_version_is_pulled_again(CatalogFixture *fixture, gconstpointer data)
{
    catalog_write_package(fixture);
    catalog_pull(fixture, "1.0-1");
    catalog_pull(fixture, "1.0-1");
    g_assert_no_error(fixture->error);
    g_assert_nonnull(fixture->entry);
    g_assert_cmpuint(catalog_count_downloads(fixture), ==, 1);

    catalog_pull(fixture, "1.0-2");
    g_assert_no_error(fixture->error);
    g_assert_cmpstr(fixture->entry->version, ==, "1.0-2");
    g_assert_cmpuint(catalog_count_downloads(fixture), ==, 2);
    g_assert_cmpuint(catalog_count_directories(fixture), ==, 1);
}

static void
test_a_failed_pull_leaves_nothing(CatalogFixture *fixture, gconstpointer data)
{
    g_autofree char *mark = fixture_write_text(fixture->directory, "apt-fails", "");

    catalog_pull(fixture, "1.0-1");
    catalog_assert_refused(fixture, MF_ERROR_REMOTE, "apt could not fetch the kernel");
    g_assert_nonnull(mark);
}

static void
test_a_pull_cancelled_at_any_activity_leaves_nothing(CatalogFixture *fixture, gconstpointer data)
{
    /* What comes first: asking apt, unpacking, indexing; a download here is too short to tell. */
    for (guint calls = 1; calls <= 3; calls++) {
        catalog_write_package(fixture);
        fixture->told = 0;
        fixture->cancel_at = calls;
        g_cancellable_reset(fixture->cancellable);
        catalog_pull(fixture, "1.0-1");
        catalog_assert_refused(fixture, MF_ERROR_CANCELLED, "cancelled");
    }
}

static void
test_an_image_comes_with_the_modules_beside_it(CatalogFixture *fixture, gconstpointer data)
{
    g_autofree char *image = fixture_write(fixture->directory, "k/boot/vmlinuz-x", fixture->image);
    g_autofree char *config = fixture_write_text(
        fixture->directory, "k/boot/config-" FIXTURE_RELEASE, "CONFIG_VIRTIO=y\n");
    g_autofree char *module = fixture_write_text(
        fixture->directory, "k/lib/modules/" FIXTURE_RELEASE "/kernel/a.ko", "module");
    g_autofree char *index = fixture_write_text(
        fixture->directory, "k/lib/modules/" FIXTURE_RELEASE "/modules.dep", "its index");
    g_autofree char *link =
        g_build_filename(fixture->directory, "k/lib/modules", FIXTURE_RELEASE, "build", NULL);

    g_assert_cmpint(symlink("/", link), ==, 0);
    catalog_add(fixture, image, "image");
    g_assert_no_error(fixture->error);
    catalog_assert_file(fixture, "image/boot/config-" FIXTURE_RELEASE, "CONFIG_VIRTIO=y\n");
    catalog_assert_file(fixture, "image/lib/modules/" FIXTURE_RELEASE "/kernel/a.ko", "module");
    catalog_assert_file(fixture, "image/lib/modules/" FIXTURE_RELEASE "/modules.dep", "its index");
    g_assert_cmpuint(catalog_count_directories(fixture), ==, 1);
    g_assert_true(config && module && index);
}

static void
test_a_vmlinux_stays_a_vmlinux(CatalogFixture *fixture, gconstpointer data)
{
    const FixtureKernel kernel = {.pvh = TRUE};
    g_autoptr(GBytes) vmlinux = fixture_vmlinux(&kernel);
    g_autofree char *image = fixture_write(fixture->directory, "vmlinux", vmlinux);

    catalog_add(fixture, image, NULL);
    g_assert_no_error(fixture->error);
    g_assert_cmpstr(fixture->entry->name, ==, "local/" FIXTURE_RELEASE);
    g_assert_true(g_str_has_suffix(fixture->entry->image, "/boot/vmlinux"));
}

static void
test_an_image_without_release_needs_a_name(CatalogFixture *fixture, gconstpointer data)
{
    const FixtureKernel kernel = {.pvh = TRUE, .no_banner = TRUE};
    g_autoptr(GBytes) vmlinux = fixture_vmlinux(&kernel);
    g_autofree char *image = fixture_write(fixture->directory, "vmlinux", vmlinux);

    catalog_add(fixture, image, NULL);
    catalog_assert_refused(fixture, MF_ERROR_CONFIG, "give it a name with '--name'");
    catalog_add(fixture, image, "nameless");
    g_assert_no_error(fixture->error);
    g_assert_null(fixture->entry->release);

    g_autoptr(MfCatalogEntry) found = mf_catalog_lookup("nameless", NULL);
    g_assert_nonnull(found);
    g_assert_null(found->release);
}

static void
test_a_module_directory_is_a_kernel(CatalogFixture *fixture, gconstpointer data)
{
    g_autofree char *image =
        fixture_write(fixture->directory, "modules/" FIXTURE_RELEASE "/vmlinuz", fixture->image);
    g_autofree char *index = fixture_write_text(
        fixture->directory, "modules/" FIXTURE_RELEASE "/modules.dep", "its index");
    g_autofree char *config = fixture_write_text(
        fixture->directory, "modules/" FIXTURE_RELEASE "/config", "CONFIG_TMPFS=y\n");
    g_autofree char *directory = g_path_get_dirname(image);

    catalog_add(fixture, directory, "m");
    g_assert_no_error(fixture->error);
    catalog_assert_file(fixture, "m/lib/modules/" FIXTURE_RELEASE "/modules.dep", "its index");
    catalog_assert_file(fixture, "m/boot/config-" FIXTURE_RELEASE, "CONFIG_TMPFS=y\n");
    g_assert_true(index && config);
}

static void
test_a_build_tree_gives_what_it_would_install(CatalogFixture *fixture, gconstpointer data)
{
    static const char *const files[][2] = {
        {"t/include/config/kernel.release", FIXTURE_RELEASE "\n"},
        {"t/.config", "CONFIG_9P_FS=m\n"},
        {"t/modules.order", "fs/9p/9p.o\nkernel/net/9p/9pnet.ko\n"},
        {"t/modules.builtin", "kernel/fs/ext4/ext4.ko\n"},
        {"t/fs/9p/9p.ko", "9p"},
        {"t/net/9p/9pnet.ko", "9pnet"},
        {"t/fs/9p/stray.ko", "not built now"},
    };
    g_autofree char *image =
        fixture_write(fixture->directory, "t/arch/x86/boot/bzImage", fixture->image);
    g_autofree char *tree = g_build_filename(fixture->directory, "t", NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *path = fixture_write_text(fixture->directory, files[i][0], files[i][1]);

        g_assert_nonnull(path);
    }
    catalog_add(fixture, tree, "tree");
    g_assert_no_error(fixture->error);
    catalog_assert_file(fixture, "tree/boot/config-" FIXTURE_RELEASE, "CONFIG_9P_FS=m\n");
    catalog_assert_file(fixture, "tree/lib/modules/" FIXTURE_RELEASE "/kernel/fs/9p/9p.ko", "9p");
    catalog_assert_file(fixture, "tree/lib/modules/" FIXTURE_RELEASE "/kernel/net/9p/9pnet.ko",
                        "9pnet");
    catalog_assert_file(fixture, "tree/lib/modules/" FIXTURE_RELEASE "/kernel/fs/9p/stray.ko",
                        NULL);
    catalog_assert_file(fixture, "tree/lib/modules/" FIXTURE_RELEASE "/modules.builtin",
                        "kernel/fs/ext4/ext4.ko\n");
    catalog_assert_file(fixture, "tree/lib/modules/" FIXTURE_RELEASE "/modules.dep", "index\n");

    /* The image by itself leads to its tree. */
    catalog_add(fixture, image, "image");
    g_assert_no_error(fixture->error);
    catalog_assert_file(fixture, "image/lib/modules/" FIXTURE_RELEASE "/kernel/fs/9p/9p.ko", "9p");
}

static void
test_a_build_tree_without_its_modules_is_refused(CatalogFixture *fixture, gconstpointer data)
{
    g_autofree char *mark =
        fixture_write_text(fixture->directory, "t/include/config/kernel.release", "x\n");
    g_autofree char *order =
        fixture_write_text(fixture->directory, "t/modules.order", "fs/9p/9p.o\n");
    g_autofree char *image =
        fixture_write(fixture->directory, "t/arch/x86/boot/bzImage", fixture->image);
    g_autofree char *tree = g_build_filename(fixture->directory, "t", NULL);

    catalog_add(fixture, tree, NULL);
    catalog_assert_refused(fixture, MF_ERROR_CONFIG, "/fs/9p/9p.ko' cannot be read");
    g_assert_true(mark && order && image);
}

static void
test_directories_without_one_kernel_are_refused(CatalogFixture *fixture, gconstpointer data)
{
    g_autofree char *one = fixture_write(fixture->directory, "k/boot/vmlinuz-1", fixture->image);
    g_autofree char *two = fixture_write(fixture->directory, "k/boot/vmlinuz-2", fixture->image);
    g_autofree char *directory = g_build_filename(fixture->directory, "k", NULL);

    catalog_add(fixture, directory, NULL);
    catalog_assert_refused(fixture, MF_ERROR_CONFIG, "holds 2 kernel images in boot: name one");
    g_assert_cmpint(g_unlink(one) | g_unlink(two), ==, 0);
    catalog_add(fixture, directory, NULL);
    catalog_assert_refused(fixture, MF_ERROR_CONFIG, "holds no kernel");
}

static void
test_files_that_are_no_kernel_are_refused(CatalogFixture *fixture, gconstpointer data)
{
    g_autofree char *text = fixture_write_text(fixture->directory, "text", "no kernel\n");

    catalog_add(fixture, text, NULL);
    catalog_assert_refused(fixture, MF_ERROR_CONFIG, text);
    catalog_add(fixture, "/nonexistent/bzImage", NULL);
    catalog_assert_refused(fixture, MF_ERROR_CONFIG, "/nonexistent/bzImage");
}

#define ADD(name, test)                                                                            \
    g_test_add("/catalog-add/" name, CatalogFixture, NULL, catalog_set_up, test, catalog_tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("an-added-package-can-be-found-by-its-name",
        test_an_added_package_can_be_found_by_its_name);
    ADD("an-entry-has-image-config-and-indexed-modules",
        test_an_entry_has_image_config_and_indexed_modules);
    ADD("an-rpm-with-everything-in-the-module-directory",
        test_an_rpm_with_everything_in_the_module_directory);
    ADD("several-packages-make-one-entry", test_several_packages_make_one_entry);
    ADD("only-packages-can-be-several", test_only_packages_can_be_several);
    ADD("a-second-add-replaces-the-first", test_a_second_add_replaces_the_first);
    ADD("a-failed-add-keeps-the-first", test_a_failed_add_keeps_the_first);
    ADD("a-directory-with-only-a-vmlinux-is-a-kernel",
        test_a_directory_with_only_a_vmlinux_is_a_kernel);
    ADD("the-vmlinuz-of-a-directory-wins-over-its-vmlinux",
        test_the_vmlinuz_of_a_directory_wins_over_its_vmlinux);
    ADD("packages-without-exactly-one-kernel-are-refused",
        test_packages_without_exactly_one_kernel_are_refused);
    ADD("a-hostile-package-leaves-nothing", test_a_hostile_package_leaves_nothing);
    ADD("a-failing-depmod-is-quoted-and-leaves-nothing",
        test_a_failing_depmod_is_quoted_and_leaves_nothing);
    ADD("a-bad-name-is-refused-before-anything-is-done",
        test_a_bad_name_is_refused_before_anything_is_done);
    ADD("a-cancelled-add-leaves-nothing", test_a_cancelled_add_leaves_nothing);
    ADD("a-pulled-kernel-is-named-after-distribution-and-release",
        test_a_pulled_kernel_is_named_after_distribution_and_release);
    ADD("only-another-version-is-pulled-again", test_only_another_version_is_pulled_again);
    ADD("a-failed-pull-leaves-nothing", test_a_failed_pull_leaves_nothing);
    ADD("a-pull-cancelled-at-any-activity-leaves-nothing",
        test_a_pull_cancelled_at_any_activity_leaves_nothing);
    ADD("an-image-comes-with-the-modules-beside-it",
        test_an_image_comes_with_the_modules_beside_it);
    ADD("a-vmlinux-stays-a-vmlinux", test_a_vmlinux_stays_a_vmlinux);
    ADD("an-image-without-release-needs-a-name", test_an_image_without_release_needs_a_name);
    ADD("a-module-directory-is-a-kernel", test_a_module_directory_is_a_kernel);
    ADD("a-build-tree-gives-what-it-would-install", test_a_build_tree_gives_what_it_would_install);
    ADD("a-build-tree-without-its-modules-is-refused",
        test_a_build_tree_without_its_modules_is_refused);
    ADD("directories-without-one-kernel-are-refused",
        test_directories_without_one_kernel_are_refused);
    ADD("files-that-are-no-kernel-are-refused", test_files_that_are_no_kernel_are_refused);
    return g_test_run();
}
