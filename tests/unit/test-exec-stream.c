/* SPDX-License-Identifier: Apache-2.0 */
#include "run/exec-stream.h"

#include <signal.h>
#include <string.h>

#include "base/error.h"
#include "exec-fixture.h"

/* Bounds of what was measured are far from both the right value and the wrong one, because the
 * machine may be busy. */

static void
say_everything(gpointer data)
{
    ExecFixture *fixture = data;

    stream_peer_say_text(fixture->guest, MF_FRAME_SOUT, "out");
    stream_peer_say_text(fixture->guest, MF_FRAME_SERR, "err");
    exec_fixture_say_ends(fixture);
    exec_fixture_say_exit(fixture, 3);
}

static void
test_a_command_from_start_to_end(ExecFixture *fixture, gconstpointer unused)
{
    exec_fixture_expect_start(fixture);
    peer_then(fixture->agent, say_everything, fixture);
    exec_fixture_expect_status(fixture, EXEC_EXITED(3));
    exec_fixture_run(fixture);
    exec_fixture_await(fixture);
    exec_fixture_assert_exit(fixture, 3, 0, "out", "err");
    g_assert_false(fixture->exit.output_held);
}

static void
say_killed(gpointer data)
{
    exec_fixture_say_ends(data);
    exec_fixture_say_exit(data, -SIGKILL);
}

static void
test_death_by_a_signal(ExecFixture *fixture, gconstpointer unused)
{
    exec_fixture_expect_start(fixture);
    peer_then(fixture->agent, say_killed, fixture);
    exec_fixture_expect_status(fixture, EXEC_SIGNALLED(9));
    exec_fixture_run(fixture);
    exec_fixture_await(fixture);
    exec_fixture_assert_exit(fixture, 0, SIGKILL, "", "");
}

/* Both reports can overtake the reply to guest-exec, which comes through another port. */
static void
test_frames_before_the_reply_to_guest_exec(ExecFixture *fixture, gconstpointer unused)
{
    peer_sync(fixture->agent);
    peer_then(fixture->agent, say_everything, fixture);
    peer_then(fixture->agent, (void (*)(gpointer))stream_peer_settle, NULL);
    peer_expect(fixture->agent, "guest-exec", EXEC_START_ARGUMENTS);
    peer_say(fixture->agent, "{\"return\": {\"pid\": 7}}\n");
    exec_fixture_expect_status(fixture, EXEC_EXITED(3));
    exec_fixture_run(fixture);
    exec_fixture_await(fixture);
    exec_fixture_assert_exit(fixture, 3, 0, "out", "err");
}

static void
say_everything_and_mark(gpointer data)
{
    say_everything(data);
    exec_fixture_mark(data);
}

/* After four polls the next is 800 ms away. */
static void
test_the_exit_frame_asks_at_once(ExecFixture *fixture, gconstpointer unused)
{
    exec_fixture_expect_start(fixture);
    for (int i = 0; i < 4; i++)
        exec_fixture_expect_status(fixture, EXEC_RUNNING);
    peer_then(fixture->agent, say_everything_and_mark, fixture);
    exec_fixture_expect_status(fixture, EXEC_EXITED(3));
    exec_fixture_run(fixture);
    exec_fixture_await(fixture);
    g_test_minimized_result((double)exec_fixture_since_mark_ms(fixture), "exit frame to end, ms");
    g_assert_cmpint(exec_fixture_since_mark_ms(fixture), <, 400);
    exec_fixture_assert_exit(fixture, 3, 0, "out", "err");
}

static void
say_output(gpointer data)
{
    ExecFixture *fixture = data;

    stream_peer_say_text(fixture->guest, MF_FRAME_SOUT, "out");
    exec_fixture_say_ends(fixture);
}

static void
test_a_lost_exit_frame(ExecFixture *fixture, gconstpointer unused)
{
    exec_fixture_expect_start(fixture);
    peer_then(fixture->agent, say_output, fixture);
    exec_fixture_expect_status(fixture, EXEC_RUNNING);
    exec_fixture_expect_status(fixture, EXEC_EXITED(5));
    exec_fixture_run(fixture);
    exec_fixture_await(fixture);
    exec_fixture_assert_exit(fixture, 5, 0, "out", "");
    g_assert_false(fixture->exit.output_held);
}

