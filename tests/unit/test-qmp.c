/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/qmp.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "outcome.h"
#include "peer.h"
#include "qmp-schema.h"

typedef struct {
    Peer *peer;
    MfQmp *qmp;
    GString *events;   /* "NAME data;" for each */
    GPtrArray *closed; /* of GError */
} Fixture;

static void
on_event(MfQmp *qmp, const char *name, json_object *data, gpointer user_data)
{
    g_string_append_printf(((Fixture *)user_data)->events, "%s %s;", name,
                           json_object_to_json_string_ext(data, JSON_C_TO_STRING_PLAIN));
}

static void
on_closed(MfQmp *qmp, GError *reason, gpointer user_data)
{
    g_ptr_array_add(((Fixture *)user_data)->closed, g_error_copy(reason));
}

static void
set_up(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(MfTransport) transport = NULL;

    fixture->peer = peer_new(&transport);
    peer_check_schema(fixture->peer);
    fixture->qmp = mf_qmp_new(transport);
    fixture->events = g_string_new(NULL);
    fixture->closed = g_ptr_array_new_with_free_func((GDestroyNotify)g_error_free);
    g_signal_connect(fixture->qmp, "event", G_CALLBACK(on_event), fixture);
    g_signal_connect(fixture->qmp, "closed", G_CALLBACK(on_closed), fixture);
}

static void
tear_down(Fixture *fixture, gconstpointer unused)
{
    g_assert_finalize_object(fixture->qmp);
    peer_free(fixture->peer);
    g_string_free(fixture->events, TRUE);
    g_ptr_array_unref(fixture->closed);
}

static void
open_client(Fixture *fixture)
{
    g_auto(Outcome) opened = {0};

    peer_open_qmp(fixture->peer);
    mf_qmp_open_async(fixture->qmp, 10000, NULL, outcome_ready, &opened);
    peer_play(fixture->peer);
    outcome_await(&opened);
    g_assert_no_error(opened.error);
}

static void
execute(Fixture *fixture, const char *command, Outcome *outcome)
{
    mf_qmp_execute_async(fixture->qmp, command, NULL, 10000, NULL, outcome_executed, outcome);
}

static void
assert_closed(Fixture *fixture, int code)
{
    g_assert_cmpuint(fixture->closed->len, ==, 1);
    g_assert_error((GError *)fixture->closed->pdata[0], MF_ERROR, code);
}

static void
test_opening_negotiates_and_knows_the_version(Fixture *fixture, gconstpointer unused)
{
    guint major, minor, micro;

    mf_qmp_get_version(fixture->qmp, &major, &minor, &micro);
    g_assert_cmpuint(major + minor + micro, ==, 0);
    open_client(fixture);
    mf_qmp_get_version(fixture->qmp, &major, &minor, &micro);
    g_assert_cmpuint(major, ==, 7);
    g_assert_cmpuint(minor, ==, 2);
    g_assert_cmpuint(micro, ==, 22);
}

static void
test_a_greeting_may_come_before_open_is_called(Fixture *fixture, gconstpointer unused)
{
    g_auto(Outcome) opened = {0};

    peer_say(fixture->peer, "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 0, \"minor\": 1, "
                            "\"major\": 9}, \"package\": \"\"}, \"capabilities\": []}}\r\n");
    peer_play(fixture->peer);
    mf_qmp_open_async(fixture->qmp, 10000, NULL, outcome_ready, &opened);
    peer_expect(fixture->peer, "qmp_capabilities", NULL);
    peer_say(fixture->peer, "{\"id\": $ID, \"return\": {}}\r\n");
    peer_play(fixture->peer);
    g_assert_cmpuint(opened.returns, ==, 1);
    g_assert_no_error(opened.error);
}

