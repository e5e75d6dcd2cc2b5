/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/layer.h"

#include "base/tempdir.h"
#include "image-fixture.h"

typedef struct {
    char *directory, *root, *layer;
    GPtrArray *whiteouts;
} Fixture;

static void
set_up(Fixture *fixture, gconstpointer data)
{
    fixture->directory = mf_tempdir_make(NULL);
    fixture->root = g_build_filename(fixture->directory, "root", NULL);
    fixture->layer = g_build_filename(fixture->directory, "layer", NULL);
    fixture->whiteouts = g_ptr_array_new();
    g_assert_cmpint(g_mkdir_with_parents(fixture->root, 0700), ==, 0);
    g_assert_cmpint(g_mkdir_with_parents(fixture->layer, 0700), ==, 0);
}

static void
tear_down(Fixture *fixture, gconstpointer data)
{
    mf_tempdir_remove(fixture->directory);
    g_ptr_array_unref(fixture->whiteouts);
    g_free(fixture->directory);
    g_free(fixture->root);
    g_free(fixture->layer);
}

static void
put(const char *directory, const char *name, const char *text)
{
    g_free(fixture_write_text(directory, name, text));
}

static void
apply(Fixture *fixture)
{
    GError *error = NULL;

    g_assert_true(mf_layer_apply(fixture->layer, fixture->whiteouts, fixture->root, &error));
    g_assert_no_error(error);
}

static void
assert_file(Fixture *fixture, const char *name, const char *expected)
{
    g_autofree char *path = g_build_filename(fixture->root, name, NULL);
    g_autofree char *text = NULL;

    g_file_get_contents(path, &text, NULL, NULL);
    g_assert_cmpstr(text, ==, expected);
}

static void
test_a_layer_replaces_what_it_has_and_leaves_the_rest(Fixture *fixture, gconstpointer data)
{
    put(fixture->root, "a/b/old", "old");
    put(fixture->root, "a/b/both", "below");
    put(fixture->layer, "a/b/both", "above");
    put(fixture->layer, "a/new/file", "new");
    apply(fixture);
    assert_file(fixture, "a/b/old", "old");
    assert_file(fixture, "a/b/both", "above");
    assert_file(fixture, "a/new/file", "new");
}

static void
test_a_file_takes_the_place_of_a_directory_and_the_reverse(Fixture *fixture, gconstpointer data)
{
    put(fixture->root, "directory/file", "x");
    put(fixture->root, "file", "x");
    put(fixture->layer, "directory", "now a file");
    put(fixture->layer, "file/inside", "now a directory");
    apply(fixture);
    assert_file(fixture, "directory", "now a file");
    assert_file(fixture, "file/inside", "now a directory");
}

static void
test_a_whiteout_removes_what_was_below_and_not_what_comes_with_it(Fixture *fixture,
                                                                  gconstpointer data)
{
    put(fixture->root, "a/gone/deep/file", "x");
    put(fixture->root, "a/kept", "kept");
    put(fixture->layer, "a/gone/own", "own");
    g_ptr_array_add(fixture->whiteouts, (char *)"a/gone");
    g_ptr_array_add(fixture->whiteouts, (char *)"never/there");
    apply(fixture);
    assert_file(fixture, "a/gone/deep/file", NULL);
    assert_file(fixture, "a/gone/own", "own");
    assert_file(fixture, "a/kept", "kept");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/layer/a-layer-replaces-what-it-has-and-leaves-the-rest", Fixture, NULL, set_up,
               test_a_layer_replaces_what_it_has_and_leaves_the_rest, tear_down);
    g_test_add("/layer/a-file-takes-the-place-of-a-directory-and-the-reverse", Fixture, NULL,
               set_up, test_a_file_takes_the_place_of_a_directory_and_the_reverse, tear_down);
    g_test_add("/layer/a-whiteout-removes-what-was-below-and-not-what-comes-with-it", Fixture, NULL,
               set_up, test_a_whiteout_removes_what_was_below_and_not_what_comes_with_it,
               tear_down);
    return g_test_run();
}