static void
test_an_agent_lost_after_the_exit_frame(ExecFixture *fixture, gconstpointer unused)
{
    exec_fixture_expect_start(fixture);
    peer_then(fixture->agent, say_everything, fixture);
    peer_expect(fixture->agent, "guest-exec-status", "{\"pid\": 7}");
    peer_hang_up(fixture->agent);
    exec_fixture_run(fixture);
    exec_fixture_await(fixture);
    exec_fixture_assert_exit(fixture, 3, 0, "out", "err");
}

static void
test_an_agent_lost_before_its_reply_to_guest_exec(ExecFixture *fixture, gconstpointer unused)
{
    peer_sync(fixture->agent);
    peer_then(fixture->agent, say_everything, fixture);
    peer_then(fixture->agent, (void (*)(gpointer))stream_peer_settle, NULL);
    peer_expect(fixture->agent, "guest-exec", EXEC_START_ARGUMENTS);
    peer_hang_up(fixture->agent);
    exec_fixture_run(fixture);
    exec_fixture_await(fixture);
    exec_fixture_assert_exit(fixture, 3, 0, "out", "err");
}

static void
test_a_refused_start_is_no_exit(ExecFixture *fixture, gconstpointer unused)
{
    peer_sync(fixture->agent);
    peer_then(fixture->agent, say_everything, fixture);
    peer_then(fixture->agent, (void (*)(gpointer))stream_peer_settle, NULL);
    peer_expect(fixture->agent, "guest-exec", EXEC_START_ARGUMENTS);
    peer_say(fixture->agent,
             "{\"error\": {\"class\": \"GenericError\", \"desc\": \"no such file\"}}\n");
    exec_fixture_run(fixture);
    exec_fixture_await(fixture);
    exec_fixture_assert_error(fixture, MF_ERROR_REMOTE);
}

static void
test_an_agent_lost_while_the_command_runs(ExecFixture *fixture, gconstpointer unused)
{
    exec_fixture_expect_start(fixture);
    peer_hang_up(fixture->agent);
    exec_fixture_run(fixture);
    exec_fixture_await(fixture);
    exec_fixture_assert_error(fixture, MF_ERROR_LOST);
}

static void
test_reports_that_disagree(ExecFixture *fixture, gconstpointer unused)
{
    exec_fixture_expect_start(fixture);
    peer_then(fixture->agent, say_everything, fixture);
    exec_fixture_expect_status(fixture, EXEC_SIGNALLED(9));
    exec_fixture_run(fixture);
    exec_fixture_await(fixture);
    exec_fixture_assert_error(fixture, MF_ERROR_PROTOCOL);
    g_assert_cmpstr(fixture->error->message, ==,
                    "The guest reported two different ends of the command: status 3 signal 0 by "
                    "frame, status 0 signal 9 by its agent.");
}

/* Each of these would be a pass if it were taken for what it looks like. */
static void
test_an_end_that_is_none(void)
{
    static const char *const answers[] = {
        "{\"exited\": true}",
        "{\"exited\": true, \"exitcode\": 256}",
        "{\"exited\": true, \"exitcode\": 4294967296}",
        "{\"exited\": true, \"exitcode\": -1}",
        "{\"exited\": true, \"signal\": 0}",
        "{\"exited\": true, \"signal\": 65}",
        "{\"exited\": true, \"signal\": 4294967296}",
        "{\"exited\": true, \"exitcode\": 0, \"signal\": 9}",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(answers); i++) {
        ExecFixture fixture = {0};

        exec_fixture_set_up(&fixture, NULL);
        exec_fixture_expect_start(&fixture);
        peer_then(fixture.agent, say_output, &fixture);
        exec_fixture_expect_status(&fixture, answers[i]);
        exec_fixture_run(&fixture);
        exec_fixture_await(&fixture);
        exec_fixture_assert_error(&fixture, MF_ERROR_PROTOCOL);
        exec_fixture_tear_down(&fixture, NULL);
    }
}

static void
say_exit_without_ends(gpointer data)
{
    ExecFixture *fixture = data;

    stream_peer_say_text(fixture->guest, MF_FRAME_SOUT, "out");
    stream_peer_say_text(fixture->guest, MF_FRAME_SERR, "");
    exec_fixture_say_exit(fixture, 0);
    exec_fixture_mark(fixture);
}

