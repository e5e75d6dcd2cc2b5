/* SPDX-License-Identifier: Apache-2.0 */
#include "run/artifact-store.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/tempdir.h"

typedef struct {
    char *top;       /* owned; everything is in here */
    char *directory; /* owned; of the store; not there at first */
} Fixture;

static void
set_up(Fixture *self, gconstpointer unused)
{
    self->top = mf_tempdir_make(NULL);
    g_assert_nonnull(self->top);
    self->directory = g_build_filename(self->top, "out", "artifacts", NULL);
}

static void
tear_down(Fixture *self, gconstpointer unused)
{
    mf_tempdir_remove(self->top);
    g_free(self->top);
    g_free(self->directory);
}

static MfArtifactStore *
open_store(Fixture *self, guint max_files, guint64 max_bytes)
{
    g_autoptr(GError) error = NULL;
    MfArtifactStore *store = mf_artifact_store_new(self->directory, max_files, max_bytes, &error);

    g_assert_no_error(error);
    return store;
}

static gboolean
put(MfArtifactStore *store, const char *path, const char *text, GError **error)
{
    return mf_artifact_store_begin(store, path, error) &&
           mf_artifact_store_write(store, text, strlen(text), error) &&
           mf_artifact_store_end(store, error);
}

static void
assert_file(Fixture *self, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(self->directory, name, NULL);
    g_autofree char *found = NULL;

    g_file_get_contents(path, &found, NULL, NULL);
    g_assert_cmpstr(found, ==, text);
}

/* How many entries the directory has, with those that are hidden. */
static guint
count_entries(const char *directory)
{
    g_autoptr(GDir) dir = g_dir_open(directory, 0, NULL);
    guint n = 0;

    while (g_dir_read_name(dir))
        n++;
    return n;
}

static void
test_names_stay_below_the_directory(void)
{
    g_autofree char *long_part = g_strnfill(256, 'x');
    g_autofree char *part = g_strnfill(255, 'x');
    g_autofree char *fifth = g_strnfill((MF_ARTIFACT_NAME_MAX - 4) / 5, 'x');
    g_autofree char *longest = g_strdup_printf("%s/%s/%s/%s/%s", fifth, fifth, fifth, fifth, fifth);
    g_autofree char *too_long = g_strdup_printf("%sz", longest);
    const struct {
        const char *path, *name;
    } cases[] = {
        {"a", "a"},
        {"a/b.log", "a/b.log"},
        {"/var/log/x", "var/log/x"},
        {"./a//b/./c", "a/b/c"},
        {"a b,c", "a b,c"},
        {"-x", "-x"},
        {"..a/b..", "..a/b.."},
        {"..", NULL},
        {"../a", NULL},
        {"a/../b", NULL},
        {"/..", NULL},
        {"a/..", NULL},
        {"", NULL},
        {"/", NULL},
        {".", NULL},
        {"a\nb", NULL},
        {"a\x1b[2J", NULL},
        {"\x7f", NULL},
        {part, part},
        {long_part, NULL},
        {longest, longest},
        {too_long, NULL},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *name = mf_artifact_name(cases[i].path);

        g_assert_cmpstr(name, ==, cases[i].name);
    }
}

static void
test_files_arrive_with_their_directories(Fixture *self, gconstpointer unused)
{
    g_autoptr(MfArtifactStore) store = open_store(self, 10, 100);
    g_autoptr(GError) error = NULL;

    g_assert_true(put(store, "/a/b/c", "one", &error) && put(store, "a/d", "two", &error) &&
                  put(store, "empty", "", &error));
    g_assert_no_error(error);
    assert_file(self, "a/b/c", "one");
    assert_file(self, "a/d", "two");
    assert_file(self, "empty", "");
    g_assert_cmpuint(count_entries(self->directory), ==, 2);
}

static void
test_a_later_run_replaces_what_an_earlier_one_left(Fixture *self, gconstpointer unused)
{
    for (int i = 0; i < 2; i++) {
        g_autoptr(MfArtifactStore) store = open_store(self, 1, 100);

        g_assert_true(put(store, "a", i ? "new" : "old and longer", NULL));
    }
    assert_file(self, "a", "new");
}

