/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/qga.h"

#include <string.h>

#include "base/error.h"
#include "outcome.h"
#include "peer.h"

typedef struct {
    Peer *peer;
    MfQga *qga;
    GPtrArray *closed; /* of GError */
} Fixture;

static void
on_closed(MfQga *qga, GError *reason, gpointer user_data)
{
    g_ptr_array_add(((Fixture *)user_data)->closed, g_error_copy(reason));
}

static void
set_up(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(MfTransport) transport = NULL;

    fixture->peer = peer_new(&transport);
    fixture->qga = mf_qga_new(transport);
    /* However slow the machine: no second request where a test does not expect one. */
    mf_qga_set_sync_retry(fixture->qga, 600000);
    fixture->closed = g_ptr_array_new_with_free_func((GDestroyNotify)g_error_free);
    g_signal_connect(fixture->qga, "closed", G_CALLBACK(on_closed), fixture);
}

static void
tear_down(Fixture *fixture, gconstpointer unused)
{
    g_assert_finalize_object(fixture->qga);
    peer_free(fixture->peer);
    g_ptr_array_unref(fixture->closed);
}

static void
start_sync(Fixture *fixture, guint timeout_ms, Outcome *outcome)
{
    mf_qga_sync_async(fixture->qga, timeout_ms, NULL, outcome_ready, outcome);
}

static void
execute(Fixture *fixture, const char *command, guint timeout_ms, Outcome *outcome)
{
    mf_qga_execute_async(fixture->qga, command, NULL, timeout_ms, NULL, outcome_executed, outcome);
}

static void
sync_client(Fixture *fixture)
{
    g_auto(Outcome) synced = {0};

    peer_sync(fixture->peer);
    start_sync(fixture, 10000, &synced);
    peer_play(fixture->peer);
    outcome_assert_value(&synced, "null");
}

/* Executes 'command' with an agent that answers at once; with 'first' said before, if anything. */
static void
assert_next_command_works(Fixture *fixture, gboolean resynced, const char *first)
{
    g_auto(Outcome) outcome = {0};

    if (resynced)
        peer_expect_sync(fixture->peer);
    if (first)
        peer_say(fixture->peer, first);
    if (resynced)
        peer_say(fixture->peer, "\xff{\"return\": $SYNC}\n");
    peer_expect(fixture->peer, "guest-ping", NULL);
    peer_say(fixture->peer, "{\"return\": \"of guest-ping\"}\n");
    execute(fixture, "guest-ping", 10000, &outcome);
    peer_play(fixture->peer);
    outcome_assert_value(&outcome, "\"of guest-ping\"");
    g_assert_cmpuint(fixture->closed->len, ==, 0);
}

/* What may be in the channel before the reply to the last sync request. */
static const char *const noises[] = {
    "",
    "[    1.234567] a kernel that writes to the wrong port\n",
    "half a line without an end",
    "{\"return\": {\"late\": true}}\n",
    "{\"error\": {\"class\": \"GenericError\", \"desc\": \"Invalid JSON syntax\"}}\n",
    "{\"return\": $SYNC}\n",
    "\xff{\"return\": 4711}\n",
    "\xff{\"return\": \"$SYNC\"}\n",
    "\xff{\"return\": $SYNC.0}\n",
    "\xff{\"return\": [$SYNC]}\n",
    "\xff{\"error\": {\"class\": \"CommandNotFound\", \"desc\": \"?\"}}\n",
    "\xff\n\xff\xff",
    "\xff{\"return\": $SYNC",
    "\xffnonsense\nmore\n",
};

static void
test_syncing_drops_all_before_the_sentinel_in_any_pieces(void)
{
    static const gsize pieces[] = {0, 1, 2, 3, 5};

    for (gsize i = 0; i < G_N_ELEMENTS(noises) * G_N_ELEMENTS(pieces); i++) {
        g_auto(Outcome) synced = {0};
        Fixture fixture = {0};

        set_up(&fixture, NULL);
        peer_set_piece(fixture.peer, pieces[i % G_N_ELEMENTS(pieces)]);
        peer_expect_sync(fixture.peer);
        peer_say(fixture.peer, noises[i / G_N_ELEMENTS(pieces)]);
        peer_say(fixture.peer, "\xff{\"return\": $SYNC}\r\n");
        start_sync(&fixture, 10000, &synced);
        peer_play(fixture.peer);
        outcome_assert_value(&synced, "null");
        assert_next_command_works(&fixture, FALSE, NULL);
        tear_down(&fixture, NULL);
    }
}