static void
test_any_pieces_give_the_same_messages(Fixture *fixture, gconstpointer unused)
{
    static const gsize pieces[] = {1, 2, 3, 7, 64};
    for (gsize i = 0; i < G_N_ELEMENTS(pieces); i++) {
        Fixture piecewise = {0};
        g_auto(Outcome) failed = {0};

        set_up(&piecewise, NULL);
        peer_set_piece(piecewise.peer, pieces[i]);
        open_client(&piecewise);
        peer_expect(piecewise.peer, "query-status", NULL);
        peer_say(piecewise.peer,
                 "{\"timestamp\": {\"seconds\": 1, \"microseconds\": 2}, \"event\": \"STOP\"}\r\n"
                 "{\"id\": $ID, \"error\": {\"class\": \"GenericError\", \"desc\": \"no\"}}\r\n"
                 "{\"event\": \"RESUME\", \"data\": {\"a\": [1]}}\r\n");
        execute(&piecewise, "query-status", &failed);
        peer_play(piecewise.peer);
        outcome_assert_error(&failed, MF_ERROR_REMOTE, "GenericError: no");
        g_assert_cmpstr(piecewise.events->str, ==, "STOP null;RESUME {\"a\":[1]};");
        tear_down(&piecewise, NULL);
    }
}

static void
test_commands_before_the_handshake_are_refused(Fixture *fixture, gconstpointer unused)
{
    g_auto(Outcome) early = {0};

    mf_qmp_execute_async(fixture->qmp, "quit", json_object_new_object(), 10000, NULL,
                         outcome_executed, &early);
    g_assert_cmpuint(early.returns, ==, 0);
    outcome_await(&early);
    outcome_assert_error(&early, MF_ERROR_PROTOCOL,
                         "The QMP command 'quit' cannot be sent before the handshake is done.");
    open_client(fixture);
}

static void
test_opening_twice_is_refused(Fixture *fixture, gconstpointer unused)
{
    g_auto(Outcome) again = {0};

    open_client(fixture);
    mf_qmp_open_async(fixture->qmp, 10000, NULL, outcome_ready, &again);
    outcome_await(&again);
    outcome_assert_error(&again, MF_ERROR_PROTOCOL, "The QMP connection was opened before.");
}

static void
test_overlapping_commands_are_told_apart_by_id(Fixture *fixture, gconstpointer unused)
{
    g_auto(Outcome) status = {0}, version = {0};

    open_client(fixture);
    peer_expect(fixture->peer, "query-status", NULL);
    peer_expect(fixture->peer, "query-version", NULL);
    peer_say(fixture->peer, "{\"return\": \"version\", \"id\": $ID}\r\n"
                            "{\"return\": null, \"id\": $ID-1}\r\n");
    execute(fixture, "query-status", &status);
    execute(fixture, "query-version", &version);
    peer_play(fixture->peer);
    outcome_assert_value(&version, "\"version\"");
    outcome_assert_value(&status, "null");
}

static void
test_arguments_are_passed_on(Fixture *fixture, gconstpointer unused)
{
    g_auto(Outcome) outcome = {0};
    json_object *arguments = json_object_new_object();
    const char *line = "info \"a\\b\" \xc3\xa9\n/";

    open_client(fixture);
    json_object_object_add(arguments, "command-line", json_object_new_string(line));
    peer_expect(fixture->peer, "human-monitor-command",
                "{\"command-line\": \"info \\\"a\\\\b\\\" \xc3\xa9\\n/\"}");
    peer_say(fixture->peer, "{\"return\": \"\", \"id\": $ID}\r\n");
    mf_qmp_execute_async(fixture->qmp, "human-monitor-command", arguments, 0, NULL,
                         outcome_executed, &outcome);
    peer_play(fixture->peer);
    outcome_assert_value(&outcome, "\"\"");
}

static void
test_an_error_reply_has_class_and_description(Fixture *fixture, gconstpointer unused)
{
    g_auto(Outcome) outcome = {0};

    open_client(fixture);
    peer_expect(fixture->peer, "cont", NULL);
    peer_say(fixture->peer, "{\"id\": $ID, \"error\": {\"class\": \"GenericError\", \"desc\": "
                            "\"Resetting the Virtual Machine is required\"}}\r\n");
    execute(fixture, "cont", &outcome);
    peer_play(fixture->peer);
    outcome_assert_error(&outcome, MF_ERROR_REMOTE,
                         "GenericError: Resetting the Virtual Machine is required");
    g_assert_cmpuint(fixture->closed->len, ==, 0);
}

