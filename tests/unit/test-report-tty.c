/* SPDX-License-Identifier: Apache-2.0 */
#include "report/tty.h"

#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "report-fixture.h"
#include "report/plain.h"
#include "screen.h"

/* So wide that no line of the fixture is broken. */
#define WIDE 400

/* A report on a screen of its own. */
typedef struct {
    int fd;
    Screen *screen;
    MfSink *sink;
    MfReportTty *tty;
    ReportFixture *suite;
    guint played; /* events so far */
} Fixture;

static void
start(Fixture *self, guint rows, guint columns, gboolean colours, MfOutputPolicy policy)
{
    self->fd = report_fixture_open();
    self->screen = screen_new(rows, columns);
    self->sink = mf_sink_new_fd(self->fd);
    self->suite = report_fixture_new(policy == MF_OUTPUT_LIVE);
    MfReportTtyOptions options = {
        .sink = self->sink,
        .fd = -1,
        .rows = rows,
        .columns = columns,
        .colours = colours,
        .policy = policy,
    };
    self->tty = mf_report_tty_new(&options);
}

static void
fixture_clear(Fixture *self)
{
    mf_report_tty_free(self->tty);
    mf_sink_free(self->sink);
    screen_free(self->screen);
    report_fixture_free(self->suite);
    mf_fd_clear(&self->fd);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Fixture, fixture_clear)

/* Shows what was written since the last time. */
static void
flush(Fixture *self)
{
    g_autofree char *text = report_fixture_read(self->fd);

    screen_write(self->screen, text, strlen(text));
    g_assert_cmpint(ftruncate(self->fd, 0), ==, 0);
    g_assert_cmpint(lseek(self->fd, 0, SEEK_SET), ==, 0);
}

/* Plays the events before 'time_us' and draws the block as it then is. */
static void
play_until(Fixture *self, gint64 time_us)
{
    for (; self->played < self->suite->events->len; self->played++) {
        const MfEvent *event = &g_array_index(self->suite->events, MfEvent, self->played);

        if (event->time_us >= time_us)
            break;
        mf_report_tty_feed(event, self->tty);
    }
    mf_report_tty_draw(self->tty, time_us);
    flush(self);
}

static char *
plain_of(const ReportFixture *suite, MfOutputPolicy policy)
{
    mf_autofd fd = report_fixture_open();
    g_autoptr(MfSink) sink = mf_sink_new_fd(fd);
    g_autoptr(MfReportPlain) plain = mf_report_plain_new(sink, policy);

    report_fixture_play(suite, mf_report_plain_feed, plain);
    return report_fixture_read(fd);
}

static void
test_what_runs_is_shown_with_phases_and_last_lines(void)
{
    g_auto(Fixture) self = {0};

    start(&self, 24, 80, FALSE, MF_OUTPUT_ON_FAILURE);
    play_until(&self, 2900000);
    g_autofree char *text = screen_get_text(self.screen);
    g_assert_cmpstr(
        text, ==,
        "Running 11 targets, 2 at a time.\n"
        "RUN   passes: execution 2s, setup 1ms, boot 1ms, launch 1ms, resolve 2ms\n"
        "      | all is well\n"
        "RUN   exits with 3: execution 2s, setup 1ms, boot 1ms, launch 1ms, resolve 2ms\n"
        "      | one\n"
        "      | two\n"
        "0 of 11 finished, 2 running, 2s");
}

static void
test_a_long_name_leaves_the_phase_and_its_time_on_the_line(void)
{
    g_auto(Fixture) self = {0};

    start(&self, 24, 80, FALSE, MF_OUTPUT_NEVER);

    MfCase *first = self.suite->cases->pdata[0];
    g_free(first->name);
    first->name = g_strdup("the suite of file systems [kernel=vmlinuz-6.1.0-56-cloud-amd64, "
                           "persona=thinkpad-x1, memory=512M]");
    play_until(&self, 2900000);
    g_autofree char *text = screen_get_text(self.screen);
    g_assert_nonnull(strstr(text, "\nRUN   the suite of file systems [k...na=thinkpad-x1, "
                                  "memory=512M]: execution 2s\n"));
}

