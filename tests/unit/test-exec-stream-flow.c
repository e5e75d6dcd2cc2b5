/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "exec-fixture.h"

/* How fast a command's bytes may come and go: what is on its way is bounded, and nothing is lost.
 */

#define MIB (1u << 20)

/* More than what may wait on the host and fits into the sockets and pipes between. */
#define FLOOD (6 * MIB)

/* A pattern that repeats with no power of two, so that a lost or doubled block shows. */
static GByteArray *
make_pattern(gsize size)
{
    GByteArray *pattern = g_byte_array_sized_new((guint)size);

    g_byte_array_set_size(pattern, (guint)size);
    for (gsize i = 0; i < size; i++)
        pattern->data[i] = (guint8)((i * 7 + i / 251) % 251);
    return pattern;
}

static void
say_pattern(ExecFixture *fixture, const GByteArray *pattern, gsize chunk)
{
    for (gsize at = 0; at < pattern->len; at += chunk)
        stream_peer_say(fixture->guest, MF_FRAME_SOUT, pattern->data + at,
                        MIN(chunk, pattern->len - at));
}

static void
set_true(gpointer done)
{
    *(gboolean *)done = TRUE;
}

/* Starts the command and comes back when the agent has said so. Its question for the status waits
 * until it is answered. */
static void
start(ExecFixture *fixture)
{
    gboolean done = FALSE;

    exec_fixture_expect_start(fixture);
    peer_then(fixture->agent, set_true, &done);
    exec_fixture_expect_question(fixture);
    exec_fixture_run(fixture);
    while (!done)
        g_main_context_iteration(NULL, TRUE);
    stream_peer_settle();
}

static void
assert_all_read(const ExecFixture *fixture, const GByteArray *pattern)
{
    g_assert_cmpmem(fixture->read[1]->data, fixture->read[1]->len, pattern->data, pattern->len);
}

static void
test_a_reader_that_stops(ExecFixture *fixture, gconstpointer chunk)
{
    g_autoptr(GByteArray) pattern = make_pattern(FLOOD);

    exec_fixture_set_reading(fixture, 1, FALSE);
    start(fixture);
    say_pattern(fixture, pattern, GPOINTER_TO_SIZE(chunk));
    exec_fixture_say_ends(fixture);
    exec_fixture_say_exit(fixture, 0);
    exec_fixture_answer(fixture, EXEC_EXITED(0));
    stream_peer_settle();
    /* A read may end the chunk that an earlier one began. */
    g_assert_cmpuint(mf_stdio_get_queued(fixture->stdio), >=, MIB);
    g_assert_cmpuint(mf_stdio_get_queued(fixture->stdio), <,
                     MIB + MF_TRANSPORT_RECEIVED_MAX + MF_FRAME_CHUNK_MAX);
    g_assert_cmpuint(stream_peer_get_unsent(fixture->guest), >, FLOOD / 2);

    exec_fixture_set_reading(fixture, 1, TRUE);
    exec_fixture_await(fixture);
    g_assert_no_error(fixture->error);
    g_assert_false(fixture->exit.output_held);
    assert_all_read(fixture, pattern);
}

/* The agent says that the command has exited while its last output waits in the guest for a reader
 * who takes longer than output is awaited. */
static gboolean
read_again(gpointer data)
{
    exec_fixture_set_reading(data, 1, TRUE);
    return G_SOURCE_REMOVE;
}

static void
start_flood(ExecFixture *fixture, const GByteArray *pattern)
{
    exec_fixture_set_reading(fixture, 1, FALSE);
    start(fixture);
    say_pattern(fixture, pattern, MF_FRAME_CHUNK_MAX);
}

static void
test_a_slow_reader_after_the_polled_exit(ExecFixture *fixture, gconstpointer unused)
{
    g_autoptr(GByteArray) pattern = make_pattern(FLOOD);

    start_flood(fixture, pattern);
    exec_fixture_say_exit(fixture, 0);
    exec_fixture_say_ends(fixture);
    exec_fixture_answer(fixture, EXEC_EXITED(0));
    g_timeout_add(MF_EXEC_STREAM_OUTPUT_WAIT_MS + 300, read_again, fixture);
    exec_fixture_await(fixture);
    g_assert_no_error(fixture->error);
    g_assert_false(fixture->exit.output_held);
    assert_all_read(fixture, pattern);
}

