/* SPDX-License-Identifier: Apache-2.0 */
#include "run/hang-watch.h"

#include <sys/socket.h>
#include <unistd.h>

#include "run-for.h"
#include "wire/fd-transport.h"

#define TIMEOUT_MS 200

typedef struct {
    MfHangWatch *watch;
    MfTransport *channel;
    int guest; /* the other end */
    guint hung;
    gint64 hung_us;
} Fixture;

static void
on_hung(Fixture *fixture)
{
    fixture->hung++;
    fixture->hung_us = g_get_monotonic_time();
}

static void
set_up(Fixture *fixture, gconstpointer data)
{
    int fds[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), ==, 0);
    fixture->channel = mf_fd_transport_new(fds[0], "the guest");
    fixture->guest = fds[1];
    fixture->watch = mf_hang_watch_new(TIMEOUT_MS);
    mf_hang_watch_hear(fixture->watch, fixture->channel);
    g_signal_connect_swapped(fixture->watch, "hung", G_CALLBACK(on_hung), fixture);
}

static void
tear_down(Fixture *fixture, gconstpointer data)
{
    close(fixture->guest);
    g_object_unref(fixture->watch);
    g_object_unref(fixture->channel);
}

static void
speak(Fixture *fixture)
{
    g_assert_cmpint(write(fixture->guest, "x", 1), ==, 1);
}

static gboolean
on_speak(gpointer fixture)
{
    speak(fixture);
    return G_SOURCE_CONTINUE;
}

static void
test_a_silent_guest_has_hung_after_its_time_and_once(Fixture *fixture, gconstpointer data)
{
    gint64 started = g_get_monotonic_time();

    mf_hang_watch_start(fixture->watch);
    while (fixture->hung == 0)
        g_main_context_iteration(NULL, TRUE);
    g_assert_cmpint(fixture->hung_us - started, >=, TIMEOUT_MS * 1000);
    run_for(2 * TIMEOUT_MS);
    g_assert_cmpuint(fixture->hung, ==, 1);
}

static void
test_any_word_is_a_sign_of_life(Fixture *fixture, gconstpointer data)
{
    guint source = g_timeout_add(TIMEOUT_MS / 10, on_speak, fixture);

    mf_hang_watch_start(fixture->watch);
    run_for(3 * TIMEOUT_MS);
    g_assert_cmpuint(fixture->hung, ==, 0);
    g_source_remove(source);

    gint64 last = g_get_monotonic_time();
    while (fixture->hung == 0)
        g_main_context_iteration(NULL, TRUE);
    g_assert_cmpint(fixture->hung_us - last, >=, TIMEOUT_MS * 1000 * 8 / 10);
}

static void
test_nothing_is_watched_before_the_start_nor_after_the_stop(Fixture *fixture, gconstpointer data)
{
    run_for(2 * TIMEOUT_MS);
    mf_hang_watch_start(fixture->watch);
    mf_hang_watch_stop(fixture->watch);
    run_for(2 * TIMEOUT_MS);
    g_assert_cmpuint(fixture->hung, ==, 0);
}

static void
test_a_machine_that_somebody_stopped_does_not_hang(Fixture *fixture, gconstpointer data)
{
    g_autoptr(MfQmp) qmp = mf_qmp_new(fixture->channel);

    mf_hang_watch_heed(fixture->watch, qmp);
    mf_hang_watch_start(fixture->watch);
    g_signal_emit_by_name(qmp, "event::STOP", "STOP", NULL);
    run_for(3 * TIMEOUT_MS);
    g_assert_cmpuint(fixture->hung, ==, 0);

    gint64 resumed = g_get_monotonic_time();
    g_signal_emit_by_name(qmp, "event::RESUME", "RESUME", NULL);
    while (fixture->hung == 0)
        g_main_context_iteration(NULL, TRUE);
    g_assert_cmpint(fixture->hung_us - resumed, >=, TIMEOUT_MS * 1000);
}

/* As after Ctrl-Z and fg: the timer is overdue, and what the guest has said is not read yet. */
static void
test_the_time_in_which_mayfly_itself_was_stopped_does_not_count(Fixture *fixture,
                                                                gconstpointer data)
{
    gint64 until = g_get_monotonic_time() + (TIMEOUT_MS + 700) * 1000;

    mf_hang_watch_start(fixture->watch);
    while (g_get_monotonic_time() < until)
        ;
    while (g_main_context_iteration(NULL, FALSE))
        ;
    g_assert_cmpuint(fixture->hung, ==, 0);
    while (fixture->hung == 0)
        g_main_context_iteration(NULL, TRUE);
}

#define ADD(path_, function_)                                                                      \
    g_test_add("/hang-watch/" path_, Fixture, NULL, set_up, function_, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("a-silent-guest-has-hung-after-its-time-and-once",
        test_a_silent_guest_has_hung_after_its_time_and_once);
    ADD("any-word-is-a-sign-of-life", test_any_word_is_a_sign_of_life);
    ADD("nothing-is-watched-before-the-start-nor-after-the-stop",
        test_nothing_is_watched_before_the_start_nor_after_the_stop);
    ADD("a-machine-that-somebody-stopped-does-not-hang",
        test_a_machine_that_somebody_stopped_does_not_hang);
    ADD("the-time-in-which-mayfly-itself-was-stopped-does-not-count",
        test_the_time_in_which_mayfly_itself_was_stopped_does_not_count);
    return g_test_run();
}