static void
test_shutdown_comes_before_the_reply_to_quit_and_the_hang_up_last(Fixture *fixture,
                                                                  gconstpointer unused)
{
    g_auto(Outcome) quit = {0};

    open_client(fixture);
    peer_expect(fixture->peer, "quit", NULL);
    peer_say(fixture->peer, "{\"timestamp\": {\"seconds\": 1, \"microseconds\": 2}, \"event\": "
                            "\"SHUTDOWN\", \"data\": {\"guest\": false, \"reason\": "
                            "\"host-qmp-quit\"}}\r\n{\"return\": {}, \"id\": $ID}\r\n");
    peer_hang_up(fixture->peer);
    execute(fixture, "quit", &quit);
    peer_play(fixture->peer);
    g_assert_cmpstr(fixture->events->str, ==,
                    "SHUTDOWN {\"guest\":false,\"reason\":\"host-qmp-quit\"};");
    outcome_assert_value(&quit, "{}");
    assert_closed(fixture, MF_ERROR_LOST);
}

static void
count(MfQmp *qmp, const char *name, json_object *data, gpointer counter)
{
    g_assert_cmpstr(name, ==, "STOP");
    ++*(guint *)counter;
}

static void
test_one_event_can_be_connected_to_alone(Fixture *fixture, gconstpointer unused)
{
    guint stops = 0;

    open_client(fixture);
    g_signal_connect(fixture->qmp, "event::STOP", G_CALLBACK(count), &stops);
    peer_say(fixture->peer, "{\"event\": \"RESUME\"}\n{\"event\": \"STOP\"}\n"
                            "{\"event\": \"NEVER_HEARD_OF_BEFORE\"}\n");
    peer_play(fixture->peer);
    g_assert_cmpuint(stops, ==, 1);
    g_assert_cmpuint(g_quark_try_string("NEVER_HEARD_OF_BEFORE"), ==, 0);
}

static void
test_a_late_reply_after_a_time_out_is_dropped(Fixture *fixture, gconstpointer unused)
{
    g_auto(Outcome) slow = {0}, next = {0};

    open_client(fixture);
    peer_expect(fixture->peer, "query-status", NULL);
    mf_qmp_execute_async(fixture->qmp, "query-status", NULL, 5, NULL, outcome_executed, &slow);
    outcome_await(&slow);
    outcome_assert_error(&slow, MF_ERROR_TIMEOUT,
                         "The QMP command 'query-status' was not answered within 5ms.");

    peer_expect(fixture->peer, "query-version", NULL);
    peer_say(fixture->peer, "{\"return\": \"late\", \"id\": $ID-1}\r\n"
                            "{\"return\": \"mine\", \"id\": $ID}\r\n");
    execute(fixture, "query-version", &next);
    peer_play(fixture->peer);
    outcome_assert_value(&next, "\"mine\"");
    g_assert_cmpuint(fixture->closed->len, ==, 0);
}

static void
test_a_late_reply_is_dropped_only_once(Fixture *fixture, gconstpointer unused)
{
    g_auto(Outcome) slow = {0};

    open_client(fixture);
    peer_expect(fixture->peer, "query-status", NULL);
    mf_qmp_execute_async(fixture->qmp, "query-status", NULL, 5, NULL, outcome_executed, &slow);
    outcome_await(&slow);
    peer_say(fixture->peer, "{\"return\": \"late\", \"id\": $ID}\r\n");
    peer_play(fixture->peer);
    g_assert_cmpuint(fixture->closed->len, ==, 0);
    peer_say(fixture->peer, "{\"return\": \"late\", \"id\": $ID}\r\n");
    peer_play(fixture->peer);
    assert_closed(fixture, MF_ERROR_PROTOCOL);
}

