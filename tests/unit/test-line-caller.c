/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/line-caller.h"

#include <string.h>

#include "base/error.h"

typedef struct {
    MfLineCaller *caller;
    GString *received;
    GThread *loop_thread;
    guint pieces, drained, closed;
    gsize largest;
} Fixture;

static void
on_received(Fixture *fixture, GBytes *bytes)
{
    gsize size;
    const char *data = g_bytes_get_data(bytes, &size);

    g_string_append_len(fixture->received, data, (gssize)size);
    fixture->pieces++;
    fixture->largest = MAX(fixture->largest, size);
}

static void
on_drained(Fixture *fixture)
{
    fixture->drained++;
}

static void
on_closed(Fixture *fixture, GError *reason)
{
    g_assert_error(reason, MF_ERROR, MF_ERROR_LOST);
    fixture->closed++;
}

static void
set_up(Fixture *fixture, gconstpointer data)
{
    fixture->caller = mf_line_caller_new();
    fixture->received = g_string_new(NULL);
    fixture->loop_thread = g_thread_self();
    g_signal_connect_swapped(fixture->caller, "received", G_CALLBACK(on_received), fixture);
    g_signal_connect_swapped(fixture->caller, "drained", G_CALLBACK(on_drained), fixture);
    g_signal_connect_swapped(fixture->caller, "closed", G_CALLBACK(on_closed), fixture);
}

static void
tear_down(Fixture *fixture, gconstpointer data)
{
    g_clear_object(&fixture->caller);
    g_string_free(fixture->received, TRUE);
}

static void
send_text(Fixture *fixture, const char *text)
{
    g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));

    mf_transport_send(MF_TRANSPORT(fixture->caller), bytes);
}

static void
iterate_until_drained(Fixture *fixture)
{
    while (!fixture->drained)
        g_main_context_iteration(NULL, TRUE);
}

static char *
answer_in_brackets(const char *line, gpointer peer)
{
    GThread *loop_thread = peer;

    g_assert_true(loop_thread != g_thread_self());
    return g_str_equal(line, "hush") ? NULL : g_strdup_printf("<%s>", line);
}

static void
test_lines_are_answered_in_order_off_the_main_thread(Fixture *fixture, gconstpointer data)
{
    send_text(fixture, "on");
    send_text(fixture, "e\nhush\ntwo\nthr");
    g_assert_cmpuint(mf_transport_get_queued(MF_TRANSPORT(fixture->caller)), ==, 10);
    mf_line_caller_start(fixture->caller, answer_in_brackets, fixture->loop_thread, NULL);
    g_assert_cmpstr(fixture->received->str, ==, "");
    iterate_until_drained(fixture);
    g_assert_cmpstr(fixture->received->str, ==, "<one>\n<two>\n");
    g_assert_cmpuint(mf_transport_get_queued(MF_TRANSPORT(fixture->caller)), ==, 0);
}

static void
test_lines_wait_while_the_peer_is_held(Fixture *fixture, gconstpointer data)
{
    mf_line_caller_hold(fixture->caller, TRUE);
    mf_line_caller_start(fixture->caller, answer_in_brackets, fixture->loop_thread, NULL);
    send_text(fixture, "early\n");
    mf_line_caller_receive(fixture->caller, "unasked");
    g_assert_cmpstr(fixture->received->str, ==, "unasked\n");
    g_assert_cmpuint(mf_transport_get_queued(MF_TRANSPORT(fixture->caller)), ==, 5);
    mf_line_caller_hold(fixture->caller, FALSE);
    iterate_until_drained(fixture);
    g_assert_cmpstr(fixture->received->str, ==, "unasked\n<early>\n");
}

static void
test_what_is_not_read_is_kept(Fixture *fixture, gconstpointer data)
{
    mf_transport_set_reading(MF_TRANSPORT(fixture->caller), FALSE);
    mf_line_caller_receive(fixture->caller, "first");
    mf_line_caller_receive(fixture->caller, "second");
    g_assert_cmpuint(fixture->pieces, ==, 0);
    mf_transport_set_reading(MF_TRANSPORT(fixture->caller), TRUE);
    g_assert_cmpstr(fixture->received->str, ==, "first\nsecond\n");
}

static void
test_a_long_line_comes_in_pieces(Fixture *fixture, gconstpointer data)
{
    g_autofree char *line = g_strnfill(2 * MF_TRANSPORT_RECEIVED_MAX, 'x');

    mf_line_caller_receive(fixture->caller, line);
    g_assert_cmpuint(fixture->received->len, ==, 2 * MF_TRANSPORT_RECEIVED_MAX + 1);
    g_assert_cmpuint(fixture->pieces, ==, 3);
    g_assert_cmpuint(fixture->largest, ==, MF_TRANSPORT_RECEIVED_MAX);
}

static void
test_a_peer_that_is_gone_is_reported_once(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GError) reason = g_error_new(MF_ERROR, MF_ERROR_LOST, "It is gone.");

    mf_line_caller_hang_up(fixture->caller, reason);
    mf_line_caller_hang_up(fixture->caller, reason);
    g_assert_cmpuint(fixture->closed, ==, 1);
    mf_line_caller_receive(fixture->caller, "late");
    send_text(fixture, "late\n");
    g_assert_cmpuint(mf_transport_get_queued(MF_TRANSPORT(fixture->caller)), ==, 0);
    g_assert_cmpstr(fixture->received->str, ==, "");
}

static char *
answer_when_allowed(const char *line, gpointer peer)
{
    GMutex *allowed = peer;

    g_mutex_lock(allowed);
    g_mutex_unlock(allowed);
    return g_strdup("late");
}

static int was_freed; /* from whichever thread */

static void
note_freed(gpointer peer)
{
    g_atomic_int_set(&was_freed, TRUE);
}

static void
test_a_call_under_way_keeps_its_peer_and_tells_nobody(Fixture *fixture, gconstpointer data)
{
    GMutex allowed;

    g_atomic_int_set(&was_freed, FALSE);
    g_mutex_init(&allowed);
    g_mutex_lock(&allowed);
    mf_line_caller_start(fixture->caller, answer_when_allowed, &allowed, note_freed);
    send_text(fixture, "slow\n");
    mf_transport_close(MF_TRANSPORT(fixture->caller));
    g_clear_object(&fixture->caller);
    g_assert_false(g_atomic_int_get(&was_freed));
    g_mutex_unlock(&allowed);
    while (!g_atomic_int_get(&was_freed)) {
        g_main_context_iteration(NULL, FALSE);
        g_thread_yield();
    }
    g_assert_cmpstr(fixture->received->str, ==, "");
    g_mutex_clear(&allowed);
}

#define ADD(path, function) g_test_add(path, Fixture, NULL, set_up, function, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("/line-caller/lines-are-answered-in-order-off-the-main-thread",
        test_lines_are_answered_in_order_off_the_main_thread);
    ADD("/line-caller/lines-wait-while-the-peer-is-held", test_lines_wait_while_the_peer_is_held);
    ADD("/line-caller/what-is-not-read-is-kept", test_what_is_not_read_is_kept);
    ADD("/line-caller/a-long-line-comes-in-pieces", test_a_long_line_comes_in_pieces);
    ADD("/line-caller/a-peer-that-is-gone-is-reported-once",
        test_a_peer_that_is_gone_is_reported_once);
    ADD("/line-caller/a-call-under-way-keeps-its-peer-and-tells-nobody",
        test_a_call_under_way_keeps_its_peer_and_tells_nobody);
    return g_test_run();
}
