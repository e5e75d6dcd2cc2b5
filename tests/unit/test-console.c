/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/console.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire/fd-transport.h"

static void
feed(MfConsole *console, const char *text)
{
    mf_console_feed(console, text, strlen(text));
}

static void
assert_tail(MfConsole *console, guint lines, const char *expected)
{
    g_autofree char *tail = mf_console_get_tail(console, lines);

    g_assert_cmpstr(tail, ==, expected);
}

static void
test_a_console_that_was_never_written_has_an_empty_tail(void)
{
    g_autoptr(MfConsole) console = mf_console_new(NULL);

    assert_tail(console, 10, "");
    g_assert_false(mf_console_contains(console, "x"));
}

static void
test_the_tail_is_the_last_lines(void)
{
    g_autoptr(MfConsole) console = mf_console_new(NULL);

    feed(console, "one\r\ntwo\r\n");
    feed(console, "thr");
    feed(console, "ee\r\n");
    assert_tail(console, 1, "three");
    assert_tail(console, 2, "two\nthree");
    assert_tail(console, 100, "one\ntwo\nthree");
    g_assert_true(mf_console_contains(console, "three"));
}

static void
test_the_tail_is_of_this_run_once_it_has_said_something(void)
{
    g_autoptr(MfConsole) console = mf_console_new(NULL);

    feed(console, "saved one\nsaved two\n");
    mf_console_mark(console);
    assert_tail(console, 10, "saved one\nsaved two");
    feed(console, "\r\n");
    assert_tail(console, 1, "saved two");
    feed(console, "own one\nown two\n");
    assert_tail(console, 1, "own two");
    assert_tail(console, 10, "\nown one\nown two");
    g_assert_true(mf_console_contains(console, "saved one"));
}

static void
test_the_mark_stays_where_it_is_when_the_beginning_goes(void)
{
    g_autoptr(MfConsole) console = mf_console_new(NULL);
    g_autofree char *page = g_strnfill(4095, 'x');

    feed(console, "saved\n");
    mf_console_mark(console);
    feed(console, "own\n");
    for (guint i = 0; i <= 2 * MF_CONSOLE_KEEP / 4096; i++) {
        feed(console, page);
        feed(console, "\n");
    }
    g_assert_false(mf_console_contains(console, "own"));
    assert_tail(console, 1, page);
}

static void
test_escape_sequences_and_broken_text_do_not_reach_a_terminal(void)
{
    g_autoptr(MfConsole) console = mf_console_new(NULL);

    feed(console, "\033[2J\033[1;31mred\033[0m\a\033c \xff end\n\033[");
    assert_tail(console, 10, "red \xef\xbf\xbd end");
    /* A window's title, a designated character set, a delete and the one-byte form of ESC [. */
    feed(console, "\n\033]0;title\a\033(Btwo\177 \xc2\x9b"
                  "2J\r three\n");
    assert_tail(console, 1, "two 2J three");
}

static void
test_the_line_of_a_panic_is_found_from_its_first_word(void)
{
    g_autoptr(MfConsole) console = mf_console_new(NULL);

    feed(console, "[ 1.0] Kernel panic - not syncing: first\r\n");
    feed(console, "[ 2.0] Kernel panic - not syncing: last\r\n[ 2.1] CPU: 0\r\n");

    g_autofree char *line = mf_console_find_line(console, "Kernel panic");
    g_assert_cmpstr(line, ==, "Kernel panic - not syncing: last");
    g_assert_null(mf_console_find_line(console, "Oops"));
}

static void
test_what_is_kept_is_bounded_and_what_is_not_is_counted(void)
{
    static const char line[] = "a line of thirty-two bytes, or so\n";
    g_autoptr(MfConsole) console = mf_console_new(NULL);
    const guint lines = 2 * MF_CONSOLE_KEEP / strlen(line);

    feed(console, "first line\n");
    for (guint i = 0; i < lines; i++)
        feed(console, line);
    g_assert_false(mf_console_contains(console, "first line"));

    g_autoptr(GBytes) kept = mf_console_get_kept(console);
    g_assert_cmpuint(g_bytes_get_size(kept), ==, MF_CONSOLE_KEEP);
    g_assert_cmpuint(mf_transcript_get_elided(mf_console_get_transcript(console)), ==,
                     strlen("first line\n") + lines * strlen(line) - MF_CONSOLE_KEEP);
}