static void
test_a_late_reply_after_a_cancellation_is_dropped(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    g_auto(Outcome) cancelled = {0}, next = {0};

    open_client(fixture);
    peer_expect(fixture->peer, "query-status", NULL);
    peer_then(fixture->peer, (void (*)(gpointer))g_cancellable_cancel, cancellable);
    peer_expect(fixture->peer, "query-version", NULL);
    peer_say(fixture->peer, "{\"error\": {\"class\": \"C\", \"desc\": \"late\"}, \"id\": $ID-1}\r\n"
                            "{\"return\": \"mine\", \"id\": $ID}\r\n");
    mf_qmp_execute_async(fixture->qmp, "query-status", NULL, 0, cancellable, outcome_executed,
                         &cancelled);
    outcome_await(&cancelled);
    g_assert_error(cancelled.error, MF_ERROR, MF_ERROR_CANCELLED);
    execute(fixture, "query-version", &next);
    peer_play(fixture->peer);
    outcome_assert_value(&next, "\"mine\"");
}

static void
test_a_cancelled_command_is_not_sent(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    g_auto(Outcome) cancelled = {0};

    open_client(fixture);
    g_cancellable_cancel(cancellable);
    mf_qmp_execute_async(fixture->qmp, "query-status", NULL, 0, cancellable, outcome_executed,
                         &cancelled);
    /* The peer, whose script is at its end, would abort. */
    peer_play(fixture->peer);
    g_assert_error(cancelled.error, MF_ERROR, MF_ERROR_CANCELLED);
}

/* What a peer may not send once the connection is open, with one command waiting. */
static const char *const violations[] = {
    "nonsense\r\n",
    "\r\n",
    "[]\r\n",
    "5\r\n",
    "null\r\n",
    "{}\r\n",
    "{\"return\": {}, \"id\": $ID\r\n",
    "{\"return\": {}, \"id\": $ID} {}\r\n",
    "{\"return\": {}}\r\n",
    "{\"return\": {}, \"id\": 4711}\r\n",
    "{\"return\": {}, \"id\": $ID-1}\r\n", /* answered before: the handshake */
    "{\"return\": {}, \"id\": 0}\r\n",
    "{\"return\": {}, \"id\": -1}\r\n",
    "{\"return\": {}, \"id\": \"$ID\"}\r\n",
    "{\"return\": {}, \"id\": null}\r\n",
    "{\"return\": {}, \"id\": $ID.0}\r\n",
    "{\"error\": {\"class\": \"GenericError\", \"desc\": \"JSON parse error\"}}\r\n",
    "{\"error\": {\"class\": \"GenericError\"}, \"id\": $ID}\r\n",
    "{\"error\": {\"desc\": \"no class\"}, \"id\": $ID}\r\n",
    "{\"error\": \"text\", \"id\": $ID}\r\n",
    "{\"event\": 5}\r\n",
    "{\"event\": \"STOP\", \"data\": []}\r\n",
    "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 0, \"minor\": 0, \"major\": 8}}}}\r\n",
    "{\"return\": \"\xff\", \"id\": $ID}\r\n",
};

static void
test_a_violation_fails_what_is_pending_and_closes(Fixture *fixture, gconstpointer unused)
{
    for (gsize i = 0; i < G_N_ELEMENTS(violations); i++) {
        Fixture broken = {0};
        g_auto(Outcome) pending = {0}, after = {0};

        set_up(&broken, NULL);
        open_client(&broken);
        peer_expect(broken.peer, "query-status", NULL);
        peer_say(broken.peer, violations[i]);
        peer_say(broken.peer, "{\"event\": \"STOP\"}\r\n");
        execute(&broken, "query-status", &pending);
        peer_play(broken.peer);
        if (!g_error_matches(pending.error, MF_ERROR, MF_ERROR_PROTOCOL))
            g_error("Violation %" G_GSIZE_FORMAT " was accepted: %s", i, violations[i]);
        g_assert_true(g_str_has_prefix(pending.error->message, "QEMU broke the QMP protocol: "));
        assert_closed(&broken, MF_ERROR_PROTOCOL);
        g_assert_cmpstr(broken.events->str, ==, "");

        execute(&broken, "query-status", &after);
        outcome_await(&after);
        outcome_assert_error(&after, MF_ERROR_PROTOCOL, pending.error->message);
        tear_down(&broken, NULL);
    }
}