static void
test_output_held_open(ExecFixture *fixture, gconstpointer unused)
{
    exec_fixture_expect_start(fixture);
    peer_then(fixture->agent, say_exit_without_ends, fixture);
    exec_fixture_expect_status(fixture, EXEC_EXITED(0));
    exec_fixture_run(fixture);
    exec_fixture_await(fixture);
    g_test_minimized_result((double)exec_fixture_since_mark_ms(fixture), "exit frame to end, ms");
    g_assert_cmpint(exec_fixture_since_mark_ms(fixture), >=, 990);
    g_assert_cmpint(exec_fixture_since_mark_ms(fixture), <, 1800);
    exec_fixture_assert_exit(fixture, 0, 0, "out", "");
    g_assert_true(fixture->exit.output_held);
}

static void
say_exit_and_ends_by_force(gpointer data)
{
    ExecFixture *fixture = data;

    stream_peer_say_text(fixture->guest, MF_FRAME_SOUT, "out");
    exec_fixture_say_exit(fixture, 0);
    stream_peer_say_text(fixture->guest, MF_FRAME_SOHE, "\1");
    exec_fixture_say_ends(fixture);
}

/* As mayfly-guest exec does it, which has to end itself. */
static void
test_output_ended_by_the_guest(ExecFixture *fixture, gconstpointer unused)
{
    exec_fixture_expect_start(fixture);
    peer_then(fixture->agent, say_exit_and_ends_by_force, fixture);
    exec_fixture_expect_status(fixture, EXEC_EXITED(0));
    exec_fixture_run(fixture);
    exec_fixture_await(fixture);
    exec_fixture_assert_exit(fixture, 0, 0, "out", "");
    g_assert_true(fixture->exit.output_held);
}

static gboolean
say_the_rest(gpointer data)
{
    ExecFixture *fixture = data;

    stream_peer_say_text(fixture->guest, MF_FRAME_SOUT, "put");
    stream_peer_say_text(fixture->guest, MF_FRAME_SOUT, "");
    return G_SOURCE_REMOVE;
}

static void
say_the_rest_later(gpointer data)
{
    g_timeout_add(200, say_the_rest, data);
}

static void
test_output_after_the_exit(ExecFixture *fixture, gconstpointer unused)
{
    exec_fixture_expect_start(fixture);
    peer_then(fixture->agent, say_exit_without_ends, fixture);
    exec_fixture_expect_status(fixture, EXEC_EXITED(0));
    peer_then(fixture->agent, say_the_rest_later, fixture);
    exec_fixture_run(fixture);
    exec_fixture_await(fixture);
    exec_fixture_assert_exit(fixture, 0, 0, "output", "");
    g_assert_false(fixture->exit.output_held);
    g_assert_cmpint(exec_fixture_since_mark_ms(fixture), <, 900);
}

/* Starts the command and comes back when the guest has heard of the end of its input. */
static void
start(ExecFixture *fixture)
{
    exec_fixture_expect_start(fixture);
    exec_fixture_expect_question(fixture);
    exec_fixture_run(fixture);
}

static void
await_input_end(ExecFixture *fixture)
{
    while (!strstr(fixture->guest->heard->str, "SINE"))
        g_main_context_iteration(NULL, TRUE);
}

static void
end(ExecFixture *fixture)
{
    stream_peer_settle();
    say_everything(fixture);
    exec_fixture_answer(fixture, EXEC_EXITED(3));
    exec_fixture_await(fixture);
}

static void
test_signals_and_kills_are_frames(ExecFixture *fixture, gconstpointer unused)
{
    start(fixture);
    await_input_end(fixture);
    g_assert_true(mf_exec_signal(fixture->exec, SIGTERM));
    g_assert_true(mf_exec_kill(fixture->exec, 1000));
    end(fixture);
    g_assert_cmpstr(fixture->guest->heard->str, ==, "SINE: SIGN:0f000000 CKIL:e8030000 ");
}

static void
test_signals_and_kills_wait_for_the_command(ExecFixture *fixture, gconstpointer unused)
{
    start(fixture);
    g_assert_true(mf_exec_kill(fixture->exec, 1000));
    g_assert_true(mf_exec_signal(fixture->exec, SIGTERM));
    g_assert_true(mf_exec_signal(fixture->exec, SIGHUP));
    await_input_end(fixture);
    end(fixture);
    g_assert_cmpstr(fixture->guest->heard->str, ==,
                    "SIGN:0f000000 SIGN:01000000 CKIL:e8030000 SINE: ");
}