static void
test_noise_is_never_taken_for_the_sync_reply(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(noises); i++) {
        g_auto(Outcome) synced = {0};
        Fixture fixture = {0};

        set_up(&fixture, NULL);
        peer_expect_sync(fixture.peer);
        peer_say(fixture.peer, noises[i]);
        start_sync(&fixture, 0, &synced);
        peer_play(fixture.peer);
        if (synced.returns > 0)
            g_error("Noise %" G_GSIZE_FORMAT " was taken for the reply: %s", i, noises[i]);
        peer_hang_up(fixture.peer);
        peer_play(fixture.peer);
        g_assert_error(synced.error, MF_ERROR, MF_ERROR_LOST);
        tear_down(&fixture, NULL);
    }
}

static void
test_noise_is_dropped_without_being_kept(Fixture *fixture, gconstpointer unused)
{
    g_auto(Outcome) synced = {0};
    g_autofree char *noise = g_strnfill(MF_QGA_LINE_MAX + (1u << 20), 'x');

    peer_expect_sync(fixture->peer);
    peer_say(fixture->peer, noise);
    peer_say(fixture->peer, "\xff{\"return\": $SYNC}\n");
    start_sync(fixture, 0, &synced);
    peer_play(fixture->peer);
    outcome_assert_value(&synced, "null");
    g_assert_cmpuint(fixture->closed->len, ==, 0);
}

static void
test_the_first_command_is_preceded_by_a_sync(Fixture *fixture, gconstpointer unused)
{
    assert_next_command_works(fixture, TRUE, NULL);
    assert_next_command_works(fixture, FALSE, NULL);
}

static void
test_a_sync_is_sent_whenever_it_is_asked_for(Fixture *fixture, gconstpointer unused)
{
    sync_client(fixture);
    sync_client(fixture);
}

static void
test_a_restarted_agent_gets_another_request(Fixture *fixture, gconstpointer unused)
{
    g_auto(Outcome) synced = {0};

    mf_qga_set_sync_retry(fixture->qga, 100);
    peer_expect_sync(fixture->peer);
    peer_expect_sync(fixture->peer);
    peer_expect_sync(fixture->peer);
    peer_say(fixture->peer, "\xff{\"return\": $SYNC}\n");
    start_sync(fixture, 0, &synced);
    peer_play(fixture->peer);
    outcome_assert_value(&synced, "null");
}

static void
test_a_late_agent_answers_all_requests_and_the_last_one_counts(Fixture *fixture,
                                                               gconstpointer unused)
{
    g_auto(Outcome) synced = {0};

    mf_qga_set_sync_retry(fixture->qga, 500);
    peer_expect_sync(fixture->peer);
    peer_expect_sync(fixture->peer);
    peer_say(fixture->peer, "\xff{\"return\": $SYNC-1}\n");
    start_sync(fixture, 0, &synced);
    peer_play(fixture->peer);
    g_assert_cmpuint(synced.returns, ==, 0);
    peer_say(fixture->peer, "\xff{\"return\": $SYNC}\n");
    peer_play(fixture->peer);
    outcome_assert_value(&synced, "null");
    assert_next_command_works(fixture, FALSE, NULL);
}

static gboolean
set_flag(gpointer data)
{
    *(gboolean *)data = TRUE;
    return G_SOURCE_REMOVE;
}

static void
note_time(gpointer data)
{
    *(gint64 *)data = g_get_monotonic_time();
}

/* Else an agent that needs longer for an answer than the time between two requests would never
 * come to the last one. */
