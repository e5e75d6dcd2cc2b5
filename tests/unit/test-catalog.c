/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/catalog.h"

#include <archive.h>
#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "catalog-fixture.h"
#include "image-fixture.h"
#include "machine/catalog-draft.h"
#include "package-fixture.h"

static void
test_names_are_words_with_a_slash(CatalogFixture *fixture, gconstpointer data)
{
    static const char *const good[] = {"a", "6.1.0-56-amd64", "debian/6.12.107+deb12-amd64",
                                       "local/a~b_c"};
    static const char *const bad[] = {"",     "/",    "a/",  "/a",       "a/b/c", ".a",  "-a",
                                      "a/.b", "a/-b", "..",  "a b",      "a@b",   "a\n", "a//b",
                                      "../a", "a/..", "a,b", "\303\244", "a;b"};

    for (gsize i = 0; i < G_N_ELEMENTS(good); i++)
        g_assert_true(mf_catalog_entry_check_name(good[i], NULL));
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_false(mf_catalog_entry_check_name(bad[i], &error));
        g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    }

    g_autofree char *at = g_strnfill(128, 'a');
    g_autofree char *past = g_strnfill(129, 'a');
    g_assert_true(mf_catalog_entry_check_name(at, NULL));
    g_assert_false(mf_catalog_entry_check_name(past, NULL));
}

