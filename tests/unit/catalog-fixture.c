/* SPDX-License-Identifier: Apache-2.0 */
#include "catalog-fixture.h"

#include <archive.h>
#include <glib/gstdio.h>
#include <string.h>

#include "image-fixture.h"
#include "package-fixture.h"

/* Writes the index that the entry needs; real modules are not needed for that. */
static const char fake_depmod[] = "#!/bin/sh\n"
                                  "[ \"$1\" = -b ] || exit 9\n"
                                  "echo \"$*\" >> \"$FAKE/depmod-log\"\n"
                                  "[ -e \"$FAKE/depmod-fails\" ] && { echo broken >&2; exit 1; }\n"
                                  "echo index > \"$2/usr/lib/modules/$3/modules.dep\"\n";

/* Knows one kernel, whose version is in a file; counts the downloads. */
static const char fake_apt_cache[] =
    "#!/bin/sh\n"
    "echo 'Package: linux-image-" FIXTURE_RELEASE "'\n"
    "echo \"Version: $(cat \"$FAKE/version\")\"\n"
    "case $3 in *-" FIXTURE_RELEASE ") ;; *) echo 'Depends: linux-image-" FIXTURE_RELEASE "';; "
    "esac\n";
static const char fake_apt_get[] = "#!/bin/sh\n"
                                   "echo \"$*\" >> \"$FAKE/downloads\"\n"
                                   "[ -e \"$FAKE/apt-fails\" ] && exit 100\n"
                                   "cp \"$FAKE/linux.deb\" .\n";

static void
write_program(CatalogFixture *fixture, const char *name, const char *text)
{
    g_autofree char *path = fixture_write_text(fixture->directory, name, text);

    g_assert_cmpint(g_chmod(path, 0755), ==, 0);
}

void
catalog_set_up(CatalogFixture *fixture, gconstpointer data)
{
    const FixtureKernel kernel = {.pvh = TRUE};
    g_autoptr(GBytes) vmlinux = fixture_vmlinux(&kernel);

    fixture->directory = fixture_begin();
    fixture->kernels = g_build_filename(g_getenv("MAYFLY_CACHE_DIR"), "kernels", NULL);
    fixture->package = g_build_filename(fixture->directory, "linux.deb", NULL);
    fixture->image = fixture_bzimage(vmlinux, "gzip");
    fixture->loop = g_main_loop_new(NULL, FALSE);
    fixture->cancellable = g_cancellable_new();

    write_program(fixture, "bin/depmod", fake_depmod);
    write_program(fixture, "bin/apt-cache", fake_apt_cache);
    write_program(fixture, "bin/apt-get", fake_apt_get);
    fixture->path_before = g_strdup(g_getenv("PATH"));
    g_autofree char *path = g_strdup_printf("%s/bin:%s", fixture->directory, fixture->path_before);
    g_setenv("PATH", path, TRUE);
    g_setenv("FAKE", fixture->directory, TRUE);
}

void
catalog_tear_down(CatalogFixture *fixture, gconstpointer data)
{
    g_setenv("PATH", fixture->path_before, TRUE);
    mf_catalog_entry_free(fixture->entry);
    g_clear_error(&fixture->error);
    g_object_unref(fixture->cancellable);
    g_main_loop_unref(fixture->loop);
    g_bytes_unref(fixture->image);
    g_free(fixture->path_before);
    g_free(fixture->package);
    g_free(fixture->kernels);
    fixture_end(fixture->directory);
}

static void
on_progress(const char *activity, double fraction, gpointer data)
{
    CatalogFixture *fixture = data;

    if (++fixture->told == fixture->cancel_at)
        g_cancellable_cancel(fixture->cancellable);
}

static void
on_added(GObject *source, GAsyncResult *result, gpointer data)
{
    CatalogFixture *fixture = data;

    fixture->entry = mf_catalog_add_finish(result, &fixture->error);
    g_main_loop_quit(fixture->loop);
}

void
catalog_add_all(CatalogFixture *fixture, const char *const *paths, const char *name)
{
    g_clear_pointer(&fixture->entry, mf_catalog_entry_free);
    g_clear_error(&fixture->error);
    mf_catalog_add_async(paths, name, on_progress, fixture, fixture->cancellable, on_added,
                         fixture);
    g_main_loop_run(fixture->loop);
}

void
catalog_add(CatalogFixture *fixture, const char *path, const char *name)
{
    const char *const paths[] = {path, NULL};

    catalog_add_all(fixture, paths, name);
}

static void
on_pulled(GObject *source, GAsyncResult *result, gpointer data)
{
    CatalogFixture *fixture = data;

    fixture->entry = mf_catalog_pull_finish(result, &fixture->error);
    g_main_loop_quit(fixture->loop);
}

void
catalog_pull(CatalogFixture *fixture, const char *version)
{
    g_autofree char *id = g_get_os_info(G_OS_INFO_KEY_ID);
    const char *what = g_strcmp0(id, "ubuntu") == 0 ? "ubuntu" : "debian";
    g_autofree char *noted = fixture_write_text(fixture->directory, "version", version);

    g_assert_nonnull(noted);
    g_clear_pointer(&fixture->entry, mf_catalog_entry_free);
    g_clear_error(&fixture->error);
    mf_catalog_pull_async(what, &(MfCatalogWish){NULL}, on_progress, fixture, fixture->cancellable,
                          on_pulled, fixture);
    g_main_loop_run(fixture->loop);
}

guint
catalog_count_downloads(CatalogFixture *fixture)
{
    g_autofree char *path = g_build_filename(fixture->directory, "downloads", NULL);
    g_autofree char *log = NULL;
    guint count = 0;

    g_file_get_contents(path, &log, NULL, NULL);
    for (const char *at = log; at && (at = strchr(at, '\n')); at++)
        count++;
    return count;
}

void
catalog_write_package(CatalogFixture *fixture)
{
    const FixtureItem items[] = {
        {"./boot/vmlinuz-" FIXTURE_RELEASE, .bytes = fixture->image},
        {"./boot/config-" FIXTURE_RELEASE, .content = "CONFIG_9P_FS=m\n"},
        {"./lib/modules/" FIXTURE_RELEASE "/kernel/fs/9p.ko", .content = "module"},
        {NULL},
    };

    fixture_write_deb(fixture->package, ARCHIVE_FILTER_GZIP, "data.tar.gz", items);
}

void
catalog_assert_file(CatalogFixture *fixture, const char *name, const char *expected)
{
    g_autofree char *path = g_build_filename(fixture->kernels, name, NULL);
    g_autofree char *content = NULL;

    g_file_get_contents(path, &content, NULL, NULL);
    g_assert_cmpstr(content, ==, expected);
}

guint
catalog_count_directories(CatalogFixture *fixture)
{
    g_autoptr(GDir) directory = g_dir_open(fixture->kernels, 0, NULL);
    guint count = 0;

    while (directory && g_dir_read_name(directory))
        count++;
    return count;
}

void
catalog_assert_refused(CatalogFixture *fixture, MfErrorCode code, const char *part)
{
    g_assert_null(fixture->entry);
    g_assert_error(fixture->error, MF_ERROR, (int)code);
    if (!strstr(fixture->error->message, part))
        g_error("'%s' is not in: %s", part, fixture->error->message);
    g_assert_cmpuint(catalog_count_directories(fixture), ==, 0);
}