static void
test_requests_to_a_slow_agent_become_rare(Fixture *fixture, gconstpointer unused)
{
    const gint64 retry_us = 300000;
    gint64 first, second, answered, third;
    gboolean half_over = FALSE;
    g_auto(Outcome) synced = {0};

    mf_qga_set_sync_retry(fixture->qga, 300);
    peer_expect_sync(fixture->peer);
    peer_then(fixture->peer, note_time, &first);
    peer_expect_sync(fixture->peer);
    peer_then(fixture->peer, note_time, &second);
    start_sync(fixture, 0, &synced);
    peer_play(fixture->peer);
    /* Either side may see its own time late, but only by what the machine is slow. */
    g_assert_cmpint(second - first, >, retry_us / 2);

    /* The next is due after twice the time; an answer to an old one starts that anew. */
    g_timeout_add(300, set_flag, &half_over);
    while (!half_over)
        g_main_context_iteration(NULL, TRUE);
    peer_then(fixture->peer, note_time, &answered);
    peer_say(fixture->peer, "\xff{\"return\": $SYNC-1}\n");
    peer_expect_sync(fixture->peer);
    peer_then(fixture->peer, note_time, &third);
    peer_say(fixture->peer, "\xff{\"return\": $SYNC}\n");
    peer_play(fixture->peer);
    g_assert_cmpint(third - answered, >=, 2 * retry_us);
    outcome_assert_value(&synced, "null");
}

static void
test_a_sync_has_a_deadline_and_its_late_reply_is_dropped(Fixture *fixture, gconstpointer unused)
{
    g_auto(Outcome) synced = {0};

    peer_expect_sync(fixture->peer);
    start_sync(fixture, 5, &synced);
    outcome_await(&synced);
    outcome_assert_error(&synced, MF_ERROR_TIMEOUT,
                         "The guest agent's sync request was not answered within 5ms.");
    assert_next_command_works(fixture, TRUE, "\xff{\"return\": $SYNC-1}\n");
}

static void
test_a_time_out_is_followed_by_a_sync_and_the_late_reply_is_dropped(Fixture *fixture,
                                                                    gconstpointer unused)
{
    g_auto(Outcome) slow = {0};

    sync_client(fixture);
    peer_expect(fixture->peer, "guest-info", NULL);
    execute(fixture, "guest-info", 5, &slow);
    outcome_await(&slow);
    outcome_assert_error(&slow, MF_ERROR_TIMEOUT,
                         "The guest agent's command 'guest-info' was not answered within 5ms.");
    assert_next_command_works(fixture, TRUE, "{\"return\": \"of guest-info\"}\n");
    assert_next_command_works(fixture, FALSE, NULL);
}

static void
test_a_late_reply_while_idle_is_dropped(Fixture *fixture, gconstpointer unused)
{
    g_auto(Outcome) slow = {0};

    sync_client(fixture);
    peer_expect(fixture->peer, "guest-info", NULL);
    execute(fixture, "guest-info", 5, &slow);
    outcome_await(&slow);
    peer_say(fixture->peer, "{\"return\": \"of guest-info\"}\n{\"retu");
    peer_play(fixture->peer);
    assert_next_command_works(fixture, TRUE, "rn\": 5}\n");
}

static void
test_a_cancelled_command_is_followed_by_a_sync(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    g_auto(Outcome) cancelled = {0};

    sync_client(fixture);
    peer_expect(fixture->peer, "guest-info", NULL);
    peer_then(fixture->peer, (void (*)(gpointer))g_cancellable_cancel, cancellable);
    mf_qga_execute_async(fixture->qga, "guest-info", NULL, 0, cancellable, outcome_executed,
                         &cancelled);
    outcome_await(&cancelled);
    outcome_assert_error(&cancelled, MF_ERROR_CANCELLED,
                         "The guest agent's command 'guest-info' was cancelled.");
    assert_next_command_works(fixture, TRUE, "{\"return\": \"of guest-info\"}\n");
}

static void
test_queued_commands_are_sent_one_at_a_time_in_order(Fixture *fixture, gconstpointer unused)
{
    g_auto(Outcome) first = {0}, second = {0}, third = {0};

    sync_client(fixture);
    peer_expect(fixture->peer, "guest-info", NULL);
    execute(fixture, "guest-info", 10000, &first);
    execute(fixture, "guest-ping", 10000, &second);
    start_sync(fixture, 10000, &third);
    /* A second request now would come after the end of the script. */
    peer_play(fixture->peer);

    peer_say(fixture->peer, "{\"return\": 1}\n");
    peer_expect(fixture->peer, "guest-ping", NULL);
    peer_play(fixture->peer);
    outcome_assert_value(&first, "1");
    g_assert_cmpuint(second.returns, ==, 0);

    peer_say(fixture->peer, "{\"return\": 2}\n");
    peer_sync(fixture->peer);
    peer_play(fixture->peer);
    outcome_assert_value(&second, "2");
    outcome_assert_value(&third, "null");
}

