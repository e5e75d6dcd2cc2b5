/* SPDX-License-Identifier: Apache-2.0 */
#include "report/sink.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/tempdir.h"

typedef struct {
    char *directory; /* owned */
    char *path;      /* owned; of a file in it that is not there */
} Fixture;

static void
set_up(Fixture *self, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    self->directory = mf_tempdir_make(&error);
    g_assert_no_error(error);
    self->path = g_build_filename(self->directory, "report", NULL);
}

static void
tear_down(Fixture *self, gconstpointer data)
{
    mf_tempdir_remove(self->directory);
    g_free(self->directory);
    g_free(self->path);
}

static void
assert_content(const char *path, const char *expected)
{
    g_autofree char *content = NULL;
    g_autoptr(GError) error = NULL;

    g_file_get_contents(path, &content, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(content, ==, expected);
}

static guint
count_files(const char *directory)
{
    g_autoptr(GDir) dir = g_dir_open(directory, 0, NULL);
    guint count = 0;

    while (g_dir_read_name(dir))
        count++;
    return count;
}

static void
test_a_whole_file_is_there_only_in_the_end(Fixture *self, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MfSink) sink = mf_sink_open(self->path, MF_SINK_WHOLE, &error);

    g_assert_no_error(error);
    mf_sink_write_text(sink, "first\n");
    g_assert_false(g_file_test(self->path, G_FILE_TEST_EXISTS));
    mf_sink_write_text(sink, "second\n");
    g_assert_true(mf_sink_close(sink, &error));
    assert_content(self->path, "first\nsecond\n");
    g_assert_cmpuint(count_files(self->directory), ==, 1);
}

static void
test_a_whole_file_that_is_not_closed_stays_as_it_was(Fixture *self, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    g_file_set_contents(self->path, "of the last run\n", -1, &error);
    g_assert_no_error(error);
    g_autoptr(MfSink) sink = mf_sink_open(self->path, MF_SINK_WHOLE, &error);
    mf_sink_write_text(sink, "half of this");
    g_clear_pointer(&sink, mf_sink_free);
    assert_content(self->path, "of the last run\n");
    g_assert_cmpuint(count_files(self->directory), ==, 1);
}

static void
test_a_symbolic_link_stays_one(Fixture *self, gconstpointer data)
{
    g_autofree char *target = g_build_filename(self->directory, "target", NULL);
    g_autoptr(GError) error = NULL;

    g_file_set_contents(target, "old", -1, &error);
    g_assert_no_error(error);
    g_assert_cmpint(symlink("target", self->path), ==, 0);
    g_autoptr(MfSink) sink = mf_sink_open(self->path, MF_SINK_WHOLE, &error);
    mf_sink_write_text(sink, "new");
    g_assert_true(mf_sink_close(sink, &error));
    g_assert_true(g_file_test(self->path, G_FILE_TEST_IS_SYMLINK));
    assert_content(target, "new");
}

static void
test_a_live_file_is_written_at_once(Fixture *self, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MfSink) sink = mf_sink_open(self->path, MF_SINK_LIVE, &error);

    g_assert_no_error(error);
    mf_sink_write_text(sink, "first\n");
    assert_content(self->path, "first\n");
    g_assert_true(mf_sink_close(sink, &error));
}

static void
test_a_device_is_written_to_and_not_replaced(Fixture *self, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MfSink) sink = mf_sink_open("/dev/null", MF_SINK_WHOLE, &error);
    GStatBuf status;

    g_assert_no_error(error);
    mf_sink_write_text(sink, "gone");
    g_assert_true(mf_sink_close(sink, &error));
    g_assert_cmpint(g_stat("/dev/null", &status), ==, 0);
    g_assert_true(S_ISCHR(status.st_mode));
}

static void
test_a_full_disk_is_told_once_at_the_end(Fixture *self, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MfSink) sink = mf_sink_open("/dev/full", MF_SINK_LIVE, &error);

    g_assert_no_error(error);
    mf_sink_write_text(sink, "lost");
    mf_sink_write_text(sink, "lost too");
    g_assert_false(mf_sink_close(sink, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_HOST);
    g_assert_cmpstr(error->message, ==,
                    "The report to '/dev/full' is not complete: Writing 4 bytes failed: No space "
                    "left on device");
}

static void
test_where_nothing_can_be_written_is_told_at_once(Fixture *self, gconstpointer data)
{
    g_autofree char *below = g_build_filename(self->path, "below", NULL);
    const char *const bad[] = {"", self->directory, below};

    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(mf_sink_open(bad[i], MF_SINK_WHOLE, &error));
        g_assert_nonnull(error);
        g_assert_nonnull(strstr(error->message, bad[i]));
        g_clear_error(&error);
        g_assert_null(mf_sink_open(bad[i], MF_SINK_LIVE, &error));
        g_assert_nonnull(error);
    }
}

int
main(int argc, char **argv)
{
#define TEST(name, func) g_test_add(name, Fixture, NULL, set_up, func, tear_down)
    g_test_init(&argc, &argv, NULL);
    TEST("/report-sink/a-whole-file-is-there-only-in-the-end",
         test_a_whole_file_is_there_only_in_the_end);
    TEST("/report-sink/a-whole-file-that-is-not-closed-stays-as-it-was",
         test_a_whole_file_that_is_not_closed_stays_as_it_was);
    TEST("/report-sink/a-symbolic-link-stays-one", test_a_symbolic_link_stays_one);
    TEST("/report-sink/a-live-file-is-written-at-once", test_a_live_file_is_written_at_once);
    TEST("/report-sink/a-device-is-written-to-and-not-replaced",
         test_a_device_is_written_to_and_not_replaced);
    TEST("/report-sink/a-full-disk-is-told-once-at-the-end",
         test_a_full_disk_is_told_once_at_the_end);
    TEST("/report-sink/where-nothing-can-be-written-is-told-at-once",
         test_where_nothing_can_be_written_is_told_at_once);
    return g_test_run();
#undef TEST
}