static void
test_looking_into_a_catalog_that_is_not_there_makes_nothing(CatalogFixture *fixture,
                                                            gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *top = g_build_filename(fixture->directory, "fresh", NULL);

    g_setenv("MAYFLY_CACHE_DIR", top, TRUE);
    g_autoptr(GPtrArray) entries = mf_catalog_list(&error);
    g_assert_no_error(error);
    g_assert_cmpuint(entries->len, ==, 0);
    g_assert_null(mf_catalog_lookup("debian/6.1", &error));
    g_assert_no_error(error);
    g_assert_false(mf_catalog_remove("debian/6.1", &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    g_assert_nonnull(strstr(error->message, "no kernel 'debian/6.1'"));
    g_assert_false(g_file_test(top, G_FILE_TEST_EXISTS));
}

static void
test_the_newest_release_is_listed_first(CatalogFixture *fixture, gconstpointer data)
{
    static const char *const releases[] = {"6.1.0-9", "6.1.0-56", "5.10.0", "6.12.1"};
    static const char *const sorted[] = {"6.12.1", "6.1.0-56", "6.1.0-9", "5.10.0"};

    for (gsize i = 0; i < G_N_ELEMENTS(releases); i++) {
        g_autofree char *name = g_strconcat("./boot/vmlinuz-", releases[i], NULL);
        const FixtureItem items[] = {{name, .bytes = fixture->image}, {NULL}};

        fixture_write_deb(fixture->package, ARCHIVE_FILTER_NONE, "data.tar", items);
        catalog_add(fixture, fixture->package, NULL);
        g_assert_no_error(fixture->error);
    }
    g_autoptr(GPtrArray) entries = mf_catalog_list(NULL);
    g_assert_cmpuint(entries->len, ==, G_N_ELEMENTS(sorted));
    for (guint i = 0; i < entries->len; i++) {
        const MfCatalogEntry *entry = entries->pdata[i];

        g_assert_cmpstr(entry->release, ==, sorted[i]);
    }
}

static void
test_a_removed_entry_is_gone(CatalogFixture *fixture, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    catalog_write_package(fixture);
    catalog_add(fixture, fixture->package, "mine");
    g_assert_true(mf_catalog_remove("mine", &error));
    g_assert_no_error(error);
    g_assert_cmpuint(catalog_count_directories(fixture), ==, 0);
    g_assert_null(mf_catalog_find("mine", &error));
    g_assert_no_error(error);

    g_assert_false(mf_catalog_remove("mine", &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    g_assert_nonnull(strstr(error->message, "'mine'"));
}

static void
test_a_damaged_entry_is_not_listed_but_can_be_removed(CatalogFixture *fixture, gconstpointer data)
{
    static const char *const damages[] = {
        "",
        "{",
        "[]",
        "{\"arch\": 5}",
        "{\"arch\": \"vax\", \"source\": \"x\", \"added\": 1, \"size\": 1}",
        "{\"arch\": \"x86_64\", \"source\": \"x\", \"added\": \"1\", \"size\": 1}",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(damages); i++) {
        catalog_write_package(fixture);
        catalog_add(fixture, fixture->package, "mine");
        g_autofree char *facts =
            fixture_write_text(fixture->kernels, "mine/kernel.json", damages[i]);
        g_autoptr(GPtrArray) entries = mf_catalog_list(NULL);

        g_assert_nonnull(facts);
        g_assert_cmpuint(entries->len, ==, 0);
        g_assert_null(mf_catalog_lookup("mine", NULL));
        g_assert_true(mf_catalog_remove("mine", NULL));
    }
}

static void
test_what_is_no_name_is_not_found_without_an_error(CatalogFixture *fixture, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(mf_catalog_find("/boot/vmlinuz", &error));
    g_assert_null(mf_catalog_find("../x", &error));
    g_assert_null(mf_catalog_find("", &error));
    g_assert_no_error(error);
}

static void
test_what_killed_processes_left_is_swept_and_live_drafts_are_not(CatalogFixture *fixture,
                                                                 gconstpointer data)
{
    g_autoptr(MfCatalogDraft) live = mf_catalog_draft_new(NULL);
    g_autofree char *stale = fixture_write_text(fixture->kernels, ".new-dead00/boot/vmlinuz", "x");
    g_autofree char *old = fixture_write_text(fixture->kernels, ".old-dead00/boot/vmlinuz", "x");
    g_autofree char *entry = fixture_write_text(fixture->kernels, "mine/boot/vmlinuz", "x");

    g_assert_nonnull(live);
    g_autoptr(MfCatalogDraft) next = mf_catalog_draft_new(NULL);
    g_assert_nonnull(next);
    g_assert_false(g_file_test(stale, G_FILE_TEST_EXISTS));
    g_assert_false(g_file_test(old, G_FILE_TEST_EXISTS));
    g_assert_true(g_file_test(entry, G_FILE_TEST_EXISTS));
    g_assert_true(g_file_test(mf_catalog_draft_get_path(live), G_FILE_TEST_IS_DIR));
    g_assert_cmpuint(catalog_count_directories(fixture), ==, 3);
}

static void
test_drafts_are_not_listed(CatalogFixture *fixture, gconstpointer data)
{
    g_autoptr(MfCatalogDraft) draft = mf_catalog_draft_new(NULL);
    g_autofree char *facts =
        fixture_write_text(mf_catalog_draft_get_path(draft), "kernel.json",
                           "{\"arch\": \"x86_64\", \"source\": \"x\", \"added\": 1, \"size\": 1}");
    g_autofree char *image =
        fixture_write_text(mf_catalog_draft_get_path(draft), "boot/vmlinuz", "x");
    g_autoptr(GPtrArray) entries = mf_catalog_list(NULL);

    g_assert_true(facts && image);
    g_assert_cmpuint(entries->len, ==, 0);
}

static void
test_the_running_image_is_looked_for_by_its_release(CatalogFixture *fixture, gconstpointer data)
{
    const char *root = fixture->directory;

    g_assert_null(mf_catalog_running_image(root, "6.1"));
    g_autofree char *plain = fixture_write_text(root, "boot/vmlinuz", "x");
    g_autofree char *third = mf_catalog_running_image(root, "6.1");
    g_assert_cmpstr(third, ==, plain);
    g_autofree char *with_modules = fixture_write_text(root, "lib/modules/6.1/vmlinuz", "x");
    g_autofree char *second = mf_catalog_running_image(root, "6.1");
    g_assert_cmpstr(second, ==, with_modules);
    g_autofree char *versioned = fixture_write_text(root, "boot/vmlinuz-6.1", "x");
    g_autofree char *first = mf_catalog_running_image(root, "6.1");
    g_assert_cmpstr(first, ==, versioned);
}

static void
test_an_unreadable_running_image_is_passed_over(CatalogFixture *fixture, gconstpointer data)
{
    if (geteuid() == 0) {
        g_test_skip("root can read everything");
        return;
    }
    g_autofree char *image = fixture_write_text(fixture->directory, "boot/vmlinuz-6.1", "x");
    g_assert_cmpint(g_chmod(image, 0), ==, 0);
    g_assert_null(mf_catalog_running_image(fixture->directory, "6.1"));
}

static void
assert_unresolved(const char *kernel, const char *words)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(mf_catalog_resolve(kernel, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    g_assert_nonnull(strstr(error->message, kernel));
    g_assert_nonnull(strstr(error->message, words));
}

static void
test_a_kernel_is_a_file_before_it_is_an_entry(CatalogFixture *fixture, gconstpointer data)
{
    g_autofree char *file = fixture_write_text(fixture->directory, "vmlinuz", "x");
    g_autofree char *below = g_build_filename(file, "vmlinuz", NULL);
    g_autofree char *image = mf_catalog_resolve(file, NULL);

    g_assert_cmpstr(image, ==, file);
    assert_unresolved(below, "neither as a file nor in the catalog");
    assert_unresolved("no-such-entry", "neither as a file nor in the catalog");
}

static void
test_a_kernel_that_cannot_be_looked_at_is_not_said_to_be_missing(CatalogFixture *fixture,
                                                                 gconstpointer data)
{
    g_autofree char *loop = g_build_filename(fixture->directory, "loop", NULL);

    g_assert_cmpint(symlink("loop", loop), ==, 0);
    assert_unresolved(loop, g_strerror(ELOOP));
}

static void
test_a_kernel_below_a_closed_directory_is_denied(CatalogFixture *fixture, gconstpointer data)
{
    if (geteuid() == 0) {
        g_test_skip("root can search everything");
        return;
    }
    g_autofree char *directory = g_build_filename(fixture->directory, "closed", NULL);
    g_autofree char *file = fixture_write_text(directory, "vmlinuz", "x");
    g_assert_cmpint(g_chmod(directory, 0), ==, 0);
    assert_unresolved(file, g_strerror(EACCES));
    g_assert_cmpint(g_chmod(directory, 0700), ==, 0);
}

/* An architecture that this program was not built for, so that no running kernel is in the way. */
static MfArch
foreign_arch(void)
{
    return mf_arch_native() == MF_ARCH_AARCH64 ? MF_ARCH_X86_64 : MF_ARCH_AARCH64;
}

static void
test_without_any_kernel_the_default_names_pull(CatalogFixture *fixture, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *running = mf_catalog_default_kernel(mf_arch_native(), &error);

    if (running) {
        g_test_skip("the running kernel's image is readable");
        return;
    }
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    g_assert_nonnull(strstr(error->message, "'mayfly kernel pull debian'"));
}

/* Neither is one running, nor is there one to be pulled. */
static void
test_without_a_kernel_of_another_architecture_the_default_names_add(CatalogFixture *fixture,
                                                                    gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(mf_catalog_default_kernel(foreign_arch(), &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    g_assert_nonnull(strstr(error->message, "'mayfly kernel add'"));
    g_assert_null(strstr(error->message, "pull"));
    g_assert_null(strstr(error->message, "running"));
}

/* Adds a foreign kernel with that release in its package's names; the image's own release, which
 * names the configuration, is always the same. */
static void
add_foreign(CatalogFixture *fixture, const char *release, const char *config)
{
    g_autofree char *image_name = g_strconcat("./boot/vmlinuz-", release, NULL);
    g_autoptr(GBytes) arm64 = fixture_arm64_image();
    const FixtureItem items[] = {
        {image_name, .bytes = foreign_arch() == MF_ARCH_AARCH64 ? arm64 : fixture->image},
        {"./boot/config-" FIXTURE_RELEASE, .content = config},
        {NULL}};

    fixture_write_deb(fixture->package, ARCHIVE_FILTER_NONE, "data.tar", items);
    catalog_add(fixture, fixture->package, NULL);
    g_assert_no_error(fixture->error);
}

#define USUAL_OPTIONS                                                                              \
    "CONFIG_DEVTMPFS=y\nCONFIG_VIRTIO=y\nCONFIG_VIRTIO_PCI=y\nCONFIG_VIRTIO_CONSOLE=y\n"           \
    "CONFIG_OVERLAY_FS=y\nCONFIG_BLK_DEV_INITRD=y\nCONFIG_NET_9P=y\nCONFIG_NET_9P_VIRTIO=y\n"
#define WITH_9P    USUAL_OPTIONS "CONFIG_9P_FS=y\n"
#define WITHOUT_9P USUAL_OPTIONS "# CONFIG_9P_FS is not set\n"

static void
test_the_default_is_the_newest_of_the_architecture(CatalogFixture *fixture, gconstpointer data)
{
    add_foreign(fixture, "6.1.0-9", WITHOUT_9P);
    add_foreign(fixture, "6.1.0-56", WITHOUT_9P);
    g_autofree char *image = mf_catalog_default_kernel(foreign_arch(), NULL);
    g_assert_cmpstr(image, ==, fixture->entry->image);
    g_assert_null(mf_catalog_default_kernel(MF_ARCH_S390X, NULL));
}

static void
test_the_default_can_mount_a_9p_root_if_one_can(CatalogFixture *fixture, gconstpointer data)
{
    g_autofree char *expected = NULL;

    add_foreign(fixture, "5.10.0", WITH_9P);
    add_foreign(fixture, "6.1.0", WITH_9P);
    expected = g_strdup(fixture->entry->image);
    add_foreign(fixture, "6.12.0", WITHOUT_9P);
    g_autofree char *image = mf_catalog_default_kernel(foreign_arch(), NULL);
    g_assert_cmpstr(image, ==, expected);
}

#define ADD(name, test)                                                                            \
    g_test_add("/catalog/" name, CatalogFixture, NULL, catalog_set_up, test, catalog_tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("names-are-words-with-a-slash", test_names_are_words_with_a_slash);
    ADD("looking-into-a-catalog-that-is-not-there-makes-nothing",
        test_looking_into_a_catalog_that_is_not_there_makes_nothing);
    ADD("the-newest-release-is-listed-first", test_the_newest_release_is_listed_first);
    ADD("a-removed-entry-is-gone", test_a_removed_entry_is_gone);
    ADD("a-damaged-entry-is-not-listed-but-can-be-removed",
        test_a_damaged_entry_is_not_listed_but_can_be_removed);
    ADD("what-is-no-name-is-not-found-without-an-error",
        test_what_is_no_name_is_not_found_without_an_error);
    ADD("what-killed-processes-left-is-swept-and-live-drafts-are-not",
        test_what_killed_processes_left_is_swept_and_live_drafts_are_not);
    ADD("drafts-are-not-listed", test_drafts_are_not_listed);
    ADD("the-running-image-is-looked-for-by-its-release",
        test_the_running_image_is_looked_for_by_its_release);
    ADD("an-unreadable-running-image-is-passed-over",
        test_an_unreadable_running_image_is_passed_over);
    ADD("a-kernel-is-a-file-before-it-is-an-entry", test_a_kernel_is_a_file_before_it_is_an_entry);
    ADD("a-kernel-that-cannot-be-looked-at-is-not-said-to-be-missing",
        test_a_kernel_that_cannot_be_looked_at_is_not_said_to_be_missing);
    ADD("a-kernel-below-a-closed-directory-is-denied",
        test_a_kernel_below_a_closed_directory_is_denied);
    ADD("without-any-kernel-the-default-names-pull",
        test_without_any_kernel_the_default_names_pull);
    ADD("without-a-kernel-of-another-architecture-the-default-names-add",
        test_without_a_kernel_of_another_architecture_the_default_names_add);
    ADD("the-default-is-the-newest-of-the-architecture",
        test_the_default_is_the_newest_of_the_architecture);
    ADD("the-default-can-mount-a-9p-root-if-one-can",
        test_the_default_can_mount_a_9p_root_if_one_can);
    return g_test_run();
}