static void
test_a_command_cancelled_in_the_queue_is_never_sent(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    g_auto(Outcome) first = {0}, cancelled = {0};

    sync_client(fixture);
    peer_expect(fixture->peer, "guest-info", NULL);
    execute(fixture, "guest-info", 10000, &first);
    mf_qga_execute_async(fixture->qga, "guest-shutdown", NULL, 0, cancellable, outcome_executed,
                         &cancelled);
    g_cancellable_cancel(cancellable);
    outcome_await(&cancelled);
    g_assert_error(cancelled.error, MF_ERROR, MF_ERROR_CANCELLED);
    peer_say(fixture->peer, "{\"return\": 1}\n");
    peer_play(fixture->peer);
    outcome_assert_value(&first, "1");
    assert_next_command_works(fixture, FALSE, NULL);
}

static void
test_a_deadline_counts_from_the_commands_turn(Fixture *fixture, gconstpointer unused)
{
    g_auto(Outcome) slow = {0}, queued = {0};

    sync_client(fixture);
    peer_expect(fixture->peer, "guest-info", NULL);
    peer_sync(fixture->peer);
    peer_expect(fixture->peer, "guest-ping", NULL);
    peer_say(fixture->peer, "{\"return\": 1}\n");
    execute(fixture, "guest-info", 600, &slow);
    execute(fixture, "guest-ping", 500, &queued);
    peer_play(fixture->peer);
    g_assert_error(slow.error, MF_ERROR, MF_ERROR_TIMEOUT);
    outcome_assert_value(&queued, "1");
}

static void
test_an_error_reply_keeps_the_channel_in_step(Fixture *fixture, gconstpointer unused)
{
    g_auto(Outcome) outcome = {0};

    sync_client(fixture);
    peer_expect(fixture->peer, "guest-magic", NULL);
    peer_say(fixture->peer, "{\"error\": {\"class\": \"CommandNotFound\", \"desc\": \"The command "
                            "guest-magic has not been found\"}}\n");
    execute(fixture, "guest-magic", 10000, &outcome);
    peer_play(fixture->peer);
    outcome_assert_error(&outcome, MF_ERROR_REMOTE,
                         "CommandNotFound: The command guest-magic has not been found");
    assert_next_command_works(fixture, FALSE, NULL);
}

static const char *const no_replies[] = {
    "nonsense\n",
    "\n",
    "[]\n",
    "null\n",
    "{}\n",
    "{\"return\": 1} 2\n",
    "\xff{\"return\": 1}\n",
    "{\"return\": \"\xc3\"}\n",
    "{\"error\": {\"class\": 5, \"desc\": \"\"}}\n",
    "{\"error\": null}\n",
};

static void
test_what_is_no_reply_fails_its_command_and_brings_a_sync(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(no_replies); i++) {
        g_auto(Outcome) outcome = {0};
        Fixture fixture = {0};

        set_up(&fixture, NULL);
        sync_client(&fixture);
        peer_expect(fixture.peer, "guest-info", NULL);
        peer_say(fixture.peer, no_replies[i]);
        execute(&fixture, "guest-info", 10000, &outcome);
        peer_play(fixture.peer);
        if (!g_error_matches(outcome.error, MF_ERROR, MF_ERROR_PROTOCOL))
            g_error("This was taken for a reply: %s", no_replies[i]);
        g_assert_true(
            g_str_has_prefix(outcome.error->message, "The guest agent broke its protocol: "));
        assert_next_command_works(&fixture, TRUE, "{\"return\": \"too late\"}\n");
        tear_down(&fixture, NULL);
    }
}

static void
test_an_unasked_line_brings_a_sync(Fixture *fixture, gconstpointer unused)
{
    sync_client(fixture);
    peer_say(fixture->peer, "{\"return\": \"to nobody\"}\n");
    peer_play(fixture->peer);
    assert_next_command_works(fixture, TRUE, NULL);
}

