/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <glib-unix.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "run/input.h"
#include "run/output.h"
#include "run/stdio.h"

#define MIB (1u << 20)

static void
iterate_until(const gboolean *done)
{
    while (!*done)
        g_main_context_iteration(NULL, TRUE);
}

static void
set_true(gpointer source, gpointer data)
{
    *(gboolean *)data = TRUE;
}

/* A pattern that repeats with no power of two, so that a lost or doubled block shows. */
static GBytes *
make_pattern(gsize size)
{
    guint8 *data = g_malloc(size);

    for (gsize i = 0; i < size; i++)
        data[i] = (guint8)((i * 7 + i / 251) % 251);
    return g_bytes_new_take(data, size);
}

static gpointer
read_all(gpointer data)
{
    GByteArray *all = g_byte_array_new();
    int fd = GPOINTER_TO_INT(data);
    guint8 chunk[1000];
    ssize_t n;

    while ((n = read(fd, chunk, sizeof(chunk))) > 0)
        g_byte_array_append(all, chunk, (guint)n);
    return all;
}

static void
test_a_slow_pipe_gets_every_byte_and_never_blocks(void)
{
    int ends[2];
    gboolean drained = FALSE;
    g_autoptr(GBytes) pattern = make_pattern(3 * MIB + 17);

    g_assert_cmpint(pipe2(ends, O_CLOEXEC), ==, 0);
    g_autoptr(MfOutput) output = mf_output_new(ends[1]);
    g_signal_connect(output, "drained", G_CALLBACK(set_true), &drained);
    /* Nobody reads yet: a write that blocked would hang here. */
    mf_output_write(output, pattern);
    g_assert_cmpuint(mf_output_get_queued(output), >, 2 * MIB);
    g_assert_cmpint(fcntl(ends[1], F_GETFL) & O_NONBLOCK, ==, 0);

    GThread *reader = g_thread_new("reader", read_all, GINT_TO_POINTER(ends[0]));
    iterate_until(&drained);
    g_assert_cmpuint(mf_output_get_queued(output), ==, 0);
    g_clear_object(&output);
    close(ends[1]);
    g_autoptr(GByteArray) all = g_thread_join(reader);
    close(ends[0]);
    g_assert_cmpmem(all->data, all->len, g_bytes_get_data(pattern, NULL),
                    g_bytes_get_size(pattern));
}

static void
test_a_reader_that_leaves_breaks_the_output_once(void)
{
    int ends[2];
    gboolean broken = FALSE;
    g_autoptr(GBytes) pattern = make_pattern(10);

    g_assert_cmpint(pipe2(ends, O_CLOEXEC), ==, 0);
    g_autoptr(MfOutput) output = mf_output_new(ends[1]);
    g_signal_connect(output, "broken", G_CALLBACK(set_true), &broken);
    close(ends[0]);
    mf_output_write(output, pattern);
    iterate_until(&broken);
    g_assert_true(mf_output_is_broken(output));
    broken = FALSE;
    mf_output_write(output, pattern);
    g_assert_false(broken);
    g_assert_cmpuint(mf_output_get_queued(output), ==, 0);
    close(ends[1]);
}

static void
test_a_full_disk_is_an_error_and_a_reader_that_left_is_not(void)
{
    int ends[2];
    g_autoptr(GBytes) pattern = make_pattern(10);
    mf_autofd full = open("/dev/full", O_WRONLY | O_CLOEXEC);

    g_assert_cmpint(full, >=, 0);
    g_autoptr(MfOutput) output = mf_output_new(full);
    mf_output_write(output, pattern);
    g_assert_true(mf_output_is_broken(output));
    g_assert_error(mf_output_get_error(output), MF_ERROR, MF_ERROR_HOST);

    g_assert_cmpint(pipe2(ends, O_CLOEXEC), ==, 0);
    g_autoptr(MfOutput) left = mf_output_new(ends[1]);
    close(ends[0]);
    mf_output_write(left, pattern);
    g_assert_true(mf_output_is_broken(left));
    g_assert_null(mf_output_get_error(left));
    close(ends[1]);
}

static void
test_a_socket_is_written_without_changing_its_flags(void)
{
    int a, b;
    g_autoptr(GBytes) pattern = make_pattern(MIB);
    gboolean drained = FALSE;

    g_assert_true(mf_fd_socketpair(&a, &b, NULL));
    g_autoptr(MfOutput) output = mf_output_new(b);
    g_signal_connect(output, "drained", G_CALLBACK(set_true), &drained);
    mf_output_write(output, pattern);
    g_assert_cmpuint(mf_output_get_queued(output), >, 0);
    g_assert_cmpint(fcntl(b, F_GETFL) & O_NONBLOCK, ==, 0);
    g_unix_set_fd_nonblocking(a, FALSE, NULL);
    GThread *reader = g_thread_new("reader", read_all, GINT_TO_POINTER(a));
    iterate_until(&drained);
    close(b);
    g_autoptr(GByteArray) all = g_thread_join(reader);
    close(a);
    g_assert_cmpmem(all->data, all->len, g_bytes_get_data(pattern, NULL), MIB);
}