static const char *const no_greetings[] = {
    "{\"return\": {}}\r\n",
    "{\"event\": \"STOP\"}\r\n",
    "{\"QMP\": {}}\r\n",
    "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 0, \"minor\": 0}}}}\r\n",
    "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 0, \"minor\": 0, \"major\": \"7\"}}}}\r\n",
    "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 0, \"minor\": 0, \"major\": -7}}}}\r\n",
    "SSH-2.0-OpenSSH_9.2\r\n",
};

static void
test_what_is_no_greeting_fails_the_opening(Fixture *fixture, gconstpointer unused)
{
    for (gsize i = 0; i < G_N_ELEMENTS(no_greetings); i++) {
        Fixture broken = {0};
        g_auto(Outcome) opened = {0};

        set_up(&broken, NULL);
        peer_say(broken.peer, no_greetings[i]);
        mf_qmp_open_async(broken.qmp, 10000, NULL, outcome_ready, &opened);
        peer_play(broken.peer);
        g_assert_error(opened.error, MF_ERROR, MF_ERROR_PROTOCOL);
        assert_closed(&broken, MF_ERROR_PROTOCOL);
        tear_down(&broken, NULL);
    }
}

static void
test_opening_fails_with_qemus_own_error(Fixture *fixture, gconstpointer unused)
{
    g_auto(Outcome) opened = {0}, early = {0};

    peer_say(fixture->peer, "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 0, \"minor\": 2, "
                            "\"major\": 7}, \"package\": \"\"}, \"capabilities\": []}}\r\n");
    peer_expect(fixture->peer, "qmp_capabilities", NULL);
    peer_say(fixture->peer, "{\"error\": {\"class\": \"GenericError\", \"desc\": \"no\"}, "
                            "\"id\": $ID}\r\n");
    mf_qmp_open_async(fixture->qmp, 10000, NULL, outcome_ready, &opened);
    peer_play(fixture->peer);
    outcome_assert_error(&opened, MF_ERROR_REMOTE, "GenericError: no");
    execute(fixture, "quit", &early);
    outcome_await(&early);
    g_assert_error(early.error, MF_ERROR, MF_ERROR_PROTOCOL);
}

static void
test_opening_has_a_deadline_and_its_late_reply_is_dropped(Fixture *fixture, gconstpointer unused)
{
    g_auto(Outcome) opened = {0};

    peer_say(fixture->peer, "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 0, \"minor\": 2, "
                            "\"major\": 7}, \"package\": \"\"}, \"capabilities\": []}}\r\n");
    peer_expect(fixture->peer, "qmp_capabilities", NULL);
    mf_qmp_open_async(fixture->qmp, 500, NULL, outcome_ready, &opened);
    peer_play(fixture->peer);
    outcome_await(&opened);
    outcome_assert_error(&opened, MF_ERROR_TIMEOUT,
                         "The QMP handshake was not answered within 500ms.");
    peer_say(fixture->peer, "{\"return\": {}, \"id\": $ID}\r\n");
    peer_play(fixture->peer);
    g_assert_cmpuint(fixture->closed->len, ==, 0);
}

static void
test_a_silent_peer_is_not_negotiated_with_after_the_deadline(Fixture *fixture, gconstpointer unused)
{
    g_auto(Outcome) opened = {0};

    mf_qmp_open_async(fixture->qmp, 5, NULL, outcome_ready, &opened);
    outcome_await(&opened);
    g_assert_error(opened.error, MF_ERROR, MF_ERROR_TIMEOUT);
    peer_say(fixture->peer, "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 0, \"minor\": 2, "
                            "\"major\": 7}, \"package\": \"\"}, \"capabilities\": []}}\r\n");
    /* A request now would come after the end of the script. */
    peer_play(fixture->peer);
    g_assert_cmpuint(fixture->closed->len, ==, 0);
}