static void
test_a_status_with_both_streams_full_is_read(Fixture *fixture, gconstpointer unused)
{
    /* Base64 of 16 MiB. */
    const gsize size = ((16u << 20) + 2) / 3 * 4;
    g_auto(Outcome) outcome = {0};
    g_autofree char *data = g_strnfill(size, 'A');
    g_autofree char *reply =
        g_strconcat("{\"return\": {\"exited\": true, \"exitcode\": 0, \"out-data\": \"", data,
                    "\", \"err-data\": \"", data, "\", \"out-truncated\": true}}\n", NULL);
    gint64 exitcode;
    const char *text;

    sync_client(fixture);
    peer_expect(fixture->peer, "guest-exec-status", NULL);
    peer_say(fixture->peer, reply);
    execute(fixture, "guest-exec-status", 0, &outcome);
    peer_play(fixture->peer);
    g_assert_cmpuint(outcome.returns, ==, 1);
    g_assert_no_error(outcome.error);
    MfJson value = mf_json_top(outcome.value, "the reply");
    g_assert_true(mf_json_get_int64(&value, "exitcode", 0, 255, &exitcode, NULL));
    g_assert_true(mf_json_get_string(&value, "out-data", &text, NULL));
    g_assert_cmpuint(strlen(text), ==, size);
    g_assert_true(mf_json_get_string(&value, "err-data", &text, NULL));
    g_assert_cmpuint(strlen(text), ==, size);
    assert_next_command_works(fixture, FALSE, NULL);
}

/* A reply whose line has 'length' bytes without its terminator. */
static char *
long_reply(gsize length)
{
    g_autofree char *padding = g_strnfill(length - strlen("{\"return\":\"\"}"), 'x');

    return g_strconcat("{\"return\":\"", padding, "\"}\n", NULL);
}

static void
test_a_line_at_the_cap_passes_and_one_byte_more_closes(Fixture *fixture, gconstpointer unused)
{
    g_auto(Outcome) at_cap = {0}, past_cap = {0}, queued = {0};
    g_autofree char *longest = long_reply(MF_QGA_LINE_MAX);
    g_autofree char *too_long = long_reply(MF_QGA_LINE_MAX + 1);

    sync_client(fixture);
    peer_expect(fixture->peer, "guest-info", NULL);
    peer_say(fixture->peer, longest);
    peer_expect(fixture->peer, "guest-info", NULL);
    peer_say(fixture->peer, too_long);
    execute(fixture, "guest-info", 0, &at_cap);
    execute(fixture, "guest-info", 0, &past_cap);
    execute(fixture, "guest-info", 0, &queued);
    peer_play(fixture->peer);
    g_assert_no_error(at_cap.error);
    outcome_assert_error(&past_cap, MF_ERROR_PROTOCOL,
                         "The guest agent broke its protocol: A line is longer than 67108864 "
                         "bytes.");
    outcome_assert_error(&queued, MF_ERROR_PROTOCOL, past_cap.error->message);
    g_assert_cmpuint(fixture->closed->len, ==, 1);
}

static void
test_a_hang_up_in_a_reply_fails_all_once(Fixture *fixture, gconstpointer unused)
{
    const char *const lost = "The connection to the scripted peer was closed by the other side.";
    g_auto(Outcome) active = {0}, queued = {0}, after = {0};

    sync_client(fixture);
    peer_expect(fixture->peer, "guest-info", NULL);
    peer_say(fixture->peer, "{\"return\": {\"half");
    peer_hang_up(fixture->peer);
    execute(fixture, "guest-info", 10000, &active);
    execute(fixture, "guest-ping", 10000, &queued);
    peer_play(fixture->peer);
    outcome_assert_error(&active, MF_ERROR_LOST, lost);
    outcome_assert_error(&queued, MF_ERROR_LOST, lost);
    g_assert_cmpuint(fixture->closed->len, ==, 1);
    g_assert_error((GError *)fixture->closed->pdata[0], MF_ERROR, MF_ERROR_LOST);

    execute(fixture, "guest-ping", 10000, &after);
    outcome_await(&after);
    outcome_assert_error(&after, MF_ERROR_LOST, lost);
}

static void
test_closing_fails_what_is_pending_with_the_given_reason(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) reason = g_error_new(MF_ERROR, MF_ERROR_GUEST, "The kernel panicked.");
    g_auto(Outcome) syncing = {0}, queued = {0};

    peer_expect_sync(fixture->peer);
    start_sync(fixture, 10000, &syncing);
    execute(fixture, "guest-ping", 10000, &queued);
    peer_play(fixture->peer);
    mf_qga_close(fixture->qga, reason);
    mf_qga_close(fixture->qga, reason);
    outcome_await(&queued);
    outcome_assert_error(&syncing, MF_ERROR_GUEST, "The kernel panicked.");
    outcome_assert_error(&queued, MF_ERROR_GUEST, "The kernel panicked.");
    g_assert_cmpuint(fixture->closed->len, ==, 0);
}

