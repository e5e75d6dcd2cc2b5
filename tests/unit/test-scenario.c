/* SPDX-License-Identifier: Apache-2.0 */
#include "run/scenario.h"

#include <string.h>

#include "base/tempdir.h"
#include "peer.h"
#include "run-for.h"
#include "run/check.h"
#include "run/metric.h"
#include "run/snapshots.h"
#include "stream-peer.h"

#define WATCHDOG_MS 300

/* A scenario between a scripted guest and a scripted QEMU. */
typedef struct {
    StreamPeer *guest;
    MfStream *stream;
    Peer *peer;
    MfQmp *qmp;
    MfConsole *console;
    MfTarget *target;
    MfScenario *scenario;
    char *directory;
    GString *logged;
    char *overdue; /* the sentence */
    guint times_overdue;
    gint64 overdue_us;
} Fixture;

static void
on_overdue(Fixture *fixture, const char *message)
{
    fixture->times_overdue++;
    fixture->overdue_us = g_get_monotonic_time();
    g_free(fixture->overdue);
    fixture->overdue = g_strdup(message);
}

static void
on_log(Fixture *fixture, GBytes *text)
{
    g_string_append_len(fixture->logged, g_bytes_get_data(text, NULL),
                        (gssize)g_bytes_get_size(text));
}

static void
on_opened(GObject *source, GAsyncResult *result, gpointer unused)
{
    g_autoptr(GError) error = NULL;

    mf_qmp_open_finish(MF_QMP(source), result, &error);
    g_assert_no_error(error);
}

static void
set_up(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(MfTransport) transport = NULL;
    g_autoptr(GError) error = NULL;

    fixture->guest = stream_peer_new(&fixture->stream);
    fixture->peer = peer_new(&transport);
    peer_check_schema(fixture->peer);
    fixture->qmp = mf_qmp_new(transport);
    fixture->console = mf_console_new(NULL);
    fixture->target = mf_target_new();
    fixture->target->watchdog_ms = WATCHDOG_MS;
    fixture->target->snapshots = 2;
    fixture->directory = g_dir_make_tmp("mayfly-test-XXXXXX", &error);
    g_assert_no_error(error);
    g_free(fixture->target->crash_dir);
    fixture->target->crash_dir = g_strdup(fixture->directory);
    fixture->logged = g_string_new(NULL);
    peer_open_qmp(fixture->peer);
    mf_qmp_open_async(fixture->qmp, 5000, NULL, on_opened, NULL);
    peer_play(fixture->peer);
}

static void
start(Fixture *fixture)
{
    fixture->scenario =
        mf_scenario_new(fixture->target, fixture->qmp, fixture->console, fixture->stream);
    g_signal_connect_swapped(fixture->scenario, "overdue", G_CALLBACK(on_overdue), fixture);
    g_signal_connect_swapped(fixture->scenario, "log", G_CALLBACK(on_log), fixture);
}

static void
tear_down(Fixture *fixture, gconstpointer unused)
{
    g_assert_finalize_object(fixture->scenario);
    stream_peer_settle();
    g_object_unref(fixture->stream);
    stream_peer_free(fixture->guest);
    g_object_unref(fixture->qmp);
    peer_free(fixture->peer);
    g_object_unref(fixture->console);
    mf_target_free(fixture->target);
    mf_tempdir_remove(fixture->directory);
    g_free(fixture->directory);
    g_string_free(fixture->logged, TRUE);
    g_free(fixture->overdue);
}

static void
say(Fixture *fixture, guint32 type)
{
    stream_peer_say(fixture->guest, type, NULL, 0);
    stream_peer_settle();
}

static void
ask(Fixture *fixture, guint32 id, guint32 kind, const char *tag)
{
    guint8 payload[MF_SNAPSHOT_MESSAGE_SIZE] = {0};

    mf_frame_put_u32(payload, id);
    mf_frame_put_u32(payload + 4, kind);
    memcpy(payload + MF_SNAPSHOT_TEXT_AT, tag, strlen(tag));
    stream_peer_say(fixture->guest, MF_FRAME_SNRQ, payload, sizeof(payload));
}

/* Whether the guest was given exactly that answer, once. */
static void
assert_answer(Fixture *fixture, guint32 id, guint32 status, const char *reason)
{
    guint8 payload[MF_SNAPSHOT_MESSAGE_SIZE];
    GString *expected = g_string_new("SNRP:");

    mf_snapshot_reply_encode(payload, id, status, reason);
    for (gsize i = 0; i < sizeof(payload); i++)
        g_string_append_printf(expected, "%02x", payload[i]);
    g_string_append_c(expected, ' ');

    const char *found = strstr(fixture->guest->heard->str, expected->str);
    if (!found || strstr(found + 1, expected->str))
        g_error("heard '%s' instead of '%s' once", fixture->guest->heard->str, expected->str);
    g_string_free(expected, TRUE);
}

