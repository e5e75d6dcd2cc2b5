/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/run-dir.h"

#include <glib/gstdio.h>
#include <string.h>

#include "base/error.h"
#include "base/tempdir.h"
#include "case-fixture.h"
#include "suite/capture.h"
#include "suite/outcome.h"

typedef struct {
    char *top;        /* owned; for the test to work in */
    GPtrArray *cases; /* owned; one */
} Fixture;

static void
begin(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    fixture->top = mf_tempdir_make(&error);
    g_assert_no_error(error);
    fixture->cases = case_array_new();
    case_array_add(fixture->cases, "build (6.1)", "");
}

static void
end(Fixture *fixture, gconstpointer data)
{
    mf_tempdir_remove(fixture->top);
    g_free(fixture->top);
    g_ptr_array_unref(fixture->cases);
}

static MfRunDir *
open_good(const char *path)
{
    g_autoptr(GError) error = NULL;
    MfRunDir *run_dir = mf_run_dir_new(path, &error);

    g_assert_no_error(error);
    return run_dir;
}

/* The case's directory for an attempt, with a file of its output in it. */
static char *
begin_attempt(const Fixture *fixture, const MfRunDir *run_dir, guint attempt, const char *output)
{
    g_autoptr(GError) error = NULL;
    char *path = mf_run_dir_begin(run_dir, fixture->cases->pdata[0], attempt, &error);

    g_assert_no_error(error);
    g_autofree char *file = g_build_filename(path, MF_RUN_DIR_STDOUT, NULL);
    g_assert_false(g_file_test(file, G_FILE_TEST_EXISTS));
    g_assert_true(g_file_set_contents(file, output, -1, NULL));
    return path;
}

static void
assert_content(const char *directory, const char *name, const char *expected)
{
    g_autofree char *path = g_build_filename(directory, name, NULL);
    g_autofree char *text = NULL;

    g_file_get_contents(path, &text, NULL, NULL);
    g_assert_cmpstr(text, ==, expected);
}

static void
test_is_made_with_its_parents(Fixture *fixture, gconstpointer data)
{
    g_autofree char *path = g_build_filename(fixture->top, "a", "b", NULL);
    g_autoptr(MfRunDir) run_dir = open_good(path);
    g_autofree char *attempt = begin_attempt(fixture, run_dir, 1, "out");

    g_assert_cmpstr(mf_run_dir_get_path(run_dir), ==, path);
    g_assert_true(g_str_has_prefix(attempt, path));
    assert_content(attempt, MF_RUN_DIR_STDOUT, "out");
}

static void
test_files_of_somebody_else_are_not_touched(Fixture *fixture, gconstpointer data)
{
    g_autofree char *file = g_build_filename(fixture->top, "thesis.tex", NULL);
    g_autoptr(GError) error = NULL;

    g_assert_true(g_file_set_contents(file, "words", -1, NULL));
    g_autoptr(MfRunDir) run_dir = mf_run_dir_new(fixture->top, &error);
    g_assert_null(run_dir);
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    g_assert_nonnull(strstr(error->message, fixture->top));
    assert_content(fixture->top, "thesis.tex", "words");
}

static void
test_a_file_is_no_run_directory(Fixture *fixture, gconstpointer data)
{
    g_autofree char *file = g_build_filename(fixture->top, "file", NULL);
    g_autoptr(GError) error = NULL;

    g_assert_true(g_file_set_contents(file, "words", -1, NULL));
    g_autoptr(MfRunDir) run_dir = mf_run_dir_new(file, &error);
    g_assert_null(run_dir);
    g_assert_error(error, MF_ERROR, MF_ERROR_HOST);
    assert_content(fixture->top, "file", "words");
}

static void
test_two_at_once_are_refused(Fixture *fixture, gconstpointer data)
{
    g_autoptr(MfRunDir) first = open_good(fixture->top);
    g_autoptr(GError) error = NULL;
    g_autoptr(MfRunDir) second = mf_run_dir_new(fixture->top, &error);

    g_assert_null(second);
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    g_clear_pointer(&first, mf_run_dir_free);
    second = open_good(fixture->top);
}

static void
test_another_suite_replaces_what_the_last_one_left_of_a_case(Fixture *fixture, gconstpointer data)
{
    g_autoptr(MfRunDir) first = open_good(fixture->top);

    g_free(begin_attempt(fixture, first, 1, "old one"));
    g_autofree char *path = begin_attempt(fixture, first, 2, "old two");
    g_autofree char *other = g_build_filename(fixture->top, "other", NULL);
    g_assert_cmpint(g_mkdir(other, 0755), ==, 0);
    g_clear_pointer(&first, mf_run_dir_free);

    g_autoptr(MfRunDir) second = open_good(fixture->top);
    g_free(begin_attempt(fixture, second, 1, "new"));
    assert_content(path, MF_RUN_DIR_STDOUT, "new");
    g_autofree char *aside = g_build_filename(path, "attempt-1", NULL);
    g_assert_false(g_file_test(aside, G_FILE_TEST_EXISTS));
    g_assert_true(g_file_test(other, G_FILE_TEST_IS_DIR));
}