static void
test_a_slow_reader_after_the_exit_frame(ExecFixture *fixture, gconstpointer unused)
{
    g_autoptr(GByteArray) pattern = make_pattern(FLOOD);

    exec_fixture_set_reading(fixture, 1, FALSE);
    start(fixture);
    exec_fixture_say_exit(fixture, 0);
    exec_fixture_answer(fixture, EXEC_EXITED(0));
    say_pattern(fixture, pattern, MF_FRAME_CHUNK_MAX);
    exec_fixture_say_ends(fixture);
    g_timeout_add(MF_EXEC_STREAM_OUTPUT_WAIT_MS + 300, read_again, fixture);
    exec_fixture_await(fixture);
    g_assert_no_error(fixture->error);
    g_assert_false(fixture->exit.output_held);
    assert_all_read(fixture, pattern);
}

/* Reads slowly: each burst is followed by a stop, so that mayfly itself stops again and again. */
static gboolean
on_burst(gpointer data)
{
    ExecFixture *fixture = data;

    exec_fixture_set_reading(fixture, 1, fixture->reader_source[1] == 0);
    return G_SOURCE_CONTINUE;
}

static gboolean
say_more(gpointer data)
{
    ExecFixture *fixture = data;
    static const guint8 chunk[MF_FRAME_CHUNK_MAX];

    if (stream_peer_get_unsent(fixture->guest) < FLOOD)
        stream_peer_say(fixture->guest, MF_FRAME_SOUT, chunk, sizeof(chunk));
    return G_SOURCE_CONTINUE;
}

static void
test_a_daemon_that_never_stops(ExecFixture *fixture, gconstpointer unused)
{
    start(fixture);
    guint burst = g_timeout_add(20, on_burst, fixture);
    guint more = g_timeout_add(1, say_more, fixture);
    exec_fixture_say_exit(fixture, 0);
    exec_fixture_mark(fixture);
    exec_fixture_answer(fixture, EXEC_EXITED(0));
    exec_fixture_await(fixture);
    g_assert_no_error(fixture->error);
    g_assert_true(fixture->exit.output_held);
    g_assert_cmpint(exec_fixture_since_mark_ms(fixture), <, 4000);
    g_source_remove(burst);
    g_source_remove(more);
}

static void
test_a_reader_that_leaves(ExecFixture *fixture, gconstpointer unused)
{
    exec_fixture_close_reader(fixture, 1);
    start(fixture);
    stream_peer_say_text(fixture->guest, MF_FRAME_SOUT, "nobody reads this");
    stream_peer_say_text(fixture->guest, MF_FRAME_SOUT, "nor this");
    stream_peer_say_text(fixture->guest, MF_FRAME_SERR, "err");
    stream_peer_settle();
    g_assert_cmpstr(fixture->guest->heard->str, ==, "SINE: SOCL:01 ");
    exec_fixture_say_ends(fixture);
    exec_fixture_say_exit(fixture, -SIGPIPE);
    exec_fixture_answer(fixture, EXEC_SIGNALLED(13));
    exec_fixture_await(fixture);
    exec_fixture_assert_exit(fixture, 0, SIGPIPE, "", "err");
}

static void
test_a_reader_that_left_before_the_start(ExecFixture *fixture, gconstpointer unused)
{
    g_autoptr(GBytes) unread = g_bytes_new_static("of the command before", 21);

    exec_fixture_close_reader(fixture, 1);
    mf_output_write(fixture->stdio->output[1], unread);
    start(fixture);
    stream_peer_settle();
    g_assert_cmpstr(fixture->guest->heard->str, ==, "SINE: SOCL:01 ");
    exec_fixture_say_ends(fixture);
    exec_fixture_say_exit(fixture, 0);
    exec_fixture_answer(fixture, EXEC_EXITED(0));
    exec_fixture_await(fixture);
    exec_fixture_assert_exit(fixture, 0, 0, "", "");
}

