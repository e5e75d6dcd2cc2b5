/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cache.h"

#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "base/error.h"
#include "base/tempdir.h"

typedef struct {
    char *directory; /* owned */
    char *top;       /* owned; of the cache, which is not there yet */
} Fixture;

static void
set_up(Fixture *fixture, gconstpointer data)
{
    fixture->directory = mf_tempdir_make(NULL);
    fixture->top = g_build_filename(fixture->directory, "cache", NULL);
    g_setenv("MAYFLY_CACHE_DIR", fixture->top, TRUE);
}

static void
tear_down(Fixture *fixture, gconstpointer data)
{
    mf_tempdir_remove(fixture->directory);
    g_free(fixture->top);
    g_free(fixture->directory);
}

static void
test_looking_for_a_section_makes_nothing(Fixture *fixture, gconstpointer data)
{
    g_autofree char *found = NULL;

    g_assert_true(mf_cache_find_dir("kernels", &found, NULL));
    g_assert_null(found);
    g_assert_false(g_file_test(fixture->top, G_FILE_TEST_EXISTS));
}

static void
test_a_section_that_was_made_is_found(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *made = mf_cache_dir("kernels", &error);
    g_autofree char *found = NULL;
    g_autofree char *other = NULL;
    g_autofree char *expected = g_build_filename(fixture->top, "kernels", NULL);

    g_assert_no_error(error);
    g_assert_cmpstr(made, ==, expected);
    g_assert_true(mf_cache_find_dir("kernels", &found, NULL));
    g_assert_cmpstr(found, ==, expected);
    g_assert_true(mf_cache_find_dir("images", &other, NULL));
    g_assert_null(other);
}

static void
test_a_named_cache_that_cannot_be_one_is_named(Fixture *fixture, gconstpointer data)
{
    g_autofree char *found = NULL;
    g_autoptr(GError) error = NULL;

    g_setenv("MAYFLY_CACHE_DIR", "/dev/null/cache", TRUE);
    g_assert_false(mf_cache_find_dir("kernels", &found, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_HOST);
    g_assert_nonnull(strstr(error->message, "'/dev/null/cache'"));
}

static void
test_a_section_is_made_for_its_owner_alone(Fixture *fixture, gconstpointer data)
{
    g_autofree char *made = mf_cache_dir("kernels", NULL);
    GStatBuf status;

    g_assert_cmpint(g_stat(made, &status), ==, 0);
    g_assert_cmpint(status.st_mode & 0777, ==, 0700);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/cache/looking-for-a-section-makes-nothing", Fixture, NULL, set_up,
               test_looking_for_a_section_makes_nothing, tear_down);
    g_test_add("/cache/a-section-that-was-made-is-found", Fixture, NULL, set_up,
               test_a_section_that_was_made_is_found, tear_down);
    g_test_add("/cache/a-named-cache-that-cannot-be-one-is-named", Fixture, NULL, set_up,
               test_a_named_cache_that_cannot_be_one_is_named, tear_down);
    g_test_add("/cache/a-section-is-made-for-its-owner-alone", Fixture, NULL, set_up,
               test_a_section_is_made_for_its_owner_alone, tear_down);
    return g_test_run();
}