static void
test_a_hang_up_fails_all_that_is_pending_once(Fixture *fixture, gconstpointer unused)
{
    const char *const lost = "The connection to the scripted peer was closed by the other side.";
    g_auto(Outcome) a = {0}, b = {0}, after = {0};

    open_client(fixture);
    peer_expect(fixture->peer, "query-status", NULL);
    peer_expect(fixture->peer, "query-version", NULL);
    peer_say(fixture->peer, "{\"return\": {\"half");
    peer_hang_up(fixture->peer);
    execute(fixture, "query-status", &a);
    execute(fixture, "query-version", &b);
    peer_play(fixture->peer);
    outcome_assert_error(&a, MF_ERROR_LOST, lost);
    outcome_assert_error(&b, MF_ERROR_LOST, lost);
    assert_closed(fixture, MF_ERROR_LOST);

    execute(fixture, "query-status", &after);
    outcome_await(&after);
    outcome_assert_error(&after, MF_ERROR_LOST, lost);
}

static void
test_closing_fails_what_is_pending_with_the_given_reason(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) reason = g_error_new(MF_ERROR, MF_ERROR_LAUNCH, "QEMU exited.");
    g_auto(Outcome) pending = {0};

    open_client(fixture);
    peer_expect(fixture->peer, "query-status", NULL);
    execute(fixture, "query-status", &pending);
    peer_play(fixture->peer);
    mf_qmp_close(fixture->qmp, reason);
    mf_qmp_close(fixture->qmp, reason);
    outcome_await(&pending);
    outcome_assert_error(&pending, MF_ERROR_LAUNCH, "QEMU exited.");
    peer_say(fixture->peer, "{\"event\": \"STOP\"}\r\n");
    peer_play(fixture->peer);
    g_assert_cmpstr(fixture->events->str, ==, "");
    g_assert_cmpuint(fixture->closed->len, ==, 0);
}

static void
close_on_event(MfQmp *qmp, const char *name, json_object *data, gpointer user_data)
{
    g_autoptr(GError) reason = g_error_new(MF_ERROR, MF_ERROR_LOST, "Enough.");

    mf_qmp_close(qmp, reason);
}

static void
test_an_event_may_close_the_client_in_the_middle_of_a_piece(Fixture *fixture, gconstpointer unused)
{
    g_auto(Outcome) pending = {0};

    open_client(fixture);
    g_signal_connect(fixture->qmp, "event", G_CALLBACK(close_on_event), NULL);
    peer_expect(fixture->peer, "query-status", NULL);
    peer_say(fixture->peer, "{\"event\": \"STOP\"}\r\n{\"event\": \"RESUME\"}\r\n"
                            "{\"return\": {}, \"id\": $ID}\r\n");
    execute(fixture, "query-status", &pending);
    peer_play(fixture->peer);
    outcome_assert_error(&pending, MF_ERROR_LOST, "Enough.");
    g_assert_cmpstr(fixture->events->str, ==, "STOP null;");
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
    execute(chain->fixture, "query-version", &chain->second);
}

static void
test_a_reply_may_start_the_next_command(Fixture *fixture, gconstpointer unused)
{
    Chain chain = {.fixture = fixture};

    open_client(fixture);
    peer_expect(fixture->peer, "query-status", NULL);
    peer_say(fixture->peer, "{\"return\": 1, \"id\": $ID}\r\n");
    peer_expect(fixture->peer, "query-version", NULL);
    peer_say(fixture->peer, "{\"return\": 2, \"id\": $ID}\r\n");
    mf_qmp_execute_async(fixture->qmp, "query-status", NULL, 10000, NULL, execute_next, &chain);
    peer_play(fixture->peer);
    outcome_assert_value(&chain.first, "1");
    outcome_assert_value(&chain.second, "2");
    outcome_clear(&chain.first);
    outcome_clear(&chain.second);
}

static void
test_a_descriptor_goes_with_its_command(Fixture *fixture, gconstpointer unused)
{
    g_auto(Outcome) outcome = {0};
    json_object *arguments = json_object_new_object();
    int ends[2];
    char text[8];

    g_assert_cmpint(pipe2(ends, O_CLOEXEC), ==, 0);
    mf_autofd read_end = ends[0];
    mf_autofd write_end = ends[1];
    open_client(fixture);
    json_object_object_add(arguments, "fdname", json_object_new_string("state"));
    peer_expect(fixture->peer, "getfd", "{\"fdname\": \"state\"}");
    peer_say(fixture->peer, "{\"return\": {}, \"id\": $ID}\r\n");
    mf_qmp_execute_with_fd_async(fixture->qmp, "getfd", arguments, write_end, 10000, NULL,
                                 outcome_executed, &outcome);
    mf_fd_clear(&write_end);
    peer_play(fixture->peer);
    outcome_assert_value(&outcome, "{}");

    mf_autofd passed = peer_take_fd(fixture->peer);
    g_assert_cmpint(passed, >=, 0);
    g_assert_true(mf_fd_write_all(passed, "through", 7, NULL));
    g_assert_cmpint(read(read_end, text, sizeof(text)), ==, 7);
}