static void
test_a_reader_that_leaves_while_output_waits(ExecFixture *fixture, gconstpointer unused)
{
    g_autoptr(GByteArray) pattern = make_pattern(FLOOD);

    start_flood(fixture, pattern);
    stream_peer_settle();
    g_assert_cmpuint(stream_peer_get_unsent(fixture->guest), >, 0);
    exec_fixture_close_reader(fixture, 1);
    exec_fixture_say_ends(fixture);
    exec_fixture_say_exit(fixture, -SIGPIPE);
    exec_fixture_answer(fixture, EXEC_SIGNALLED(13));
    exec_fixture_await(fixture);
    g_assert_cmpint(fixture->exit.signal_number, ==, SIGPIPE);
    g_assert_cmpstr(fixture->guest->heard->str, ==, "SINE: SOCL:01 ");
}

/* TERM, the grace in milliseconds, and KILL after it are one frame. */
#define KILL_HEARD "CKIL:e8030000 "

static void
await_heard(ExecFixture *fixture, const char *frame)
{
    while (!strstr(fixture->guest->heard->str, frame))
        g_main_context_iteration(NULL, TRUE);
}

static void
test_past_its_limit_it_is_killed(ExecFixture *fixture, gconstpointer unused)
{
    fixture->limit_ms = 10;
    start(fixture);
    stream_peer_say_text(fixture->guest, MF_FRAME_SOUT, "so far");
    await_heard(fixture, KILL_HEARD);
    exec_fixture_say_ends(fixture);
    exec_fixture_say_exit(fixture, -SIGTERM);
    exec_fixture_answer(fixture, EXEC_SIGNALLED(15));
    exec_fixture_await(fixture);
    exec_fixture_assert_exit(fixture, 0, SIGTERM, "so far", "");
    g_assert_true(fixture->exit.timed_out);
}

static void
test_a_guest_that_does_not_kill_it_is_given_up(ExecFixture *fixture, gconstpointer unused)
{
    fixture->limit_ms = 10;
    start(fixture);
    exec_fixture_await(fixture);
    g_assert_nonnull(strstr(fixture->guest->heard->str, KILL_HEARD));
    exec_fixture_assert_error(fixture, MF_ERROR_TIMEOUT);
}

/* A slow guest: a piece of what it was told before each second, and then the end. */
#define SLOW_PIECES 3

typedef struct {
    ExecFixture *fixture;
    guint said;
} SlowGuest;

static gboolean
say_next(gpointer data)
{
    SlowGuest *slow = data;

    stream_peer_say_text(slow->fixture->guest, MF_FRAME_SOUT, "piece ");
    if (++slow->said < SLOW_PIECES)
        return G_SOURCE_CONTINUE;
    exec_fixture_say_ends(slow->fixture);
    exec_fixture_say_exit(slow->fixture, -SIGKILL);
    exec_fixture_answer(slow->fixture, EXEC_SIGNALLED(9));
    return G_SOURCE_REMOVE;
}

static void
test_past_its_limit_what_still_arrives_is_awaited(ExecFixture *fixture, gconstpointer unused)
{
    SlowGuest slow = {fixture, 0};

    fixture->limit_ms = 10;
    start(fixture);
    await_heard(fixture, KILL_HEARD);
    g_timeout_add(1000, say_next, &slow);
    exec_fixture_await(fixture);
    exec_fixture_assert_exit(fixture, 0, SIGKILL, "piece piece piece ", "");
    g_assert_true(fixture->exit.timed_out);
}

static gboolean
read_some(gpointer data)
{
    ExecFixture *fixture = data;
    guint8 some[65536];
    ssize_t n = read(fixture->reader[1], some, sizeof(some));

    g_assert_cmpint(n, >, 0);
    g_byte_array_append(fixture->read[1], some, (guint)n);
    return G_SOURCE_REMOVE;
}

static gboolean
read_all(gpointer data)
{
    exec_fixture_set_reading(data, 1, TRUE);
    return G_SOURCE_REMOVE;
}

/* Who reads it takes longer than the guest may, but does take it. */
static void
test_past_its_limit_a_slow_reader_gets_everything(ExecFixture *fixture, gconstpointer unused)
{
    g_autoptr(GByteArray) pattern = make_pattern(MIB / 2);

    fixture->limit_ms = 10;
    exec_fixture_set_reading(fixture, 1, FALSE);
    start(fixture);
    say_pattern(fixture, pattern, MF_FRAME_CHUNK_MAX);
    await_heard(fixture, KILL_HEARD);
    exec_fixture_say_ends(fixture);
    exec_fixture_say_exit(fixture, -SIGKILL);
    exec_fixture_answer(fixture, EXEC_SIGNALLED(9));
    g_timeout_add(1500, read_some, fixture);
    g_timeout_add(3000, read_all, fixture);
    exec_fixture_await(fixture);
    g_assert_no_error(fixture->error);
    assert_all_read(fixture, pattern);
}