static MfResult *
conclude(Fixture *fixture)
{
    MfResult *result = mf_result_new();

    mf_scenario_end(fixture->scenario);
    mf_scenario_conclude(fixture->scenario, result);
    return result;
}

static void
assert_note(const MfResult *result, guint index, const char *part)
{
    g_assert_cmpuint(result->notes->len, >, index);

    const char *note = g_ptr_array_index(result->notes, index);
    if (!strstr(note, part))
        g_error("'%s' is not in the note '%s'", part, note);
}

static void
test_a_scenario_that_does_not_end_is_overdue_once(Fixture *fixture, gconstpointer unused)
{
    start(fixture);
    run_for(2 * WATCHDOG_MS);
    g_assert_cmpuint(fixture->times_overdue, ==, 0);

    gint64 started_us = g_get_monotonic_time();
    say(fixture, MF_FRAME_SCST);
    run_for(3 * WATCHDOG_MS);
    g_assert_cmpuint(fixture->times_overdue, ==, 1);
    g_assert_cmpint(fixture->overdue_us - started_us, >=, WATCHDOG_MS * 1000);
    g_assert_nonnull(strstr(fixture->overdue, "it was running"));
    say(fixture, MF_FRAME_SCST);
    run_for(2 * WATCHDOG_MS);
    g_assert_cmpuint(fixture->times_overdue, ==, 1);
}

static void
test_paused_time_does_not_count(Fixture *fixture, gconstpointer unused)
{
    start(fixture);
    say(fixture, MF_FRAME_SCST);
    say(fixture, MF_FRAME_SCPP);
    run_for(3 * WATCHDOG_MS);
    g_assert_cmpuint(fixture->times_overdue, ==, 0);

    gint64 resumed_us = g_get_monotonic_time();
    say(fixture, MF_FRAME_SCRR);
    run_for(2 * WATCHDOG_MS);
    g_assert_cmpuint(fixture->times_overdue, ==, 1);
    /* What was used up before the pause is next to nothing. */
    g_assert_cmpint(fixture->overdue_us - resumed_us, >=, WATCHDOG_MS * 1000 / 2);
}

static void
test_an_end_leaves_time_for_cleaning_up_and_the_command_s_end_all(Fixture *fixture,
                                                                  gconstpointer unused)
{
    start(fixture);
    say(fixture, MF_FRAME_SCST);
    say(fixture, MF_FRAME_SCEN);
    run_for(2 * WATCHDOG_MS);
    g_assert_cmpuint(fixture->times_overdue, ==, 1);
    g_assert_nonnull(strstr(fixture->overdue, "cleaning up"));
}

static void
test_after_the_command_nothing_is_overdue(Fixture *fixture, gconstpointer unused)
{
    start(fixture);
    say(fixture, MF_FRAME_SCST);
    mf_scenario_end(fixture->scenario);
    say(fixture, MF_FRAME_SCST);
    run_for(2 * WATCHDOG_MS);
    g_assert_cmpuint(fixture->times_overdue, ==, 0);
}

static void
say_metric(Fixture *fixture, const char *name, double value)
{
    char number[G_ASCII_DTOSTR_BUF_SIZE];
    g_autofree char *json = g_strdup_printf(
        "....{\"metric\": {\"name\": \"%s\", \"value\": %s, \"unit\": \"u\", \"polarity\": \"\"}}",
        name, g_ascii_dtostr(number, sizeof(number), value));

    mf_frame_put_u32((guint8 *)json, MF_SCENARIO_INDEX);
    stream_peer_say(fixture->guest, MF_FRAME_PMET, json, strlen(json));
    stream_peer_settle();
}

static void
test_metrics_keep_their_last_values_and_order(Fixture *fixture, gconstpointer unused)
{
    start(fixture);
    say_metric(fixture, "b", 1);
    say_metric(fixture, "a", 2);
    say_metric(fixture, "b", 3);
    stream_peer_say(fixture->guest, MF_FRAME_PMET, "\xff\xff\xff\xff{}", 6);
    stream_peer_settle();

    g_autoptr(MfResult) result = conclude(fixture);
    g_assert_cmpuint(result->metrics->len, ==, 2);
    const MfMetric *first = g_ptr_array_index(result->metrics, 0);
    const MfMetric *second = g_ptr_array_index(result->metrics, 1);
    g_assert_cmpstr(first->name, ==, "b");
    g_assert_cmpfloat(first->value, ==, 3);
    g_assert_cmpstr(second->name, ==, "a");
    g_assert_cmpuint(result->notes->len, ==, 1);
    assert_note(result, 0, "1 metrics of the scenario were not understood");
}