static void
test_a_descriptor_that_cannot_be_passed_fails_its_command_alone(Fixture *fixture,
                                                                gconstpointer unused)
{
    g_auto(Outcome) bad = {0}, good = {0};
    mf_autofd closed = open("/dev/null", O_RDONLY | O_CLOEXEC);
    const int number = closed;

    open_client(fixture);
    mf_fd_clear(&closed);
    mf_qmp_execute_with_fd_async(fixture->qmp, "getfd", NULL, number, 10000, NULL, outcome_executed,
                                 &bad);
    outcome_await(&bad);
    g_assert_error(bad.error, MF_ERROR, MF_ERROR_HOST);
    peer_expect(fixture->peer, "query-status", NULL);
    peer_say(fixture->peer, "{\"return\": {}, \"id\": $ID}\r\n");
    execute(fixture, "query-status", &good);
    peer_play(fixture->peer);
    outcome_assert_value(&good, "{}");
}

/* An event whose line has 'length' bytes without its terminator. */
static char *
long_event(gsize length)
{
    static const char head[] = "{\"event\":\"LONG\",\"data\":{\"text\":\"", tail[] = "\"}}";
    const gsize frame = strlen(head) + strlen(tail);
    g_autofree char *padding = g_strnfill(length - frame, 'x');

    return g_strconcat(head, padding, tail, "\r\n", NULL);
}

static void
test_a_line_at_the_cap_passes_and_one_byte_more_closes(Fixture *fixture, gconstpointer unused)
{
    g_autofree char *longest = long_event(MF_QMP_LINE_MAX);
    g_autofree char *too_long = long_event(MF_QMP_LINE_MAX + 1);

    open_client(fixture);
    peer_say(fixture->peer, longest);
    peer_play(fixture->peer);
    g_assert_true(g_str_has_prefix(fixture->events->str, "LONG {\"text\":\"xx"));
    g_assert_cmpuint(fixture->closed->len, ==, 0);

    peer_say(fixture->peer, too_long);
    peer_play(fixture->peer);
    assert_closed(fixture, MF_ERROR_PROTOCOL);
    g_assert_cmpstr(((GError *)fixture->closed->pdata[0])->message, ==,
                    "QEMU broke the QMP protocol: A line is longer than 8388608 bytes.");
}

static void
assert_refused(const QmpSchema *schema, const char *command, const char *json)
{
    g_autoptr(json_object) arguments = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_true(mf_json_parse(json, strlen(json), 1000, &arguments, NULL));
    if (qmp_schema_check(schema, command, arguments, &error))
        g_error("'%s' passed with %s.", command, json);
    g_assert_error(error, MF_ERROR, MF_ERROR_PROTOCOL);
}

/* The tests' peer is only worth something if it refuses what QEMU refuses. */
static void
test_the_recorded_schema_refuses_what_qemu_refuses(void)
{
    g_autoptr(QmpSchema) schema = qmp_schema_load();
    g_autoptr(json_object) good = NULL;
    g_autoptr(GError) error = NULL;
    const char text[] = "{\"capabilities\":[{\"capability\":\"events\",\"state\":true}]}";

    g_assert_true(mf_json_parse(text, strlen(text), 1000, &good, NULL));
    qmp_schema_check(schema, "migrate-set-capabilities", good, &error);
    g_assert_no_error(error);

    assert_refused(schema, "no-such-command", "{}");
    assert_refused(schema, "SHUTDOWN", "{}");
    assert_refused(schema, "quit", "{\"now\":true}");
    assert_refused(schema, "getfd", "{}");
    assert_refused(schema, "getfd", "{\"fdname\":5}");
    assert_refused(schema, "getfd", "[]");
    assert_refused(schema, "migrate-set-capabilities", "{\"capabilities\":{}}");
    assert_refused(schema, "migrate-set-capabilities",
                   "{\"capabilities\":[{\"capability\":\"magic\",\"state\":true}]}");
    assert_refused(schema, "migrate-set-capabilities",
                   "{\"capabilities\":[{\"capability\":\"events\",\"state\":1}]}");
    assert_refused(schema, "set_password",
                   "{\"protocol\":\"spice\",\"password\":\"x\",\"display\":\"vnc only\"}");
}