static void
test_within_its_limit_it_is_left_alone(ExecFixture *fixture, gconstpointer unused)
{
    fixture->limit_ms = G_MAXINT64;
    start(fixture);
    exec_fixture_say_ends(fixture);
    exec_fixture_say_exit(fixture, 0);
    exec_fixture_answer(fixture, EXEC_EXITED(0));
    exec_fixture_await(fixture);
    exec_fixture_assert_exit(fixture, 0, 0, "", "");
    g_assert_false(fixture->exit.timed_out);
    g_assert_null(strstr(fixture->guest->heard->str, "CKIL"));
}

/* Cancelled while it does not read, it reads on: the guest still has a kernel log to tell. */
static void
test_reading_goes_on_after_the_end(ExecFixture *fixture, gconstpointer unused)
{
    g_autoptr(GByteArray) pattern = make_pattern(FLOOD);

    start_flood(fixture, pattern);
    stream_peer_settle();
    g_assert_cmpuint(stream_peer_get_unsent(fixture->guest), >, 0);
    peer_play(fixture->agent);
    g_cancellable_cancel(fixture->cancellable);
    exec_fixture_await(fixture);
    while (stream_peer_get_unsent(fixture->guest) > 0)
        g_main_context_iteration(NULL, TRUE);
}

static void
finish(ExecFixture *fixture)
{
    exec_fixture_say_ends(fixture);
    exec_fixture_say_exit(fixture, 0);
    exec_fixture_answer(fixture, EXEC_EXITED(0));
    exec_fixture_await(fixture);
    g_assert_no_error(fixture->error);
}

static void
assert_stdin_got(const ExecFixture *fixture, const GByteArray *pattern, gsize size)
{
    stream_peer_settle();
    g_assert_cmpmem(fixture->guest->stdin_got->data, fixture->guest->stdin_got->len, pattern->data,
                    size);
}

static void
test_input_keeps_to_its_window(ExecFixture *fixture, gconstpointer unused)
{
    g_autoptr(GByteArray) pattern = make_pattern(MIB);

    exec_fixture_set_input(fixture, pattern->data, pattern->len);
    start(fixture);
    assert_stdin_got(fixture, pattern, MF_STDIN_WINDOW);

    stream_peer_say_u32(fixture->guest, MF_FRAME_SINA, 1000);
    assert_stdin_got(fixture, pattern, MF_STDIN_WINDOW + 1000);

    /* Acknowledged far beyond what was sent: that much is not ahead of it. */
    for (int i = 0; i < 3; i++)
        stream_peer_say_u32(fixture->guest, MF_FRAME_SINA, G_MAXUINT32);
    stream_peer_settle();
    for (gsize acked = fixture->guest->stdin_got->len - MF_STDIN_WINDOW; acked < MIB;) {
        g_assert_cmpuint(fixture->guest->stdin_got->len, <=, acked + MF_STDIN_WINDOW);
        stream_peer_say_u32(fixture->guest, MF_FRAME_SINA, 10000);
        acked += 10000;
        stream_peer_settle();
    }
    assert_stdin_got(fixture, pattern, MIB);
    g_assert_cmpstr(fixture->guest->heard->str, ==, "SINE: ");
    finish(fixture);
}

static void
test_forged_acknowledgements_do_not_add_up(ExecFixture *fixture, gconstpointer unused)
{
    g_autoptr(GByteArray) pattern = make_pattern(MIB);

    exec_fixture_set_input(fixture, pattern->data, pattern->len);
    /* None of it was sent yet. */
    for (int i = 0; i < 5; i++)
        stream_peer_say_u32(fixture->guest, MF_FRAME_SINA, G_MAXUINT32);
    start(fixture);
    assert_stdin_got(fixture, pattern, MF_STDIN_WINDOW);
    finish(fixture);
}

static void
assert_no_input_yet(gpointer data)
{
    ExecFixture *fixture = data;

    stream_peer_settle();
    g_assert_cmpuint(fixture->guest->stdin_got->len, ==, 0);
}