static void
count_bytes(MfInput *input, GBytes *chunk, gsize *total)
{
    g_assert_cmpuint(g_bytes_get_size(chunk), <=, 100);
    *total += g_bytes_get_size(chunk);
}

static void
test_input_is_read_only_as_far_as_granted(void)
{
    int ends[2];
    gsize total = 0;
    gboolean ended = FALSE;
    char block[1000] = "";

    g_assert_cmpint(pipe2(ends, O_CLOEXEC), ==, 0);
    g_assert_cmpint(write(ends[1], block, sizeof(block)), ==, sizeof(block));
    close(ends[1]);
    g_autoptr(MfInput) input = mf_input_new(ends[0], 100);
    g_signal_connect(input, "received", G_CALLBACK(count_bytes), &total);
    g_signal_connect(input, "ended", G_CALLBACK(set_true), &ended);

    while (g_main_context_iteration(NULL, FALSE))
        ;
    g_assert_cmpuint(total, ==, 0);
    mf_input_grant(input, 250);
    while (g_main_context_iteration(NULL, FALSE))
        ;
    g_assert_cmpuint(total, ==, 250);
    g_assert_false(ended);
    mf_input_grant(input, 10000);
    iterate_until(&ended);
    g_assert_cmpuint(total, ==, 1000);
    close(ends[0]);
}

static void
append_chunk(GByteArray *all, GBytes *chunk)
{
    g_byte_array_append(all, g_bytes_get_data(chunk, NULL), (guint)g_bytes_get_size(chunk));
}

/* The input's error, or NULL, once it has ended. Owned by the caller. */
static GError *
read_to_the_end(int fd)
{
    g_autoptr(MfInput) input = mf_input_new(fd, 100);
    gboolean ended = FALSE;

    g_signal_connect(input, "ended", G_CALLBACK(set_true), &ended);
    mf_input_grant(input, MIB);
    iterate_until(&ended);
    return mf_input_get_error(input) ? g_error_copy(mf_input_get_error(input)) : NULL;
}

static void
test_input_that_cannot_be_read_is_an_error(void)
{
    mf_autofd directory = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    g_autoptr(GError) error = read_to_the_end(directory);

    g_assert_error(error, MF_ERROR, MF_ERROR_HOST);
    g_assert_cmpstr(error->message, ==, "The standard input cannot be read: Is a directory");
}

/* As nohup(1) leaves it. */
static void
test_input_that_is_only_open_for_writing_has_ended(void)
{
    mf_autofd null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    g_autoptr(GError) error = read_to_the_end(null);

    g_assert_no_error(error);
}

static void
test_a_sink_passes_every_chunk_on_and_keeps_none(void)
{
    g_autoptr(GByteArray) all = g_byte_array_new();
    g_autoptr(GBytes) pattern = make_pattern(MIB);
    g_autoptr(GBytes) first = g_bytes_new_from_bytes(pattern, 0, 1000);
    g_autoptr(GBytes) second = g_bytes_new_from_bytes(pattern, 1000, MIB - 1000);
    g_autoptr(MfOutput) sink = mf_output_new_sink();

    g_signal_connect_swapped(sink, "written", G_CALLBACK(append_chunk), all);
    mf_output_write(sink, first);
    mf_output_write(sink, second);
    g_assert_cmpuint(mf_output_get_queued(sink), ==, 0);
    g_assert_false(mf_output_is_broken(sink));
    g_assert_cmpmem(all->data, all->len, g_bytes_get_data(pattern, NULL), MIB);
}

static void
test_every_chunk_for_a_descriptor_is_told(void)
{
    g_autoptr(GByteArray) all = g_byte_array_new();
    g_autoptr(GBytes) chunk = make_pattern(1000);
    guint8 written[1001];
    int ends[2];

    g_assert_cmpint(pipe2(ends, O_CLOEXEC), ==, 0);
    g_autoptr(MfOutput) output = mf_output_new(ends[1]);
    g_signal_connect_swapped(output, "written", G_CALLBACK(append_chunk), all);
    mf_output_write(output, chunk);
    g_assert_cmpint(read(ends[0], written, sizeof(written)), ==, 1000);
    g_assert_cmpmem(all->data, all->len, written, 1000);
    close(ends[0]);
    close(ends[1]);
}

static void
test_a_capture_has_three_streams_and_nothing_to_read(void)
{
    g_autoptr(GError) error = NULL;
    MfStdio *stdio = mf_stdio_new_capture(&error);
    gboolean open[3], ended = FALSE;

    g_assert_no_error(error);
    mf_stdio_get_open(stdio, open);
    g_assert_true(open[0] && open[1] && open[2]);
    g_signal_connect(stdio->input, "ended", G_CALLBACK(set_true), &ended);
    mf_input_grant(stdio->input, MIB);
    iterate_until(&ended);
    mf_stdio_free(stdio);
}