static void
test_metrics_are_judged_by_the_target_s_checks(Fixture *fixture, gconstpointer unused)
{
    static const struct {
        MfVerdict verdict;
        const char *message;
    } cases[] = {
        {MF_VERDICT_EXITED, "The metric 'ops' = 9 is below minimum 10. The metric 'hits' was not "
                            "told of by the scenario."},
        /* A command that was cut short cannot be blamed for what is missing. */
        {MF_VERDICT_TIMEOUT, NULL},
    };

    g_ptr_array_set_free_func(fixture->target->checks, (GDestroyNotify)mf_check_free);
    g_ptr_array_add(fixture->target->checks, mf_check_new_min("ops", 10, NULL));
    g_ptr_array_add(fixture->target->checks, mf_check_new_exists("hits"));
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(MfResult) result = mf_result_new();

        g_clear_object(&fixture->scenario);
        start(fixture);
        say_metric(fixture, "ops", 9);
        stream_peer_settle();
        mf_scenario_end(fixture->scenario);
        result->verdict = cases[i].verdict;
        result->passed = TRUE;
        mf_scenario_conclude(fixture->scenario, result);
        g_assert_cmpstr(result->message, ==, cases[i].message);
        g_assert_cmpint(result->passed, ==, cases[i].message == NULL);
    }
}

static void
test_checks_that_hold_leave_the_verdict_alone(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(MfResult) result = mf_result_new();

    g_ptr_array_set_free_func(fixture->target->checks, (GDestroyNotify)mf_check_free);
    g_ptr_array_add(fixture->target->checks, mf_check_new_min("ops", 10, NULL));
    start(fixture);
    say_metric(fixture, "ops", 10);
    stream_peer_settle();
    result->passed = TRUE;
    mf_scenario_conclude(fixture->scenario, result);
    g_assert_true(result->passed);
    g_assert_null(result->message);
}

static void
test_metrics_beyond_the_most_are_left_out_and_noted(Fixture *fixture, gconstpointer unused)
{
    start(fixture);
    for (guint i = 0; i < MF_SCENARIO_METRICS_MAX + 2; i++) {
        g_autofree char *name = g_strdup_printf("m%u", i);

        say_metric(fixture, name, i);
    }
    say_metric(fixture, "m0", 7);

    g_autoptr(MfResult) result = conclude(fixture);
    g_assert_cmpuint(result->metrics->len, ==, MF_SCENARIO_METRICS_MAX);
    g_assert_cmpfloat(((const MfMetric *)g_ptr_array_index(result->metrics, 0))->value, ==, 7);
    assert_note(result, 0, "2 values were left out");
}

static void
test_a_log_is_passed_on(Fixture *fixture, gconstpointer unused)
{
    start(fixture);
    stream_peer_say_text(fixture->guest, MF_FRAME_SCLG, "one\n");
    stream_peer_say_text(fixture->guest, MF_FRAME_SCLG, "two");
    stream_peer_settle();
    g_assert_cmpstr(fixture->logged->str, ==, "one\ntwo");

    g_autoptr(MfResult) result = conclude(fixture);
    g_assert_null(result->metrics);
    g_assert_cmpuint(result->notes->len, ==, 0);
}

static void
expect_dump(Fixture *fixture)
{
    peer_expect(fixture->peer, "query-dump-guest-memory-capability", NULL);
    peer_say(fixture->peer,
             "{\"return\": {\"formats\": [\"elf\", \"kdump-zlib\"]}, \"id\": $ID}\n");
    peer_expect(fixture->peer, "getfd", "{\"fdname\": \"memory-dump\"}");
    peer_say(fixture->peer, "{\"return\": {}, \"id\": $ID}\n");
    peer_expect(fixture->peer, "dump-guest-memory",
                "{\"paging\": false, \"protocol\": \"fd:memory-dump\", \"detach\": true, "
                "\"format\": \"kdump-zlib\"}");
    peer_say(fixture->peer, "{\"return\": {}, \"id\": $ID}\n");
}