static void
test_earlier_attempts_are_kept_aside(Fixture *fixture, gconstpointer data)
{
    g_autoptr(MfRunDir) run_dir = open_good(fixture->top);

    g_free(begin_attempt(fixture, run_dir, 1, "one"));
    g_free(begin_attempt(fixture, run_dir, 2, "two"));
    g_autofree char *path = begin_attempt(fixture, run_dir, 3, "three");
    assert_content(path, MF_RUN_DIR_STDOUT, "three");
    assert_content(path, "attempt-1/" MF_RUN_DIR_STDOUT, "one");
    assert_content(path, "attempt-2/" MF_RUN_DIR_STDOUT, "two");
}

/* All that a run writes but its artifacts. */
static const char *const all[] = {MF_RUN_DIR_CONSOLE, MF_RUN_DIR_STDOUT, MF_RUN_DIR_STDERR,
                                  MF_RUN_DIR_QEMU,    MF_RUN_DIR_RESULT, MF_RUN_DIR_TIMELINE};

static void
write_all(const char *directory)
{
    for (gsize i = 0; i < G_N_ELEMENTS(all); i++) {
        g_autofree char *path = g_build_filename(directory, all[i], NULL);

        g_assert_true(g_file_set_contents(path, "old", -1, NULL));
    }
}

static void
assert_all(const char *directory, gboolean there)
{
    for (gsize i = 0; i < G_N_ELEMENTS(all); i++) {
        g_autofree char *path = g_build_filename(directory, all[i], NULL);

        g_assert_cmpint(g_file_test(path, G_FILE_TEST_EXISTS), ==, there);
    }
}

static void
test_every_file_of_an_attempt_goes_aside_with_it(Fixture *fixture, gconstpointer data)
{
    g_autoptr(MfRunDir) run_dir = open_good(fixture->top);
    g_autofree char *path = begin_attempt(fixture, run_dir, 1, "one");
    g_autofree char *aside = g_build_filename(path, "attempt-1", NULL);

    write_all(path);
    g_free(mf_run_dir_begin(run_dir, fixture->cases->pdata[0], 2, NULL));
    assert_all(path, FALSE);
    assert_all(aside, TRUE);
}

static void
test_a_run_of_no_suite_has_the_directory_itself(Fixture *fixture, gconstpointer data)
{
    g_autoptr(MfRunDir) run_dir = open_good(fixture->top);

    write_all(fixture->top);
    g_assert_cmpstr(mf_run_dir_begin_alone(run_dir), ==, fixture->top);
    assert_all(fixture->top, FALSE);
}

static void
write_capture(MfCapture *capture, gsize size, char byte)
{
    g_autofree char *data = g_malloc(size);

    memset(data, byte, size);
    g_autoptr(GBytes) bytes = g_bytes_new_static(data, size);
    mf_capture_write(capture, bytes);
}

static void
test_a_capture_keeps_the_stream_in_the_file_and_its_end_in_memory(Fixture *fixture,
                                                                  gconstpointer data)
{
    g_autofree char *path = g_build_filename(fixture->top, "stdout", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(MfCapture) capture = mf_capture_new(path, MF_CAPTURE_FILE_MAX, &error);
    g_autofree char *text = NULL;
    gsize length;

    g_assert_no_error(error);
    g_assert_null(mf_capture_get_tail(capture));
    write_capture(capture, 1000, 'a');
    write_capture(capture, MF_OUTCOME_TAIL - 1, 'b');
    mf_capture_close(capture);

    g_autoptr(GBytes) tail = mf_capture_get_tail(capture);
    const char *kept = g_bytes_get_data(tail, &length);
    g_assert_cmpuint(length, ==, MF_OUTCOME_TAIL);
    g_assert_true(kept[0] == 'a' && kept[1] == 'b');
    g_assert_cmpuint(mf_capture_get_size(capture), ==, 1000 + MF_OUTCOME_TAIL - 1);
    g_assert_true(g_file_get_contents(path, &text, &length, NULL));
    g_assert_cmpuint(length, ==, 1000 + MF_OUTCOME_TAIL - 1);
}

/* The cap, to the byte: files with holes are not possible here, so this writes as much. */
static void
test_a_flood_fills_a_file_up_to_its_cap_and_no_further(Fixture *fixture, gconstpointer data)
{
    static const char note[] = "\nmayfly: 1 more bytes were left out here.\n";
    g_autofree char *path = g_build_filename(fixture->top, "stdout", NULL);
    g_autoptr(MfCapture) capture = mf_capture_new(path, MF_CAPTURE_FILE_MAX, NULL);
    GStatBuf status;

    for (guint64 written = 0; written < MF_CAPTURE_FILE_MAX; written += 1u << 20)
        write_capture(capture, 1u << 20, 'x');
    g_assert_cmpint(g_stat(path, &status), ==, 0);
    g_assert_cmpuint((guint64)status.st_size, ==, MF_CAPTURE_FILE_MAX);
    write_capture(capture, 1, 'y');
    mf_capture_close(capture);
    g_assert_cmpint(g_stat(path, &status), ==, 0);
    g_assert_cmpuint((guint64)status.st_size, ==, MF_CAPTURE_FILE_MAX + strlen(note));
    g_assert_cmpuint(mf_capture_get_size(capture), ==, MF_CAPTURE_FILE_MAX + 1);
}

static void
test_s1_a_log_has_its_directories_made_and_is_begun_anew(Fixture *fixture, gconstpointer data)
{
    g_autofree char *path = g_build_filename(fixture->top, "logs", "deep", "console.log", NULL);
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;

    for (int run = 1; run <= 2; run++) {
        g_autoptr(MfCapture) capture = mf_capture_new(path, G_MAXUINT64, &error);

        g_assert_no_error(error);
        write_capture(capture, 3 - run, 'x');
        mf_capture_close(capture);
    }
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, "x");
}

