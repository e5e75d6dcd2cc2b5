/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/kernel-build.h"

#include <glib/gstdio.h>
#include <string.h>

#include "catalog-fixture.h"
#include "image-fixture.h"

/* Does what a kernel's Makefile does, as far as files show it: "make -s -C SOURCE [O=OUTPUT] -jN
 * [TARGET]". The option that the file 'drops' names does not survive. */
static const char fake_make[] =
    "#!/bin/sh\n"
    "echo \"$*\" >> \"$FAKE/made\"\n"
    "out=$3\n"
    "for last; do case $last in O=*) out=${last#O=};; esac; done\n"
    "cd \"$out\" || exit 9\n"
    "if [ -e \"$FAKE/fails-at-$last\" ]; then\n"
    "    for line in 1 2 3 4 5 6 7; do echo \"line $line\" >&2; done; exit 2\n"
    "fi\n"
    "case $last in\n"
    "*config) [ $last = olddefconfig ] || echo CONFIG_TINY=y > .config\n"
    "    grep -vxf \"$FAKE/drops\" .config > new; mv new .config ;;\n"
    "*) mkdir -p include/config arch/x86/boot\n"
    "    cp \"$FAKE/image\" arch/x86/boot/bzImage\n"
    "    echo " FIXTURE_RELEASE " > include/config/kernel.release ;;\n"
    "esac\n";

typedef struct {
    CatalogFixture catalog;
    char *source, *output;
    MfKernelBuildRequest request;
} Fixture;

static void
set_up(Fixture *fixture, gconstpointer data)
{
    CatalogFixture *catalog = &fixture->catalog;

    catalog_set_up(catalog, NULL);
    fixture->source = g_build_filename(catalog->directory, "linux", NULL);
    fixture->output = g_build_filename(catalog->directory, "out", "deep", NULL);
    g_free(fixture_write_text(catalog->directory, "linux/Makefile", ""));
    g_free(fixture_write_text(catalog->directory, "linux/Kconfig", ""));
    g_free(fixture_write_text(catalog->directory, "linux/scripts/kconfig/Makefile", ""));
    g_free(fixture_write_text(catalog->directory, "drops", "CONFIG_NEVER=y\n"));
    g_free(fixture_write(catalog->directory, "image", catalog->image));

    g_autofree char *make = fixture_write_text(catalog->directory, "bin/make", fake_make);
    g_assert_cmpint(g_chmod(make, 0755), ==, 0);
    fixture->request = (MfKernelBuildRequest){.source = fixture->source, .jobs = 3};
}

static void
tear_down(Fixture *fixture, gconstpointer data)
{
    g_free(fixture->source);
    g_free(fixture->output);
    catalog_tear_down(&fixture->catalog, NULL);
}

static void
on_built(GObject *source, GAsyncResult *result, gpointer data)
{
    CatalogFixture *catalog = data;

    mf_kernel_build_finish(result, &catalog->entry, &catalog->error);
    g_main_loop_quit(catalog->loop);
}

static void
build(Fixture *fixture)
{
    CatalogFixture *catalog = &fixture->catalog;

    g_clear_pointer(&catalog->entry, mf_catalog_entry_free);
    g_clear_error(&catalog->error);
    mf_kernel_build_async(&fixture->request, NULL, NULL, catalog->cancellable, on_built, catalog);
    g_main_loop_run(catalog->loop);
}

static char *
read_text(Fixture *fixture, const char *name)
{
    g_autofree char *path = g_build_filename(fixture->catalog.directory, name, NULL);
    char *text = NULL;

    g_file_get_contents(path, &text, NULL, NULL);
    return text;
}

static void
test_a_tree_without_configuration_becomes_a_small_kernel(Fixture *fixture, gconstpointer data)
{
    fixture->request.name = "mine";
    build(fixture);
    g_assert_no_error(fixture->catalog.error);
    g_assert_cmpstr(fixture->catalog.entry->name, ==, "mine");
    g_assert_cmpstr(fixture->catalog.entry->release, ==, FIXTURE_RELEASE);

    g_autofree char *made = read_text(fixture, "made");
    g_autofree char *config = read_text(fixture, "linux/.config");
    g_autofree char *expected =
        g_strdup_printf("-s -C %s -j3 tinyconfig\n-s -C %s -j3 olddefconfig\n-s -C %s -j3\n",
                        fixture->source, fixture->source, fixture->source);
    g_assert_cmpstr(made, ==, expected);
    g_assert_nonnull(strstr(config, "CONFIG_TINY=y\n"));
    g_assert_nonnull(strstr(config, "CONFIG_9P_FS=y\n"));
    g_assert_nonnull(strstr(config, "# CONFIG_IPV6 is not set\n"));
}