static void
test_a_finished_case_scrolls_above_the_block(void)
{
    g_auto(Fixture) self = {0};

    start(&self, 24, 80, FALSE, MF_OUTPUT_ON_FAILURE);
    play_until(&self, 2900000);
    play_until(&self, 4000000);
    g_autofree char *text = screen_get_text(self.screen);
    g_assert_cmpstr(
        text, ==,
        "Running 11 targets, 2 at a time.\n"
        "PASS  [ 1/11] passes (3.2s, 4 sub-tests)\n"
        "      fio.iops: 1000.5 +- 10.5 1/s\n"
        "      fio.jobs.0.lat: 1.1 +- 1 us\n"
        "      boot.time: 1.5 s\n"
        "RUN   exits with 3: execution 3s, setup 1ms, boot 1ms, launch 1ms, resolve 2ms\n"
        "      | one\n"
        "      | two\n"
        "RUN   is killed: execution 0ms, setup 1ms, boot 1ms, launch 1ms, resolve 2ms\n"
        "1 of 11 finished, 2 running, 4s");
}

static void
test_in_the_end_there_is_what_the_plain_report_says(void)
{
    for (MfOutputPolicy policy = 0; policy <= MF_OUTPUT_NEVER; policy++) {
        g_auto(Fixture) self = {0};

        start(&self, 24, WIDE, TRUE, policy);
        for (gint64 time_us = 0; time_us < 60 * G_USEC_PER_SEC; time_us += 700000)
            play_until(&self, time_us);
        g_autofree char *text = screen_get_text(self.screen);
        g_autofree char *plain = plain_of(self.suite, policy);
        g_assert_cmpstr(text, ==, plain);
        g_assert_true(screen_was_coloured(self.screen));
    }
}

static void
test_without_colours_there_are_none(void)
{
    g_auto(Fixture) self = {0};

    start(&self, 24, WIDE, FALSE, MF_OUTPUT_ON_FAILURE);
    for (gint64 time_us = 0; time_us < 60 * G_USEC_PER_SEC; time_us += 700000)
        play_until(&self, time_us);
    g_assert_false(screen_was_coloured(self.screen));
}

/* Lines of the block, which are gone when it is. */
static void
assert_no_block(const Screen *screen)
{
    g_autofree char *text = screen_get_text(screen);

    g_assert_null(strstr(text, "RUN   "));
    g_assert_null(strstr(text, " running, "));
}

static void
test_an_interrupted_report_takes_its_block_away(void)
{
    g_auto(Fixture) self = {0};

    start(&self, 24, 80, TRUE, MF_OUTPUT_ON_FAILURE);
    play_until(&self, 2900000);
    g_clear_pointer(&self.tty, mf_report_tty_free);
    flush(&self);
    assert_no_block(self.screen);
}

static void
test_a_block_fits_on_any_screen(void)
{
    for (guint rows = 1; rows < 12; rows++)
        for (guint columns = 1; columns < 100; columns += 11) {
            g_auto(Fixture) self = {0};

            start(&self, rows, columns, FALSE, MF_OUTPUT_ON_FAILURE);
            for (gint64 time_us = 1; time_us < 3000000; time_us += 300000)
                play_until(&self, time_us);
            g_clear_pointer(&self.tty, mf_report_tty_free);
            flush(&self);
            g_autofree char *text = screen_get_text(self.screen);
            g_assert_cmpstr(text, ==, "Running 11 targets, 2 at a time.\n");
        }
}