#define DUMPED(status)                                                                             \
    "{\"event\": \"DUMP_COMPLETED\", \"timestamp\": {\"seconds\": 1, \"microseconds\": 2}, "       \
    "\"data\": {\"result\": {\"status\": \"" status "\", \"completed\": 1, \"total\": 1}}}\n"

static char *
path_of(Fixture *fixture, const char *name)
{
    return g_build_filename(fixture->directory, MF_SNAPSHOTS_DIR, name, NULL);
}

static void
test_a_dump_is_written_where_the_host_says_and_its_time_does_not_count(Fixture *fixture,
                                                                       gconstpointer unused)
{
    g_autofree char *path = path_of(fixture, "snapshot-1.kdump");

    start(fixture);
    say(fixture, MF_FRAME_SCST);
    expect_dump(fixture);
    ask(fixture, 5, MF_SNAPSHOT_MEMORY, "../../evil");
    peer_play(fixture->peer);
    run_for(2 * WATCHDOG_MS);
    g_assert_cmpuint(fixture->times_overdue, ==, 0);
    peer_say(fixture->peer, DUMPED("completed"));
    peer_play(fixture->peer);
    stream_peer_settle();
    assert_answer(fixture, 5, MF_SNAPSHOT_OK, "snapshot-1.kdump");
    g_assert_true(g_file_test(path, G_FILE_TEST_IS_REGULAR));
    run_for(2 * WATCHDOG_MS);
    g_assert_cmpuint(fixture->times_overdue, ==, 1);

    g_autoptr(MfResult) result = conclude(fixture);
    assert_note(result, 0, "(tag '../../evil')");
    assert_note(result, 0, path);
}

static void
test_a_dump_that_fails_leaves_no_file_and_an_answer(Fixture *fixture, gconstpointer unused)
{
    g_autofree char *path = path_of(fixture, "snapshot-1.kdump");

    start(fixture);
    expect_dump(fixture);
    peer_say(fixture->peer, DUMPED("failed"));
    ask(fixture, 5, MF_SNAPSHOT_MEMORY, "");
    peer_play(fixture->peer);
    stream_peer_settle();
    assert_answer(fixture, 5, MF_SNAPSHOT_FAILED, "QEMU could not write it.");
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
}

static void
expect_state(Fixture *fixture)
{
    static const char *const lines[] = {"info status", "info cpus", "info registers -a",
                                        "info block", "info numa"};

    for (gsize i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_autofree char *arguments = g_strdup_printf("{\"command-line\": \"%s\"}", lines[i]);

        peer_expect(fixture->peer, "human-monitor-command", arguments);
        peer_say(fixture->peer, "{\"return\": \"text\\r\\n\", \"id\": $ID}\n");
    }
}

static void
test_the_state_is_a_file_of_what_the_monitor_says(Fixture *fixture, gconstpointer unused)
{
    g_autofree char *path = path_of(fixture, "snapshot-1.state");
    g_autofree char *text = NULL;

    start(fixture);
    expect_state(fixture);
    ask(fixture, 6, MF_SNAPSHOT_STATE, "now");
    peer_play(fixture->peer);
    stream_peer_settle();
    assert_answer(fixture, 6, MF_SNAPSHOT_OK, "snapshot-1.state");
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_true(g_str_has_prefix(text, "# info status\ntext\r\n\n# info cpus\n"));
}

static void
test_the_console_s_place_needs_no_allowance(Fixture *fixture, gconstpointer unused)
{
    fixture->target->snapshots = 0;
    start(fixture);
    mf_console_feed(fixture->console, "0123456789\n", 11);
    ask(fixture, 7, MF_SNAPSHOT_CONSOLE, "");
    stream_peer_settle();
    assert_answer(fixture, 7, MF_SNAPSHOT_OK, "The console is at byte 11.");

    g_autoptr(MfResult) result = conclude(fixture);
    g_assert_cmpuint(result->notes->len, ==, 0);
}

static void
test_what_is_not_taken_is_answered_with_the_reason(Fixture *fixture, gconstpointer unused)
{
    fixture->target->snapshots = 0;
    start(fixture);
    ask(fixture, 1, MF_SNAPSHOT_WATCH, "");
    ask(fixture, 2, 77, "");
    ask(fixture, 3, MF_SNAPSHOT_MEMORY, "");
    ask(fixture, 4, MF_SNAPSHOT_STATE, "");
    stream_peer_settle();
    assert_answer(fixture, 1, MF_SNAPSHOT_FAILED, "mayfly cannot watch for a change of memory.");
    assert_answer(fixture, 2, MF_SNAPSHOT_FAILED, "mayfly knows no snapshots of that kind.");
    assert_answer(fixture, 3, MF_SNAPSHOT_FAILED, "This run keeps no snapshots: see --snapshots.");
    assert_answer(fixture, 4, MF_SNAPSHOT_FAILED, "This run keeps no snapshots: see --snapshots.");

    g_autoptr(MfResult) result = conclude(fixture);
    assert_note(result, 0, "asked for, 2 were beyond the 0");
    ask(fixture, 8, MF_SNAPSHOT_CONSOLE, "");
    stream_peer_settle();
    assert_answer(fixture, 8, MF_SNAPSHOT_FAILED, "The run is at its end.");
}