static void
test_a_configuration_of_one_s_own_keeps_what_it_has(Fixture *fixture, gconstpointer data)
{
    g_autofree char *config =
        fixture_write_text(fixture->catalog.directory, "own.config",
                           "CONFIG_IPV6=y\nCONFIG_9P_FS=m\nCONFIG_LOCALVERSION=\"-own\"\n");

    fixture->request.config = config;
    fixture->request.output = fixture->output;
    build(fixture);
    g_assert_no_error(fixture->catalog.error);

    g_autofree char *made = read_text(fixture, "made");
    g_autofree char *text = read_text(fixture, "out/deep/.config");
    g_autofree char *source_config = read_text(fixture, "linux/.config");
    g_autofree char *option = g_strdup_printf(" O=%s ", fixture->output);
    g_assert_null(strstr(made, "tinyconfig"));
    g_assert_nonnull(strstr(made, option));
    g_assert_nonnull(strstr(text, "CONFIG_IPV6=y\n"));
    g_assert_nonnull(strstr(text, "CONFIG_9P_FS=y\n"));
    g_assert_nonnull(strstr(text, "CONFIG_LOCALVERSION=\"-own\"\n"));
    g_assert_null(strstr(text, "is not set"));
    g_assert_null(source_config);
}

static void
test_the_configuration_that_is_there_is_started_from(Fixture *fixture, gconstpointer data)
{
    g_free(fixture_write_text(fixture->catalog.directory, "linux/.config", "CONFIG_IPV6=y\n"));
    build(fixture);
    g_assert_no_error(fixture->catalog.error);

    g_autofree char *text = read_text(fixture, "linux/.config");
    g_assert_nonnull(strstr(text, "CONFIG_IPV6=y\n"));
}

static void
test_options_that_the_tree_drops_are_named_and_nothing_is_built(Fixture *fixture,
                                                                gconstpointer data)
{
    g_free(fixture_write_text(fixture->catalog.directory, "drops",
                              "CONFIG_VIRTIO_FS=y\nCONFIG_OVERLAY_FS=y\n"));
    build(fixture);
    catalog_assert_refused(&fixture->catalog, MF_ERROR_CONFIG,
                           "CONFIG_VIRTIO_FS=y, CONFIG_OVERLAY_FS=y are not in");

    g_autofree char *made = read_text(fixture, "made");
    g_assert_true(g_str_has_suffix(made, "olddefconfig\n"));
}

static void
test_only_to_configure_builds_and_adds_nothing(Fixture *fixture, gconstpointer data)
{
    fixture->request.configure_only = TRUE;
    build(fixture);
    g_assert_no_error(fixture->catalog.error);
    g_assert_null(fixture->catalog.entry);
    g_assert_cmpuint(catalog_count_directories(&fixture->catalog), ==, 0);

    g_autofree char *made = read_text(fixture, "made");
    g_assert_true(g_str_has_suffix(made, "olddefconfig\n"));
}

static void
test_a_failure_of_make_is_told_with_its_last_lines(Fixture *fixture, gconstpointer data)
{
    g_free(fixture_write_text(fixture->catalog.directory, "fails-at--j3", ""));
    build(fixture);
    catalog_assert_refused(&fixture->catalog, MF_ERROR_REMOTE,
                           "could not be built: line 2; line 3");
    g_assert_null(strchr(fixture->catalog.error->message, '\n'));
    g_free(fixture_write_text(fixture->catalog.directory, "fails-at-olddefconfig", ""));
    build(fixture);
    catalog_assert_refused(&fixture->catalog, MF_ERROR_REMOTE, "could not be configured: ");
}

static void
test_what_is_no_source_is_said_before_anything_is_made(Fixture *fixture, gconstpointer data)
{
    fixture->request.source = fixture->catalog.directory;
    build(fixture);
    catalog_assert_refused(&fixture->catalog, MF_ERROR_CONFIG, "is not the source of a kernel");
    fixture->request.source = fixture->source;
    fixture->request.config = "/nonexistent";
    build(fixture);
    catalog_assert_refused(&fixture->catalog, MF_ERROR_CONFIG, "'/nonexistent' cannot be read");
    fixture->request.name = "../x";
    build(fixture);
    catalog_assert_refused(&fixture->catalog, MF_ERROR_CONFIG, "'../x'");

    g_autofree char *made = read_text(fixture, "made");
    g_assert_null(made);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/kernel-build/a-tree-without-configuration-becomes-a-small-kernel", Fixture, NULL,
               set_up, test_a_tree_without_configuration_becomes_a_small_kernel, tear_down);
    g_test_add("/kernel-build/a-configuration-of-ones-own-keeps-what-it-has", Fixture, NULL, set_up,
               test_a_configuration_of_one_s_own_keeps_what_it_has, tear_down);
    g_test_add("/kernel-build/the-configuration-that-is-there-is-started-from", Fixture, NULL,
               set_up, test_the_configuration_that_is_there_is_started_from, tear_down);
    g_test_add("/kernel-build/options-that-the-tree-drops-are-named-and-nothing-is-built", Fixture,
               NULL, set_up, test_options_that_the_tree_drops_are_named_and_nothing_is_built,
               tear_down);
    g_test_add("/kernel-build/only-to-configure-builds-and-adds-nothing", Fixture, NULL, set_up,
               test_only_to_configure_builds_and_adds_nothing, tear_down);
    g_test_add("/kernel-build/a-failure-of-make-is-told-with-its-last-lines", Fixture, NULL, set_up,
               test_a_failure_of_make_is_told_with_its_last_lines, tear_down);
    g_test_add("/kernel-build/what-is-no-source-is-said-before-anything-is-made", Fixture, NULL,
               set_up, test_what_is_no_source_is_said_before_anything_is_made, tear_down);
    return g_test_run();
}