static void
test_a_line_of_the_block_never_reaches_the_last_column(void)
{
    for (guint columns = 33; columns < 90; columns += 3) {
        g_auto(Fixture) self = {0};

        start(&self, 24, columns, TRUE, MF_OUTPUT_ON_FAILURE);
        for (gint64 time_us = 1; time_us < 3000000; time_us += 300000)
            play_until(&self, time_us);
        g_assert_cmpuint(screen_get_widest(self.screen), <, columns);
    }
}

/* The terminal has its new size some time before the report hears of it. */
static void
test_a_terminal_that_changes_its_size_keeps_no_remains(void)
{
    g_auto(Fixture) self = {0};
    GRand *random = g_rand_new_with_seed(5);

    start(&self, 60, 80, TRUE, MF_OUTPUT_ON_FAILURE);
    for (gint64 time_us = 0; time_us < 60 * G_USEC_PER_SEC; time_us += 300000) {
        guint columns = (guint)g_rand_int_range(random, 20, 200);

        play_until(&self, time_us);
        screen_resize(self.screen, 60, columns);
        play_until(&self, time_us + 100000);
        play_until(&self, time_us + 200000);
        mf_report_tty_set_size(self.tty, 60, columns);
        flush(&self);
    }
    g_rand_free(random);
    g_autofree char *text = screen_get_text(self.screen);
    g_autofree char *plain = plain_of(self.suite, MF_OUTPUT_ON_FAILURE);
    g_assert_cmpstr(text, ==, plain);
}

static void
test_a_small_screen_says_how_many_it_does_not_show(void)
{
    g_auto(Fixture) self = {0};

    start(&self, 3, 80, FALSE, MF_OUTPUT_ON_FAILURE);
    play_until(&self, 2900000);
    g_autofree char *text = screen_get_text(self.screen);
    g_assert_nonnull(strstr(text, "0 of 11 finished, 2 running (1 not shown), 2s"));
}

static void
test_a_second_attempt_says_so(void)
{
    g_auto(Fixture) self = {0};

    start(&self, 24, 80, FALSE, MF_OUTPUT_ON_FAILURE);
    while (!screen_get_widest(self.screen) || self.played < self.suite->events->len) {
        const MfEvent *event = &g_array_index(self.suite->events, MfEvent, self.played);

        play_until(&self, event->time_us + 1);
        if (event->attempt == 2)
            break;
    }
    g_autofree char *text = screen_get_text(self.screen);
    g_assert_nonnull(strstr(text, "(attempt 2)"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/report-tty/a-long-name-leaves-the-phase-and-its-time-on-the-line",
                    test_a_long_name_leaves_the_phase_and_its_time_on_the_line);
    g_test_add_func("/report-tty/what-runs-is-shown-with-phases-and-last-lines",
                    test_what_runs_is_shown_with_phases_and_last_lines);
    g_test_add_func("/report-tty/a-finished-case-scrolls-above-the-block",
                    test_a_finished_case_scrolls_above_the_block);
    g_test_add_func("/report-tty/in-the-end-there-is-what-the-plain-report-says",
                    test_in_the_end_there_is_what_the_plain_report_says);
    g_test_add_func("/report-tty/without-colours-there-are-none",
                    test_without_colours_there_are_none);
    g_test_add_func("/report-tty/an-interrupted-report-takes-its-block-away",
                    test_an_interrupted_report_takes_its_block_away);
    g_test_add_func("/report-tty/a-block-fits-on-any-screen", test_a_block_fits_on_any_screen);
    g_test_add_func("/report-tty/a-line-of-the-block-never-reaches-the-last-column",
                    test_a_line_of_the_block_never_reaches_the_last_column);
    g_test_add_func("/report-tty/a-terminal-that-changes-its-size-keeps-no-remains",
                    test_a_terminal_that_changes_its_size_keeps_no_remains);
    g_test_add_func("/report-tty/a-small-screen-says-how-many-it-does-not-show",
                    test_a_small_screen_says_how_many_it_does_not_show);
    g_test_add_func("/report-tty/a-second-attempt-says-so", test_a_second_attempt_says_so);
    return g_test_run();
}