static void
test_s1_s15_a_log_that_cannot_be_is_an_error_before_anything_starts(Fixture *fixture,
                                                                    gconstpointer data)
{
    g_autofree char *file = g_build_filename(fixture->top, "file", NULL);
    g_autofree char *path = g_build_filename(file, "serial.log", NULL);
    g_autoptr(GError) error = NULL;

    g_assert_true(g_file_set_contents(file, "", 0, NULL));
    g_assert_null(mf_capture_new(path, G_MAXUINT64, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_HOST);
    g_assert_nonnull(strstr(error->message, path));
}

/* S-3: raw and complete, whatever it is and however much. */
static void
test_s3_a_log_has_every_byte(Fixture *fixture, gconstpointer data)
{
    static const char raw[] = "\xff\0\xc3\r\n\033[1m";
    g_autofree char *path = g_build_filename(fixture->top, "console.log", NULL);
    g_autoptr(MfCapture) capture = mf_capture_new(path, G_MAXUINT64, NULL);
    g_autoptr(GBytes) bytes = g_bytes_new_static(raw, sizeof(raw) - 1);
    g_autofree char *text = NULL;
    gsize length;

    mf_capture_write(capture, bytes);
    for (guint64 written = 0; written <= MF_CAPTURE_FILE_MAX; written += 1u << 20)
        write_capture(capture, 1u << 20, 'x');
    mf_capture_close(capture);
    g_assert_true(g_file_get_contents(path, &text, &length, NULL));
    g_assert_cmpuint(length, ==, sizeof(raw) - 1 + MF_CAPTURE_FILE_MAX + (1u << 20));
    g_assert_cmpmem(text, sizeof(raw) - 1, raw, sizeof(raw) - 1);
    g_assert_cmpint(text[length - 1], ==, 'x');
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *path;
        void (*test)(Fixture *, gconstpointer);
    } tests[] = {
        {"/run-dir/S-1/a-log-has-its-directories-made-and-is-begun-anew",
         test_s1_a_log_has_its_directories_made_and_is_begun_anew},
        {"/run-dir/S-1-S-15/a-log-that-cannot-be-is-an-error-before-anything-starts",
         test_s1_s15_a_log_that_cannot_be_is_an_error_before_anything_starts},
        {"/run-dir/S-3/a-log-has-every-byte", test_s3_a_log_has_every_byte},
        {"/run-dir/is-made-with-its-parents", test_is_made_with_its_parents},
        {"/run-dir/files-of-somebody-else-are-not-touched",
         test_files_of_somebody_else_are_not_touched},
        {"/run-dir/a-file-is-none", test_a_file_is_no_run_directory},
        {"/run-dir/two-at-once-are-refused", test_two_at_once_are_refused},
        {"/run-dir/another-suite-replaces-what-the-last-one-left-of-a-case",
         test_another_suite_replaces_what_the_last_one_left_of_a_case},
        {"/run-dir/earlier-attempts-are-kept-aside", test_earlier_attempts_are_kept_aside},
        {"/run-dir/every-file-of-an-attempt-goes-aside-with-it",
         test_every_file_of_an_attempt_goes_aside_with_it},
        {"/run-dir/a-run-of-no-suite-has-the-directory-itself",
         test_a_run_of_no_suite_has_the_directory_itself},
        {"/capture/keeps-the-stream-in-the-file-and-its-end-in-memory",
         test_a_capture_keeps_the_stream_in_the_file_and_its_end_in_memory},
        {"/capture/a-flood-fills-a-file-up-to-its-cap-and-no-further",
         test_a_flood_fills_a_file_up_to_its_cap_and_no_further},
    };

    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(tests); i++)
        g_test_add(tests[i].path, Fixture, NULL, begin, tests[i].test, end);
    return g_test_run();
}