static void
cancel(gpointer data)
{
    g_cancellable_cancel(((ExecFixture *)data)->cancellable);
}

static void
test_cancelling_a_command(ExecFixture *fixture, gconstpointer unused)
{
    exec_fixture_expect_start(fixture);
    peer_then(fixture->agent, cancel, fixture);
    exec_fixture_run(fixture);
    exec_fixture_await(fixture);
    exec_fixture_assert_error(fixture, MF_ERROR_CANCELLED);

    /* What the guest says after it comes too late, and the caller's streams may be gone. */
    mf_stdio_free(g_steal_pointer(&fixture->stdio));
    say_everything(fixture);
    stream_peer_settle();
    g_cancellable_cancel(fixture->cancellable);
    g_assert_cmpuint(fixture->returns, ==, 1);
}

static void
test_cancelling_before_the_agent_answers(ExecFixture *fixture, gconstpointer unused)
{
    peer_sync(fixture->agent);
    peer_expect(fixture->agent, "guest-exec", EXEC_START_ARGUMENTS);
    peer_then(fixture->agent, cancel, fixture);
    exec_fixture_run(fixture);
    exec_fixture_await(fixture);
    exec_fixture_assert_error(fixture, MF_ERROR_CANCELLED);
}

static void
test_cancelled_before_the_start(ExecFixture *fixture, gconstpointer unused)
{
    cancel(fixture);
    exec_fixture_run(fixture);
    g_assert_cmpuint(fixture->returns, ==, 0);
    exec_fixture_await(fixture);
    exec_fixture_assert_error(fixture, MF_ERROR_CANCELLED);
}

/* What a leak checker has to be run on: every object and descriptor of a run, twenty times. */
static void
test_twenty_in_one_process(void)
{
    for (int i = 0; i < 20; i++) {
        ExecFixture fixture = {0};

        exec_fixture_set_up(&fixture, NULL);
        exec_fixture_set_input(&fixture, "input", 5);
        test_a_command_from_start_to_end(&fixture, NULL);
        exec_fixture_tear_down(&fixture, NULL);
    }
}

#define ADD(name, function)                                                                        \
    g_test_add("/exec-stream/" name, ExecFixture, NULL, exec_fixture_set_up, function,             \
               exec_fixture_tear_down)

static void
add_ends(void)
{
    ADD("a-command-from-start-to-end", test_a_command_from_start_to_end);
    ADD("death-by-a-signal-is-told-as-such", test_death_by_a_signal);
    ADD("frames-may-come-before-the-reply-to-guest-exec",
        test_frames_before_the_reply_to_guest_exec);
    ADD("the-exit-frame-asks-for-the-status-at-once", test_the_exit_frame_asks_at_once);
    ADD("a-lost-exit-frame-leaves-the-polled-status", test_a_lost_exit_frame);
    ADD("an-agent-lost-after-the-exit-frame-loses-no-exit",
        test_an_agent_lost_after_the_exit_frame);
    ADD("an-agent-lost-before-its-reply-loses-no-exit",
        test_an_agent_lost_before_its_reply_to_guest_exec);
    ADD("a-refused-start-is-no-exit-whatever-the-frames-say", test_a_refused_start_is_no_exit);
    ADD("an-agent-lost-while-the-command-runs-is-an-error",
        test_an_agent_lost_while_the_command_runs);
    ADD("reports-that-disagree-are-an-error", test_reports_that_disagree);
    g_test_add_func("/exec-stream/an-end-that-is-none-is-an-error", test_an_end_that_is_none);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    signal(SIGPIPE, SIG_IGN);
    add_ends();
    ADD("output-held-open-is-awaited-for-a-second", test_output_held_open);
    ADD("output-that-the-guest-ends-while-it-is-held-is-told", test_output_ended_by_the_guest);
    ADD("output-after-the-exit-is-delivered", test_output_after_the_exit);
    ADD("signals-and-kills-are-frames", test_signals_and_kills_are_frames);
    ADD("signals-and-kills-wait-for-the-command", test_signals_and_kills_wait_for_the_command);
    ADD("cancelling-completes-once", test_cancelling_a_command);
    ADD("cancelling-does-not-wait-for-the-agent", test_cancelling_before_the_agent_answers);
    ADD("cancelled-before-the-start-it-starts-nothing", test_cancelled_before_the_start);
    g_test_add_func("/exec-stream/twenty-in-one-process", test_twenty_in_one_process);
    return g_test_run();
}