typedef struct {
    Fixture *fixture;
    Outcome first, second;
} Chain;

static void
execute_next(GObject *source, GAsyncResult *result, gpointer data)
{
    Chain *chain = data;

    outcome_executed(source, result, &chain->first);
    execute(chain->fixture, "guest-ping", 10000, &chain->second);
}

static void
test_a_reply_may_start_the_next_command(Fixture *fixture, gconstpointer unused)
{
    Chain chain = {.fixture = fixture};

    sync_client(fixture);
    peer_expect(fixture->peer, "guest-info", NULL);
    peer_say(fixture->peer, "{\"return\": 1}\n");
    peer_expect(fixture->peer, "guest-ping", NULL);
    peer_say(fixture->peer, "{\"return\": 2}\n");
    mf_qga_execute_async(fixture->qga, "guest-info", NULL, 10000, NULL, execute_next, &chain);
    peer_play(fixture->peer);
    outcome_assert_value(&chain.first, "1");
    outcome_assert_value(&chain.second, "2");
    outcome_clear(&chain.first);
    outcome_clear(&chain.second);
}

#define ADD(name, function) g_test_add("/qga/" name, Fixture, NULL, set_up, function, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/qga/syncing-drops-all-before-the-sentinel-in-any-pieces",
                    test_syncing_drops_all_before_the_sentinel_in_any_pieces);
    g_test_add_func("/qga/noise-is-never-taken-for-the-sync-reply",
                    test_noise_is_never_taken_for_the_sync_reply);
    g_test_add_func("/qga/what-is-no-reply-fails-its-command-and-brings-a-sync",
                    test_what_is_no_reply_fails_its_command_and_brings_a_sync);
    ADD("noise-is-dropped-without-being-kept", test_noise_is_dropped_without_being_kept);
    ADD("the-first-command-is-preceded-by-a-sync", test_the_first_command_is_preceded_by_a_sync);
    ADD("a-sync-is-sent-whenever-it-is-asked-for", test_a_sync_is_sent_whenever_it_is_asked_for);
    ADD("a-restarted-agent-gets-another-request", test_a_restarted_agent_gets_another_request);
    ADD("a-late-agent-answers-all-requests-and-the-last-one-counts",
        test_a_late_agent_answers_all_requests_and_the_last_one_counts);
    ADD("requests-to-a-slow-agent-become-rare", test_requests_to_a_slow_agent_become_rare);
    ADD("a-sync-has-a-deadline-and-its-late-reply-is-dropped",
        test_a_sync_has_a_deadline_and_its_late_reply_is_dropped);
    ADD("a-time-out-is-followed-by-a-sync-and-the-late-reply-is-dropped",
        test_a_time_out_is_followed_by_a_sync_and_the_late_reply_is_dropped);
    ADD("a-late-reply-while-idle-is-dropped", test_a_late_reply_while_idle_is_dropped);
    ADD("a-cancelled-command-is-followed-by-a-sync",
        test_a_cancelled_command_is_followed_by_a_sync);
    ADD("queued-commands-are-sent-one-at-a-time-in-order",
        test_queued_commands_are_sent_one_at_a_time_in_order);
    ADD("a-command-cancelled-in-the-queue-is-never-sent",
        test_a_command_cancelled_in_the_queue_is_never_sent);
    ADD("a-deadline-counts-from-the-commands-turn", test_a_deadline_counts_from_the_commands_turn);
    ADD("an-error-reply-keeps-the-channel-in-step", test_an_error_reply_keeps_the_channel_in_step);
    ADD("an-unasked-line-brings-a-sync", test_an_unasked_line_brings_a_sync);
    ADD("a-status-with-both-streams-full-is-read", test_a_status_with_both_streams_full_is_read);
    ADD("a-line-at-the-cap-passes-and-one-byte-more-closes",
        test_a_line_at_the_cap_passes_and_one_byte_more_closes);
    ADD("a-hang-up-in-a-reply-fails-all-once", test_a_hang_up_in_a_reply_fails_all_once);
    ADD("closing-fails-what-is-pending-with-the-given-reason",
        test_closing_fails_what_is_pending_with_the_given_reason);
    ADD("a-reply-may-start-the-next-command", test_a_reply_may_start_the_next_command);
    return g_test_run();
}