#define ADD(name, function) g_test_add("/qmp/" name, Fixture, NULL, set_up, function, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("opening-negotiates-and-knows-the-version", test_opening_negotiates_and_knows_the_version);
    ADD("a-greeting-may-come-before-open-is-called",
        test_a_greeting_may_come_before_open_is_called);
    ADD("any-pieces-give-the-same-messages", test_any_pieces_give_the_same_messages);
    ADD("commands-before-the-handshake-are-refused",
        test_commands_before_the_handshake_are_refused);
    ADD("opening-twice-is-refused", test_opening_twice_is_refused);
    ADD("overlapping-commands-are-told-apart-by-id",
        test_overlapping_commands_are_told_apart_by_id);
    ADD("arguments-are-passed-on", test_arguments_are_passed_on);
    ADD("an-error-reply-has-class-and-description", test_an_error_reply_has_class_and_description);
    ADD("shutdown-comes-before-the-reply-to-quit-and-the-hang-up-last",
        test_shutdown_comes_before_the_reply_to_quit_and_the_hang_up_last);
    ADD("one-event-can-be-connected-to-alone", test_one_event_can_be_connected_to_alone);
    ADD("a-late-reply-after-a-time-out-is-dropped", test_a_late_reply_after_a_time_out_is_dropped);
    ADD("a-late-reply-is-dropped-only-once", test_a_late_reply_is_dropped_only_once);
    ADD("a-late-reply-after-a-cancellation-is-dropped",
        test_a_late_reply_after_a_cancellation_is_dropped);
    ADD("a-cancelled-command-is-not-sent", test_a_cancelled_command_is_not_sent);
    ADD("a-violation-fails-what-is-pending-and-closes",
        test_a_violation_fails_what_is_pending_and_closes);
    ADD("what-is-no-greeting-fails-the-opening", test_what_is_no_greeting_fails_the_opening);
    ADD("opening-fails-with-qemus-own-error", test_opening_fails_with_qemus_own_error);
    ADD("opening-has-a-deadline-and-its-late-reply-is-dropped",
        test_opening_has_a_deadline_and_its_late_reply_is_dropped);
    ADD("a-silent-peer-is-not-negotiated-with-after-the-deadline",
        test_a_silent_peer_is_not_negotiated_with_after_the_deadline);
    ADD("a-hang-up-fails-all-that-is-pending-once", test_a_hang_up_fails_all_that_is_pending_once);
    ADD("closing-fails-what-is-pending-with-the-given-reason",
        test_closing_fails_what_is_pending_with_the_given_reason);
    ADD("an-event-may-close-the-client-in-the-middle-of-a-piece",
        test_an_event_may_close_the_client_in_the_middle_of_a_piece);
    ADD("a-reply-may-start-the-next-command", test_a_reply_may_start_the_next_command);
    ADD("a-descriptor-goes-with-its-command", test_a_descriptor_goes_with_its_command);
    ADD("a-descriptor-that-cannot-be-passed-fails-its-command-alone",
        test_a_descriptor_that_cannot_be_passed_fails_its_command_alone);
    ADD("a-line-at-the-cap-passes-and-one-byte-more-closes",
        test_a_line_at_the_cap_passes_and_one_byte_more_closes);
    g_test_add_func("/qmp/the-recorded-schema-refuses-what-qemu-refuses",
                    test_the_recorded_schema_refuses_what_qemu_refuses);
    return g_test_run();
}