static void
test_a_file_is_read_in_place_of_the_callers_input(void)
{
    g_autofree char *path = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(MfStdio) capture = mf_stdio_new_capture(&error);
    g_autoptr(GByteArray) all = g_byte_array_new();
    gboolean ended = FALSE;
    int fd = g_file_open_tmp(NULL, &path, &error);

    g_assert_no_error(error);
    g_assert_cmpint(write(fd, "content", 7), ==, 7);
    close(fd);
    MfStdio *stdio = mf_stdio_new_reading(capture, path, &error);
    g_assert_no_error(error);
    g_assert_true(stdio->output[1] == capture->output[1]);
    g_assert_true(stdio->output[2] == capture->output[2]);
    g_signal_connect_swapped(stdio->input, "received", G_CALLBACK(append_chunk), all);
    g_signal_connect(stdio->input, "ended", G_CALLBACK(set_true), &ended);
    mf_input_grant(stdio->input, MIB);
    iterate_until(&ended);
    g_assert_cmpmem(all->data, all->len, "content", 7);
    mf_stdio_free(stdio);
    g_assert_cmpint(unlink(path), ==, 0);
}

static void
test_what_cannot_be_read_is_named(void)
{
    const struct {
        const char *path, *message;
    } cases[] = {
        {"/no/such/file", "'/no/such/file' cannot be read, which is to be the command's standard "
                          "input: No such file or directory"},
        {"/", "'/' cannot be read, which is to be the command's standard input: Is a directory"},
    };
    g_autoptr(MfStdio) capture = mf_stdio_new_capture(NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(mf_stdio_new_reading(capture, cases[i].path, &error));
        g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
        g_assert_cmpstr(error->message, ==, cases[i].message);
    }
}

static void
test_beside_the_command_everything_goes_to_the_standard_error(void)
{
    g_autoptr(MfStdio) capture = mf_stdio_new_capture(NULL);
    g_autoptr(MfStdio) beside = mf_stdio_new_beside(capture);
    const gboolean only_output[3] = {FALSE, TRUE, FALSE};
    g_autoptr(MfStdio) quiet = mf_stdio_new(only_output);
    g_autoptr(MfStdio) beside_quiet = mf_stdio_new_beside(quiet);

    g_assert_null(beside->input);
    g_assert_true(beside->output[1] == capture->output[2]);
    g_assert_true(beside->output[2] == capture->output[2]);
    g_assert_true(!beside_quiet->output[1] && !beside_quiet->output[2]);
}

static void
test_an_output_that_is_both_streams_counts_once(void)
{
    g_autoptr(GBytes) pattern = make_pattern(MIB);
    int ends[2];

    g_assert_cmpint(pipe2(ends, O_CLOEXEC), ==, 0);
    g_autoptr(MfOutput) output = mf_output_new(ends[1]);
    MfStdio stdio = {.output = {NULL, output, output}};
    mf_output_write(output, pattern);
    g_assert_cmpuint(mf_output_get_queued(output), >, 0);
    g_assert_cmpuint(mf_stdio_get_queued(&stdio), ==, mf_output_get_queued(output));
    close(ends[0]);
    close(ends[1]);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    signal(SIGPIPE, SIG_IGN);
    g_test_add_func("/output/a-slow-pipe-gets-every-byte-and-never-blocks",
                    test_a_slow_pipe_gets_every_byte_and_never_blocks);
    g_test_add_func("/output/a-reader-that-leaves-breaks-the-output-once",
                    test_a_reader_that_leaves_breaks_the_output_once);
    g_test_add_func("/output/a-full-disk-is-an-error-and-a-reader-that-left-is-not",
                    test_a_full_disk_is_an_error_and_a_reader_that_left_is_not);
    g_test_add_func("/output/a-socket-is-written-without-changing-its-flags",
                    test_a_socket_is_written_without_changing_its_flags);
    g_test_add_func("/output/a-sink-passes-every-chunk-on-and-keeps-none",
                    test_a_sink_passes_every_chunk_on_and_keeps_none);
    g_test_add_func("/output/every-chunk-for-a-descriptor-is-told",
                    test_every_chunk_for_a_descriptor_is_told);
    g_test_add_func("/stdio/a-capture-has-three-streams-and-nothing-to-read",
                    test_a_capture_has_three_streams_and_nothing_to_read);
    g_test_add_func("/stdio/a-file-is-read-in-place-of-the-callers-input",
                    test_a_file_is_read_in_place_of_the_callers_input);
    g_test_add_func("/stdio/what-cannot-be-read-is-named", test_what_cannot_be_read_is_named);
    g_test_add_func("/stdio/beside-the-command-everything-goes-to-the-standard-error",
                    test_beside_the_command_everything_goes_to_the_standard_error);
    g_test_add_func("/stdio/an-output-that-is-both-streams-counts-once",
                    test_an_output_that_is_both_streams_counts_once);
    g_test_add_func("/input/is-read-only-as-far-as-granted",
                    test_input_is_read_only_as_far_as_granted);
    g_test_add_func("/input/that-cannot-be-read-is-an-error",
                    test_input_that_cannot_be_read_is_an_error);
    g_test_add_func("/input/that-is-only-open-for-writing-has-ended",
                    test_input_that_is_only_open_for_writing_has_ended);
    return g_test_run();
}