/* The guest has nowhere to put input for a command that does not exist yet. */
static void
test_input_waits_for_the_start(ExecFixture *fixture, gconstpointer unused)
{
    g_autoptr(GByteArray) pattern = make_pattern(3);

    exec_fixture_set_input(fixture, pattern->data, pattern->len);
    peer_sync(fixture->agent);
    peer_expect(fixture->agent, "guest-exec", EXEC_START_ARGUMENTS);
    peer_then(fixture->agent, assert_no_input_yet, fixture);
    peer_say(fixture->agent, "{\"return\": {\"pid\": 7}}\n");
    exec_fixture_expect_question(fixture);
    exec_fixture_run(fixture);
    peer_play(fixture->agent);
    assert_stdin_got(fixture, pattern, 3);
    finish(fixture);
}

static void
test_the_end_of_input_follows_its_last_byte(ExecFixture *fixture, gconstpointer unused)
{
    g_autoptr(GByteArray) pattern = make_pattern(3);

    exec_fixture_set_input(fixture, pattern->data, pattern->len);
    start(fixture);
    assert_stdin_got(fixture, pattern, 3);
    g_assert_cmpstr(fixture->guest->heard->str, ==, "SINE: ");
    finish(fixture);
}

static void
test_input_that_cannot_be_read(ExecFixture *fixture, gconstpointer unused)
{
    fixture->in_fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    fixture->stdio->input = mf_input_new(fixture->in_fd, MF_FRAME_CHUNK_MAX);
    exec_fixture_expect_start(fixture);
    exec_fixture_run(fixture);
    exec_fixture_await(fixture);
    exec_fixture_assert_error(fixture, MF_ERROR_HOST);
    /* The command is not told of an end, which it could take for the end of its data. */
    g_assert_cmpstr(fixture->guest->heard->str, ==, "");
}

#define ADD_WITH(name, argument, function)                                                         \
    g_test_add("/exec-stream/" name, ExecFixture, argument, exec_fixture_set_up, function,         \
               exec_fixture_tear_down)
#define ADD(name, function) ADD_WITH(name, NULL, function)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    signal(SIGPIPE, SIG_IGN);
    ADD_WITH("a-reader-that-stops-stops-the-guest-and-loses-nothing",
             GSIZE_TO_POINTER(MF_FRAME_CHUNK_MAX), test_a_reader_that_stops);
    ADD_WITH("a-reader-that-stops-stops-a-guest-of-small-chunks", GSIZE_TO_POINTER(100),
             test_a_reader_that_stops);
    ADD("a-slow-reader-loses-nothing-after-the-polled-exit",
        test_a_slow_reader_after_the_polled_exit);
    ADD("a-slow-reader-loses-nothing-after-the-exit-frame",
        test_a_slow_reader_after_the_exit_frame);
    ADD("a-daemon-that-never-stops-writing-does-not-hold-the-run", test_a_daemon_that_never_stops);
    ADD("a-reader-that-leaves-is-told-to-the-guest", test_a_reader_that_leaves);
    ADD("past-its-limit-it-is-killed", test_past_its_limit_it_is_killed);
    ADD("a-guest-that-does-not-kill-it-is-given-up",
        test_a_guest_that_does_not_kill_it_is_given_up);
    ADD("past-its-limit-what-still-arrives-is-awaited",
        test_past_its_limit_what_still_arrives_is_awaited);
    ADD("past-its-limit-a-slow-reader-gets-everything",
        test_past_its_limit_a_slow_reader_gets_everything);
    ADD("within-its-limit-it-is-left-alone", test_within_its_limit_it_is_left_alone);
    ADD("a-reader-that-left-before-the-start-is-told-of-too",
        test_a_reader_that_left_before_the_start);
    ADD("a-reader-that-leaves-while-output-waits-lets-it-go-on",
        test_a_reader_that_leaves_while_output_waits);
    ADD("reading-goes-on-after-the-end", test_reading_goes_on_after_the_end);
    ADD("input-keeps-to-its-window", test_input_keeps_to_its_window);
    ADD("input-waits-for-the-start", test_input_waits_for_the_start);
    ADD("forged-acknowledgements-do-not-add-up", test_forged_acknowledgements_do_not_add_up);
    ADD("the-end-of-input-follows-its-last-byte", test_the_end_of_input_follows_its_last_byte);
    ADD("input-that-cannot-be-read-fails-the-run", test_input_that_cannot_be_read);
    return g_test_run();
}