static void
count(MfConsole *console, GBytes *bytes, gsize *total)
{
    *total += g_bytes_get_size(bytes);
}

static void
test_a_tail_is_bounded_and_says_what_is_missing(void)
{
    g_autoptr(MfConsole) console = mf_console_new(NULL);
    g_autofree char *most = g_strnfill(MF_CONSOLE_TAIL_MAX, 'x');
    g_autofree char *cut = g_strconcat("\n[--- BUFFER OVERFLOW, 5 bytes elided ---]\n", most, NULL);

    feed(console, most);
    assert_tail(console, 1, most);
    feed(console, "\n1234");
    assert_tail(console, 1, "1234");
    feed(console, "\n");
    feed(console, most);
    assert_tail(console, 2, cut);
}

static void
test_everything_is_passed_on_live(void)
{
    g_autoptr(MfConsole) console = mf_console_new(NULL);
    gsize total = 0;

    g_signal_connect(console, "output", G_CALLBACK(count), &total);
    feed(console, "abc");
    feed(console, "de");
    g_assert_cmpuint(total, ==, 5);
}

static void
note_line(MfConsole *console, const char *line, guint source, GString *lines)
{
    g_string_append_printf(lines, "<%s>", line);
}

static void
test_lines_are_passed_on_when_they_are_complete(void)
{
    g_autoptr(MfConsole) console = mf_console_new(NULL);
    g_autoptr(GString) lines = g_string_new(NULL);

    g_signal_connect(console, "line", G_CALLBACK(note_line), lines);
    feed(console, "one\r\n\033[1mtw");
    g_assert_cmpstr(lines->str, ==, "<one>");
    feed(console, "o\033[0m\n\nthree");
    g_assert_cmpstr(lines->str, ==, "<one><two><>");
}

static void
test_a_line_is_cut_at_its_limit(void)
{
    g_autoptr(MfConsole) console = mf_console_new(NULL);
    g_autoptr(GString) lines = g_string_new(NULL);
    g_autofree char *longest = g_strnfill(MF_CONSOLE_LINE_MAX, 'x');
    g_autofree char *expected = g_strdup_printf("<%s><%s><next>", longest, longest);

    g_signal_connect(console, "line", G_CALLBACK(note_line), lines);
    feed(console, longest);
    feed(console, "\n");
    feed(console, longest);
    feed(console, "y");
    feed(console, "\nnext\n");
    g_assert_cmpstr(lines->str, ==, expected);
}

static void
test_lines_of_the_serial_port_and_of_the_kernel_log_do_not_mix(void)
{
    g_autoptr(MfTransport) transport = NULL;
    g_autoptr(GString) lines = g_string_new(NULL);
    int fds[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), ==, 0);
    transport = mf_fd_transport_new(fds[0], "the guest");
    g_autoptr(MfConsole) console = mf_console_new(transport);
    g_signal_connect(console, "line", G_CALLBACK(note_line), lines);
    g_assert_cmpint(write(fds[1], "half ", 5), ==, 5);
    while (!mf_console_contains(console, "half "))
        g_main_context_iteration(NULL, TRUE);
    feed(console, "whole\n");
    g_assert_cmpint(write(fds[1], "line\n", 5), ==, 5);
    while (!strstr(lines->str, "line"))
        g_main_context_iteration(NULL, TRUE);
    g_assert_cmpstr(lines->str, ==, "<whole><half line>");
    close(fds[1]);
}

static void
note_end(MfConsole *console, GString *lines)
{
    g_string_append(lines, "|");
}