static void
test_symbolic_links_of_the_host_are_not_followed(Fixture *self, gconstpointer unused)
{
    g_autoptr(MfArtifactStore) store = open_store(self, 10, 100);
    g_autofree char *victim = g_build_filename(self->top, "victim", NULL);
    g_autofree char *outside = g_build_filename(self->top, "outside", NULL);
    g_autofree char *link = g_build_filename(self->directory, "link", NULL);
    g_autofree char *way = g_build_filename(self->directory, "way", NULL);
    g_autofree char *untouched = NULL;
    struct stat status;
    g_autoptr(GError) error = NULL;

    g_assert_true(g_file_set_contents(victim, "untouched", -1, NULL));
    g_assert_cmpint(g_mkdir(outside, 0755), ==, 0);
    g_assert_cmpint(symlink(victim, link), ==, 0);
    g_assert_cmpint(symlink(outside, way), ==, 0);

    /* The link itself is replaced. */
    g_assert_true(put(store, "link", "artifact", &error));
    g_assert_cmpint(lstat(link, &status), ==, 0);
    g_assert_true(S_ISREG(status.st_mode));
    g_assert_true(g_file_get_contents(victim, &untouched, NULL, NULL));
    g_assert_cmpstr(untouched, ==, "untouched");

    g_assert_false(put(store, "way/in", "artifact", &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_GUEST);
    g_assert_cmpuint(count_entries(outside), ==, 0);
}

static void
test_a_file_in_the_way_of_a_directory_is_no_failure_of_the_host(Fixture *self, gconstpointer unused)
{
    g_autoptr(MfArtifactStore) store = open_store(self, 10, 100);
    g_autoptr(GError) error = NULL;

    g_assert_true(put(store, "a", "file", &error));
    g_assert_false(put(store, "a/b", "below it", &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_GUEST);
    g_clear_error(&error);
    g_assert_true(put(store, "c/d", "file", &error));
    g_assert_false(put(store, "c", "over it", &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_GUEST);
    assert_file(self, "a", "file");
    assert_file(self, "c/d", "file");
    g_assert_cmpuint(count_entries(self->directory), ==, 2);
}

static void
test_as_many_files_as_allowed_and_no_more(Fixture *self, gconstpointer unused)
{
    g_autoptr(MfArtifactStore) store = open_store(self, 2, 100);
    g_autoptr(GError) error = NULL;

    g_assert_true(put(store, "a", "", &error) && put(store, "b", "", &error));
    g_assert_false(put(store, "c", "", &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_GUEST);
    g_assert_cmpstr(error->message, ==,
                    "The artifact 'c' is left out: there are more than 2 files.");
    g_assert_cmpuint(count_entries(self->directory), ==, 2);
}

static void
test_as_many_bytes_as_allowed_and_no_more(Fixture *self, gconstpointer unused)
{
    g_autoptr(MfArtifactStore) store = open_store(self, 10, 8);
    g_autoptr(GError) error = NULL;

    g_assert_true(put(store, "a", "four", &error) && put(store, "b", "more", &error));
    g_assert_no_error(error);
    g_assert_false(put(store, "c", "x", &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_GUEST);
    g_assert_cmpuint(count_entries(self->directory), ==, 2);
}

static void
test_what_is_not_complete_is_not_left_behind(Fixture *self, gconstpointer unused)
{
    MfArtifactStore *store = open_store(self, 10, 100);

    g_assert_true(mf_artifact_store_begin(store, "a", NULL));
    g_assert_true(mf_artifact_store_write(store, "half", 4, NULL));
    mf_artifact_store_drop(store);
    g_assert_cmpuint(count_entries(self->directory), ==, 0);
    g_assert_true(mf_artifact_store_begin(store, "b", NULL));
    mf_artifact_store_free(store);
    g_assert_cmpuint(count_entries(self->directory), ==, 0);
}

static void
test_a_directory_that_cannot_be_made_is_named(Fixture *self, gconstpointer unused)
{
    g_autofree char *blocked = g_build_filename(self->top, "out", NULL);
    g_autoptr(GError) error = NULL;

    g_assert_true(g_file_set_contents(blocked, "a file", -1, NULL));
    g_assert_null(mf_artifact_store_new(self->directory, 1, 1, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_HOST);
    g_assert_nonnull(strstr(error->message, self->directory));
}

#define ADD(name, function)                                                                        \
    g_test_add("/artifact-store/" name, Fixture, NULL, set_up, function, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/artifact-store/names-stay-below-the-directory",
                    test_names_stay_below_the_directory);
    ADD("files-arrive-with-their-directories", test_files_arrive_with_their_directories);
    ADD("a-later-run-replaces-what-an-earlier-one-left",
        test_a_later_run_replaces_what_an_earlier_one_left);
    ADD("symbolic-links-of-the-host-are-not-followed",
        test_symbolic_links_of_the_host_are_not_followed);
    ADD("a-file-in-the-way-of-a-directory-is-no-failure-of-the-host",
        test_a_file_in_the_way_of_a_directory_is_no_failure_of_the_host);
    ADD("as-many-files-as-allowed-and-no-more", test_as_many_files_as_allowed_and_no_more);
    ADD("as-many-bytes-as-allowed-and-no-more", test_as_many_bytes_as_allowed_and_no_more);
    ADD("what-is-not-complete-is-not-left-behind", test_what_is_not_complete_is_not_left_behind);
    ADD("a-directory-that-cannot-be-made-is-named", test_a_directory_that_cannot_be_made_is_named);
    return g_test_run();
}
