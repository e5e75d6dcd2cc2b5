/* SPDX-License-Identifier: Apache-2.0 */
#include "run/serial-link.h"

#include <fcntl.h>
#include <glib-unix.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "wire/fd-transport.h"

/* The guest's end of the port, and the ends of the caller's streams that the test holds. */
typedef struct {
    int guest, typist, reader;
    int input_fd, output_fd;
    MfTransport *serial;
    MfStdio stdio;
    MfSerialLink *link;
    guint flushed;
    GError *failure;
} Fixture;

static void
count(guint *counter)
{
    ++*counter;
}

static void
keep_error(GError **kept, const GError *error)
{
    *kept = g_error_copy(error);
}

static void
set_up(Fixture *fixture, gconstpointer output_path)
{
    int input[2], output[2], ours;

    signal(SIGPIPE, SIG_IGN);
    g_assert_true(g_unix_open_pipe(input, FD_CLOEXEC, NULL));
    g_assert_true(g_unix_open_pipe(output, FD_CLOEXEC, NULL));
    g_assert_true(mf_fd_socketpair(&ours, &fixture->guest, NULL));
    g_assert_true(g_unix_set_fd_nonblocking(fixture->guest, TRUE, NULL));
    g_assert_true(g_unix_set_fd_nonblocking(output[0], TRUE, NULL));
    fixture->input_fd = input[0];
    fixture->typist = input[1];
    fixture->reader = output[0];
    fixture->output_fd = output[1];
    if (output_path) {
        mf_fd_clear(&fixture->output_fd);
        fixture->output_fd = open(output_path, O_WRONLY | O_CLOEXEC);
    }
    fixture->serial = mf_fd_transport_new(ours, "the guest's console");
    fixture->stdio = (MfStdio){.input = mf_input_new(fixture->input_fd, 1024), .input_fd = -1};
    fixture->stdio.output[1] = mf_output_new(fixture->output_fd);
    fixture->link = mf_serial_link_new(fixture->serial, &fixture->stdio);
    g_signal_connect_swapped(fixture->link, "flushed", G_CALLBACK(count), &fixture->flushed);
    g_signal_connect_swapped(fixture->link, "failed", G_CALLBACK(keep_error), &fixture->failure);
}

static void
tear_down(Fixture *fixture, gconstpointer data)
{
    g_object_unref(fixture->link);
    mf_transport_close(fixture->serial);
    g_object_unref(fixture->serial);
    g_object_unref(fixture->stdio.input);
    g_object_unref(fixture->stdio.output[1]);
    g_clear_error(&fixture->failure);
    mf_fd_clear(&fixture->guest);
    mf_fd_clear(&fixture->typist);
    mf_fd_clear(&fixture->reader);
    mf_fd_clear(&fixture->input_fd);
    mf_fd_clear(&fixture->output_fd);
}

/* Lets happen what can happen now. */
static void
settle(void)
{
    while (g_main_context_iteration(NULL, FALSE))
        ;
}

/* Reads what is there, behind what 'text' has already. */
static void
read_some(int fd, GString *text)
{
    char buffer[65536];
    ssize_t n;

    while ((n = read(fd, buffer, sizeof(buffer))) > 0)
        g_string_append_len(text, buffer, n);
}

/* Until 'text' has 'size' bytes that came from 'fd'. */
static void
read_until(int fd, GString *text, gsize size)
{
    while (text->len < size) {
        g_main_context_iteration(NULL, FALSE);
        read_some(fd, text);
    }
}

static void
test_q_6_what_the_guest_says_is_passed_on_byte_for_byte(Fixture *fixture, gconstpointer data)
{
    static const char said[] = "boot\0ing\xff\x80...\r\n\x1b[2J";
    g_autoptr(GString) text = g_string_new(NULL);

    g_assert_cmpint(write(fixture->guest, said, sizeof(said)), ==, sizeof(said));
    read_until(fixture->reader, text, sizeof(said));
    g_assert_cmpmem(text->str, text->len, said, sizeof(said));
}

static void
test_q_7_what_is_typed_reaches_the_guest_once_it_is_open(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GString) text = g_string_new(NULL);

    g_assert_cmpint(write(fixture->typist, "root\n", 5), ==, 5);
    settle();
    read_some(fixture->guest, text);
    g_assert_cmpuint(text->len, ==, 0);
    mf_serial_link_open(fixture->link);
    read_until(fixture->guest, text, 5);
    g_assert_cmpstr(text->str, ==, "root\n");
}

