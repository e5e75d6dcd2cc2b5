/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cache.h"

#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

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

static void
publish(const char *path, const char *text)
{
    g_autofree char *temporary = NULL;
    g_autoptr(GError) error = NULL;
    int fd = mf_cache_begin(path, &temporary, &error);

    g_assert_no_error(error);
    g_assert_cmpint(write(fd, text, strlen(text)), ==, strlen(text));
    close(fd);
    g_assert_true(mf_cache_commit(temporary, path, &error));
    g_assert_no_error(error);
    g_assert_false(g_file_test(temporary, G_FILE_TEST_EXISTS));
}

/* Owned by the caller. */
static char *
identify(const char *path)
{
    struct stat status;

    g_assert_cmpint(stat(path, &status), ==, 0);
    return mf_cache_file_id(&status);
}

/* Saved machines know their kernel by it, in runs that all unpack it at the same time. */
static void
test_who_publishes_second_leaves_the_first_ones_identity(Fixture *fixture, gconstpointer data)
{
    g_autofree char *directory = mf_cache_dir("images", NULL);
    g_autofree char *path = g_build_filename(directory, "kernel", NULL);

    publish(path, "kernel");
    g_autofree char *first = identify(path);
    publish(path, "kernel");
    g_autofree char *second = identify(path);
    g_assert_cmpstr(first, ==, second);
}

static void
test_what_who_was_killed_has_left_is_removed(Fixture *fixture, gconstpointer data)
{
    g_autofree char *directory = mf_cache_dir("images", NULL);
    g_autofree char *path = g_build_filename(directory, "kernel", NULL);
    g_autofree char *other = g_build_filename(directory, "kernel.config", NULL);
    g_autofree char *forsaken = NULL;
    g_autofree char *current = NULL;
    g_autofree char *last = NULL;

    publish(other, "config");
    /* What the end of a process closes. */
    close(mf_cache_begin(path, &forsaken, NULL));
    int fd = mf_cache_begin(path, &current, NULL);
    g_assert_false(g_file_test(forsaken, G_FILE_TEST_EXISTS));
    int last_fd = mf_cache_begin(path, &last, NULL);
    g_assert_true(g_file_test(current, G_FILE_TEST_EXISTS));
    g_assert_true(mf_cache_commit(current, path, NULL));
    g_assert_true(g_file_test(other, G_FILE_TEST_EXISTS));
    close(fd);
    close(last_fd);
}

static void
test_what_is_not_whole_is_replaced(Fixture *fixture, gconstpointer data)
{
    g_autofree char *directory = mf_cache_dir("images", NULL);
    g_autofree char *path = g_build_filename(directory, "kernel", NULL);
    g_autofree char *text = NULL;

    publish(path, "ker");
    publish(path, "kernel");
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, "kernel");
}

static void
test_without_a_usable_place_the_message_says_why(void)
{
    g_autoptr(GError) error = NULL;

    if (!g_test_subprocess()) {
        g_test_trap_subprocess(NULL, 0, G_TEST_SUBPROCESS_INHERIT_STDERR);
        g_test_trap_assert_passed();
        return;
    }
    g_unsetenv("MAYFLY_CACHE_DIR");
    g_setenv("XDG_CACHE_HOME", "relative", TRUE);
    g_setenv("TMPDIR", "/dev/null", TRUE);
    errno = 0;
    g_assert_null(mf_cache_dir("kernels", &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_HOST);
    g_assert_nonnull(strstr(error->message, "'relative/mayfly'"));
    g_assert_true(g_str_has_suffix(error->message, g_strerror(EINVAL)));
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
    g_test_add("/cache/who-publishes-second-leaves-the-first-ones-identity", Fixture, NULL, set_up,
               test_who_publishes_second_leaves_the_first_ones_identity, tear_down);
    g_test_add("/cache/what-who-was-killed-has-left-is-removed", Fixture, NULL, set_up,
               test_what_who_was_killed_has_left_is_removed, tear_down);
    g_test_add("/cache/what-is-not-whole-is-replaced", Fixture, NULL, set_up,
               test_what_is_not_whole_is_replaced, tear_down);
    g_test_add("/cache/a-section-is-made-for-its-owner-alone", Fixture, NULL, set_up,
               test_a_section_is_made_for_its_owner_alone, tear_down);
    g_test_add_func("/cache/without-a-usable-place-the-message-says-why",
                    test_without_a_usable_place_the_message_says_why);
    return g_test_run();
}
