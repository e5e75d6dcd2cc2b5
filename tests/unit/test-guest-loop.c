/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/loop.h"

#include <glib.h>
#include <unistd.h>

typedef struct {
    struct mfg_loop loop;
    struct mfg_watch watches[2];
    struct mfg_timer timers[3];
    int pipes[2][2];
    GString *trace; /* owned */
    bool done;
} Fixture;

static void
set_up(Fixture *f, gconstpointer data)
{
    g_assert_true(mfg_loop_init(&f->loop));
    for (int i = 0; i < 2; i++)
        g_assert_cmpint(pipe(f->pipes[i]), ==, 0);
    f->trace = g_string_new(NULL);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    for (int i = 0; i < 2; i++) {
        mfg_watch_remove(&f->watches[i]);
        close(f->pipes[i][0]);
        if (f->pipes[i][1] >= 0)
            close(f->pipes[i][1]);
    }
    mfg_loop_clear(&f->loop);
    g_string_free(f->trace, TRUE);
}

static void
on_done(void *data)
{
    Fixture *f = data;

    f->done = true;
}

static void
on_timer(void *data)
{
    Fixture *f = data;

    g_string_append_c(f->trace, 't');
}

static void
on_other_timer(void *data)
{
    Fixture *f = data;

    g_string_append_c(f->trace, 'o');
}

static void
test_timers_fire_once_in_the_order_of_their_times(Fixture *f, gconstpointer data)
{
    mfg_timer_start(&f->timers[2], &f->loop, 3, on_done, f);
    mfg_timer_start(&f->timers[1], &f->loop, 2, on_other_timer, f);
    mfg_timer_start(&f->timers[0], &f->loop, 1, on_timer, f);
    mfg_loop_run(&f->loop, &f->done);
    g_assert_cmpstr(f->trace->str, ==, "to");
    g_assert_null(f->timers[0].loop);
}

static void
test_a_stopped_timer_does_not_fire_and_a_restarted_one_fires_once(Fixture *f, gconstpointer data)
{
    mfg_timer_start(&f->timers[0], &f->loop, 0, on_timer, f);
    mfg_timer_start(&f->timers[1], &f->loop, 0, on_other_timer, f);
    mfg_timer_start(&f->timers[1], &f->loop, 1, on_other_timer, f);
    mfg_timer_stop(&f->timers[0]);
    mfg_timer_stop(&f->timers[0]);
    mfg_timer_start(&f->timers[2], &f->loop, 2, on_done, f);
    mfg_loop_run(&f->loop, &f->done);
    g_assert_cmpstr(f->trace->str, ==, "o");
}

static void
on_readable(void *data, uint32_t events)
{
    Fixture *f = data;
    char byte;

    g_assert_cmpint(read(f->watches[0].fd, &byte, 1), ==, 1);
    g_string_append_c(f->trace, byte);
    f->done = byte == '.';
}

static void
test_a_readable_descriptor_is_reported_until_it_is_empty(Fixture *f, gconstpointer data)
{
    g_assert_true(mfg_watch_add(&f->watches[0], &f->loop, f->pipes[0][0], EPOLLIN, on_readable, f));
    g_assert_cmpint(write(f->pipes[0][1], "abc.", 4), ==, 4);
    mfg_loop_run(&f->loop, &f->done);
    g_assert_cmpstr(f->trace->str, ==, "abc.");
}

static void
test_a_watch_for_nothing_is_silent_until_it_is_set_again(Fixture *f, gconstpointer data)
{
    g_assert_true(mfg_watch_add(&f->watches[0], &f->loop, f->pipes[0][0], 0, on_readable, f));
    g_assert_cmpint(write(f->pipes[0][1], ".", 1), ==, 1);
    /* Also the hang-up, which is reported whatever was asked for. */
    close(f->pipes[0][1]);
    f->pipes[0][1] = -1;
    mfg_timer_start(&f->timers[0], &f->loop, 1, on_done, f);
    mfg_loop_run(&f->loop, &f->done);
    g_assert_cmpstr(f->trace->str, ==, "");

    mfg_watch_set(&f->watches[0], EPOLLIN);
    f->done = false;
    mfg_loop_run(&f->loop, &f->done);
    g_assert_cmpstr(f->trace->str, ==, ".");
}

static void
on_event_remove_both(void *data, uint32_t events)
{
    Fixture *f = data;

    g_string_append_c(f->trace, 'x');
    for (int i = 0; i < 2; i++)
        mfg_watch_remove(&f->watches[i]);
    mfg_timer_start(&f->timers[0], &f->loop, 1, on_done, f);
}

static void
test_a_watch_removed_in_a_callback_is_not_called_any_more(Fixture *f, gconstpointer data)
{
    for (int i = 0; i < 2; i++) {
        g_assert_true(mfg_watch_add(&f->watches[i], &f->loop, f->pipes[i][0], EPOLLIN,
                                    on_event_remove_both, f));
        g_assert_cmpint(write(f->pipes[i][1], "x", 1), ==, 1);
    }
    mfg_loop_run(&f->loop, &f->done);
    g_assert_cmpstr(f->trace->str, ==, "x");
}

static void
on_timer_quit(void *data)
{
    Fixture *f = data;

    mfg_loop_quit(&f->loop);
}

static void
test_quit_ends_the_loop(Fixture *f, gconstpointer data)
{
    mfg_timer_start(&f->timers[0], &f->loop, 0, on_timer_quit, f);
    mfg_loop_run(&f->loop, NULL);
    g_assert_true(f->loop.quit);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(path, name)                                                                            \
    g_test_add("/guest-loop/" path, Fixture, NULL, set_up, test_##name, tear_down)
    ADD("timers/order", timers_fire_once_in_the_order_of_their_times);
    ADD("timers/stop", a_stopped_timer_does_not_fire_and_a_restarted_one_fires_once);
    ADD("watch/readable", a_readable_descriptor_is_reported_until_it_is_empty);
    ADD("watch/nothing", a_watch_for_nothing_is_silent_until_it_is_set_again);
    ADD("watch/removed", a_watch_removed_in_a_callback_is_not_called_any_more);
    ADD("quit", quit_ends_the_loop);
#undef ADD
    return g_test_run();
}