/* A console of a serial port whose guest writes 'text' and hangs up. */
static void
test_s11_what_a_guest_ends_with_is_a_line(void)
{
    g_autoptr(MfTransport) transport = NULL;
    g_autoptr(GString) lines = g_string_new(NULL);
    int fds[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), ==, 0);
    transport = mf_fd_transport_new(fds[0], "the guest");
    g_autoptr(MfConsole) console = mf_console_new(transport);
    g_signal_connect(console, "line", G_CALLBACK(note_line), lines);
    g_signal_connect(console, "ended", G_CALLBACK(note_end), lines);
    g_assert_cmpint(write(fds[1], "one\nlogin: ", 11), ==, 11);
    close(fds[1]);
    while (!strstr(lines->str, "login"))
        g_main_context_iteration(NULL, TRUE);
    g_assert_cmpstr(lines->str, ==, "<one><login:>");
}

static void
test_s12_a_console_ends_when_both_of_its_sources_have(void)
{
    g_autoptr(MfTransport) transport = NULL;
    g_autoptr(GString) lines = g_string_new(NULL);
    int fds[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), ==, 0);
    transport = mf_fd_transport_new(fds[0], "the guest");
    g_autoptr(MfConsole) console = mf_console_new(transport);
    g_signal_connect(console, "line", G_CALLBACK(note_line), lines);
    g_signal_connect(console, "ended", G_CALLBACK(note_end), lines);
    g_assert_cmpint(write(fds[1], "serial", 6), ==, 6);
    close(fds[1]);
    while (lines->len == 0)
        g_main_context_iteration(NULL, TRUE);
    g_assert_cmpstr(lines->str, ==, "<serial>");
    feed(console, "late\n");
    mf_console_end_feed(console);
    mf_console_end_feed(console);
    g_assert_cmpstr(lines->str, ==, "<serial><late>|");
    g_assert_true(mf_transcript_has_ended(mf_console_get_transcript(console)));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/console/never-written-has-an-empty-tail",
                    test_a_console_that_was_never_written_has_an_empty_tail);
    g_test_add_func("/console/the-tail-is-the-last-lines", test_the_tail_is_the_last_lines);
    g_test_add_func("/console/the-tail-is-of-this-run-once-it-has-said-something",
                    test_the_tail_is_of_this_run_once_it_has_said_something);
    g_test_add_func("/console/the-mark-stays-where-it-is-when-the-beginning-goes",
                    test_the_mark_stays_where_it_is_when_the_beginning_goes);
    g_test_add_func("/console/escape-sequences-do-not-reach-a-terminal",
                    test_escape_sequences_and_broken_text_do_not_reach_a_terminal);
    g_test_add_func("/console/the-line-of-a-panic-is-found-from-its-first-word",
                    test_the_line_of_a_panic_is_found_from_its_first_word);
    g_test_add_func("/console/S-4/a-tail-is-bounded-and-says-what-is-missing",
                    test_a_tail_is_bounded_and_says_what_is_missing);
    g_test_add_func("/console/what-is-kept-is-bounded-and-the-rest-counted",
                    test_what_is_kept_is_bounded_and_what_is_not_is_counted);
    g_test_add_func("/console/everything-is-passed-on-live", test_everything_is_passed_on_live);
    g_test_add_func("/console/lines-are-passed-on-when-complete",
                    test_lines_are_passed_on_when_they_are_complete);
    g_test_add_func("/console/S-2/lines-of-the-serial-port-and-of-the-kernel-log-do-not-mix",
                    test_lines_of_the_serial_port_and_of_the_kernel_log_do_not_mix);
    g_test_add_func("/console/a-line-is-cut-at-its-limit", test_a_line_is_cut_at_its_limit);
    g_test_add_func("/console/S-11/what-a-guest-ends-with-is-a-line",
                    test_s11_what_a_guest_ends_with_is_a_line);
    g_test_add_func("/console/S-12/a-console-ends-when-both-of-its-sources-have",
                    test_s12_a_console_ends_when_both_of_its_sources_have);
    return g_test_run();
}