static void
test_no_more_are_taken_than_allowed_and_few_wait(Fixture *fixture, gconstpointer unused)
{
    start(fixture);
    expect_dump(fixture);
    for (guint i = 1; i <= MF_SNAPSHOTS_QUEUE_MAX + 1; i++)
        ask(fixture, i, MF_SNAPSHOT_MEMORY, "");
    peer_play(fixture->peer);
    stream_peer_settle();
    assert_answer(fixture, MF_SNAPSHOTS_QUEUE_MAX + 1, MF_SNAPSHOT_FAILED,
                  "Too many requests wait already.");
    peer_say(fixture->peer, DUMPED("completed"));
    expect_dump(fixture);
    peer_say(fixture->peer, DUMPED("completed"));
    peer_play(fixture->peer);
    stream_peer_settle();
    assert_answer(fixture, 2, MF_SNAPSHOT_OK, "snapshot-2.kdump");
    for (guint i = 3; i <= MF_SNAPSHOTS_QUEUE_MAX; i++)
        assert_answer(fixture, i, MF_SNAPSHOT_FAILED,
                      "All snapshots that this run allows are taken.");
}

static void
test_a_dump_is_given_up_at_the_end(Fixture *fixture, gconstpointer unused)
{
    g_autofree char *path = path_of(fixture, "snapshot-1.kdump");

    start(fixture);
    expect_dump(fixture);
    ask(fixture, 1, MF_SNAPSHOT_MEMORY, "");
    peer_play(fixture->peer);
    g_assert_true(g_file_test(path, G_FILE_TEST_EXISTS));
    mf_scenario_end(fixture->scenario);
    stream_peer_settle();
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
}

#define ADD(name, function)                                                                        \
    g_test_add("/scenario/" name, Fixture, NULL, set_up, function, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("D-7/one-that-does-not-end-is-overdue-once",
        test_a_scenario_that_does_not_end_is_overdue_once);
    ADD("D-9/paused-time-does-not-count", test_paused_time_does_not_count);
    ADD("D-10/an-end-leaves-time-for-cleaning-up",
        test_an_end_leaves_time_for_cleaning_up_and_the_command_s_end_all);
    ADD("after-the-command-nothing-is-overdue", test_after_the_command_nothing_is_overdue);
    ADD("metrics-keep-their-last-values-and-order", test_metrics_keep_their_last_values_and_order);
    ADD("metrics-are-judged-by-the-target-s-checks",
        test_metrics_are_judged_by_the_target_s_checks);
    ADD("checks-that-hold-leave-the-verdict-alone", test_checks_that_hold_leave_the_verdict_alone);
    ADD("metrics-beyond-the-most-are-left-out-and-noted",
        test_metrics_beyond_the_most_are_left_out_and_noted);
    ADD("a-log-is-passed-on", test_a_log_is_passed_on);
    ADD("D-6/a-dump-is-written-where-the-host-says-and-its-time-does-not-count",
        test_a_dump_is_written_where_the_host_says_and_its_time_does_not_count);
    ADD("D-6/a-dump-that-fails-leaves-no-file-and-an-answer",
        test_a_dump_that_fails_leaves_no_file_and_an_answer);
    ADD("D-6/the-state-is-a-file-of-what-the-monitor-says",
        test_the_state_is_a_file_of_what_the_monitor_says);
    ADD("D-6/the-console-s-place-needs-no-allowance", test_the_console_s_place_needs_no_allowance);
    ADD("D-6/what-is-not-taken-is-answered-with-the-reason",
        test_what_is_not_taken_is_answered_with_the_reason);
    ADD("D-6/no-more-are-taken-than-allowed-and-few-wait",
        test_no_more_are_taken_than_allowed_and_few_wait);
    ADD("D-6/a-dump-is-given-up-at-the-end", test_a_dump_is_given_up_at_the_end);
    return g_test_run();
}