static void
test_more_than_a_window_is_typed_as_the_guest_takes_it(Fixture *fixture, gconstpointer data)
{
    g_autofree char *typed = g_strnfill(20000, 't');
    g_autoptr(GString) text = g_string_new(NULL);

    g_assert_cmpint(write(fixture->typist, typed, 20000), ==, 20000);
    mf_serial_link_open(fixture->link);
    read_until(fixture->guest, text, 20000);
    g_assert_cmpmem(text->str, text->len, typed, 20000);
}

/* What the guest could write before it had to wait. */
static gsize
write_until_full(Fixture *fixture)
{
    g_autofree char *said = g_strnfill(65536, 's');
    gsize total = 0;
    ssize_t n;

    do {
        while ((n = write(fixture->guest, said, 65536)) > 0)
            total += (gsize)n;
        settle();
    } while ((n = write(fixture->guest, said, 1)) > 0 && ++total);
    return total;
}

static void
test_a_guest_that_nobody_reads_waits_and_goes_on(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GString) text = g_string_new(NULL);
    gsize said = write_until_full(fixture);

    g_assert_cmpuint(mf_serial_link_get_queued(fixture->link), >=, MF_SERIAL_LINK_QUEUE_MAX);
    g_assert_cmpuint(mf_serial_link_get_queued(fixture->link), <=,
                     MF_SERIAL_LINK_QUEUE_MAX + MF_TRANSPORT_RECEIVED_MAX);
    g_assert_cmpuint(fixture->flushed, ==, 0);
    read_until(fixture->reader, text, said);
    while (mf_serial_link_get_queued(fixture->link) > 0)
        g_main_context_iteration(NULL, TRUE);
    settle();
    g_assert_cmpuint(fixture->flushed, >, 0);
    g_assert_cmpint(write(fixture->guest, "!", 1), ==, 1);
    read_until(fixture->reader, text, said + 1);
    g_assert_cmpint(text->str[said], ==, '!');
}

static void
test_a_reader_that_is_gone_holds_nothing_up(Fixture *fixture, gconstpointer data)
{
    mf_fd_clear(&fixture->reader);
    g_assert_cmpint(write(fixture->guest, "to nobody", 9), ==, 9);
    while (fixture->flushed == 0)
        g_main_context_iteration(NULL, TRUE);
    g_assert_no_error(fixture->failure);
    g_assert_cmpuint(mf_serial_link_get_queued(fixture->link), ==, 0);
}

static void
test_output_that_is_lost_is_a_failure(Fixture *fixture, gconstpointer data)
{
    g_assert_cmpint(write(fixture->guest, "lost", 4), ==, 4);
    while (!fixture->failure)
        g_main_context_iteration(NULL, TRUE);
    g_assert_error(fixture->failure, MF_ERROR, MF_ERROR_HOST);
}

static void
test_input_that_cannot_be_read_is_a_failure(Fixture *fixture, gconstpointer data)
{
    mf_autofd directory = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    g_assert_cmpint(dup2(directory, fixture->input_fd), ==, fixture->input_fd);
    mf_serial_link_open(fixture->link);
    while (!fixture->failure)
        g_main_context_iteration(NULL, TRUE);
    g_assert_error(fixture->failure, MF_ERROR, MF_ERROR_HOST);
}

#define ADD(path, output, function)                                                                \
    g_test_add("/serial-link/" path, Fixture, output, set_up, function, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("q-6-what-the-guest-says-is-passed-on-byte-for-byte", NULL,
        test_q_6_what_the_guest_says_is_passed_on_byte_for_byte);
    ADD("q-7-what-is-typed-reaches-the-guest-once-it-is-open", NULL,
        test_q_7_what_is_typed_reaches_the_guest_once_it_is_open);
    ADD("more-than-a-window-is-typed-as-the-guest-takes-it", NULL,
        test_more_than_a_window_is_typed_as_the_guest_takes_it);
    ADD("a-guest-that-nobody-reads-waits-and-goes-on", NULL,
        test_a_guest_that_nobody_reads_waits_and_goes_on);
    ADD("a-reader-that-is-gone-holds-nothing-up", NULL,
        test_a_reader_that_is_gone_holds_nothing_up);
    ADD("output-that-is-lost-is-a-failure", "/dev/full", test_output_that_is_lost_is_a_failure);
    ADD("input-that-cannot-be-read-is-a-failure", NULL,
        test_input_that_cannot_be_read_is_a_failure);
    return g_test_run();
}
