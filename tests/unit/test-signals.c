/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/signals.h"

#include <signal.h>
#include <unistd.h>

static void
test_a_signal_again_at_once_is_its_echo(void)
{
    MfSignalEcho echo = {0};

    g_assert_false(mf_signal_echo_is(&echo, SIGTERM, 7));
    g_assert_true(mf_signal_echo_is(&echo, SIGTERM, 8));
    g_assert_true(mf_signal_echo_is(&echo, SIGTERM, 6 + MF_SIGNAL_ECHO_WITHIN));
}

static void
test_a_signal_again_after_a_while_is_meant(void)
{
    MfSignalEcho echo = {0};

    g_assert_false(mf_signal_echo_is(&echo, SIGINT, 7));
    g_assert_false(mf_signal_echo_is(&echo, SIGINT, 7 + MF_SIGNAL_ECHO_WITHIN));
    /* That one has an echo of its own. */
    g_assert_true(mf_signal_echo_is(&echo, SIGINT, 8 + MF_SIGNAL_ECHO_WITHIN));
}

static void
test_echoes_do_not_keep_one_another_alive(void)
{
    MfSignalEcho echo = {0};
    gint64 step = MF_SIGNAL_ECHO_WITHIN / 2;

    g_assert_false(mf_signal_echo_is(&echo, SIGINT, 7));
    g_assert_true(mf_signal_echo_is(&echo, SIGINT, 7 + step));
    g_assert_false(mf_signal_echo_is(&echo, SIGINT, 7 + 2 * step));
}

static void
test_another_signal_is_no_echo(void)
{
    MfSignalEcho echo = {0};

    g_assert_false(mf_signal_echo_is(&echo, SIGINT, 7));
    g_assert_false(mf_signal_echo_is(&echo, SIGTERM, 7));
}

static void
on_cancelled(GCancellable *cancellable, gpointer data)
{
    g_main_loop_quit(data);
}

static void
test_a_signal_that_ends_programs_cancels(void)
{
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    MfSignalCancel cancel = {.cancellable = cancellable};
    guint source = mf_signals_watch_cancel(&cancel);

    g_signal_connect(cancellable, "cancelled", G_CALLBACK(on_cancelled), loop);
    kill(getpid(), SIGUSR1);
    while (g_main_context_iteration(NULL, FALSE))
        ;
    g_assert_false(g_cancellable_is_cancelled(cancellable));
    kill(getpid(), SIGHUP);
    g_main_loop_run(loop);
    g_assert_cmpint(cancel.caught, ==, SIGHUP);
    g_source_remove(source);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/signals/a-signal-again-at-once-is-its-echo",
                    test_a_signal_again_at_once_is_its_echo);
    g_test_add_func("/signals/a-signal-again-after-a-while-is-meant",
                    test_a_signal_again_after_a_while_is_meant);
    g_test_add_func("/signals/echoes-do-not-keep-one-another-alive",
                    test_echoes_do_not_keep_one_another_alive);
    g_test_add_func("/signals/another-signal-is-no-echo", test_another_signal_is_no_echo);
    g_test_add_func("/signals/a-signal-that-ends-programs-cancels",
                    test_a_signal_that_ends_programs_cancels);
    return g_test_run();
}
