/* SPDX-License-Identifier: Apache-2.0 */
/* Plays the recorded suite to the reports that its arguments ask for, as 'mayfly test' does it: */
static const char usage[] =
    "replay [--report KIND=FILE]... [--output POLICY] [--speed N] [--silent]";

#include <glib-unix.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "report-fixture.h"
#include "report/report.h"

typedef struct {
    ReportFixture *suite;
    MfReport *report;
    GMainLoop *loop;
    guint played;
    gint64 speed; /* times as fast as it was recorded; 0: at once */
} Replay;

static gboolean on_due(gpointer data);

/* Plays what is due and waits for the rest. */
static void
play(Replay *self)
{
    while (self->played < self->suite->events->len) {
        const MfEvent *event = &g_array_index(self->suite->events, MfEvent, self->played);

        mf_report_feed(event, self->report);
        self->played++;
        if (self->speed == 0 || self->played == self->suite->events->len)
            continue;

        gint64 next = g_array_index(self->suite->events, MfEvent, self->played).time_us;
        if (next > event->time_us) {
            g_timeout_add((guint)((next - event->time_us) / 1000 / self->speed), on_due, self);
            return;
        }
    }
    g_main_loop_quit(self->loop);
}

static gboolean
on_due(gpointer data)
{
    play(data);
    return G_SOURCE_REMOVE;
}

/* The scheduler ends what runs and then the suite. */
static gboolean
on_interrupt(gpointer data)
{
    Replay *self = data;

    self->played = self->suite->events->len;
    mf_report_feed(&g_array_index(self->suite->events, MfEvent, self->played - 1), self->report);
    g_main_loop_quit(self->loop);
    return G_SOURCE_REMOVE;
}

static gboolean
on_resize(gpointer data)
{
    Replay *self = data;

    mf_report_set_size(self->report, 0, 0);
    return G_SOURCE_CONTINUE;
}

static void
die(const GError *error)
{
    fprintf(stderr, "%s\n", error->message);
    exit(1);
}

static void
read_arguments(Replay *self, char **argv, MfOutputPolicy *ret_policy, gboolean *ret_silent)
{
    g_autoptr(GError) error = NULL;

    for (; *argv; argv++) {
        if (g_str_equal(*argv, "--silent")) {
            *ret_silent = TRUE;
        } else if (!argv[1]) {
            fprintf(stderr, "usage: %s\n", usage);
            exit(2);
        } else if (g_str_equal(*argv, "--report")) {
            if (!mf_report_add(self->report, *++argv, &error))
                die(error);
        } else if (g_str_equal(*argv, "--output")) {
            if (!mf_output_policy_parse(*++argv, ret_policy, &error))
                die(error);
        } else if (g_str_equal(*argv, "--speed")) {
            self->speed = atoi(*++argv);
        }
    }
}

int
main(int argc, char **argv)
{
    Replay self = {.suite = report_fixture_new(TRUE), .report = mf_report_new()};
    MfOutputPolicy policy = MF_OUTPUT_ON_FAILURE;
    gboolean silent = FALSE;
    g_auto(GStrv) environment = g_get_environ();
    g_autoptr(GError) error = NULL;

    self.loop = g_main_loop_new(NULL, FALSE);
    read_arguments(&self, argv + 1, &policy, &silent);
    if (!silent)
        mf_report_add_screen(self.report, mf_screen_choose(isatty(STDOUT_FILENO), environment),
                             STDOUT_FILENO, policy, environment);
    g_unix_signal_add(SIGINT, on_interrupt, &self);
    g_unix_signal_add(SIGWINCH, on_resize, &self);
    play(&self);
    if (self.played < self.suite->events->len)
        g_main_loop_run(self.loop);
    if (!mf_report_close(self.report, &error))
        die(error);

    mf_report_free(self.report);
    report_fixture_free(self.suite);
    g_main_loop_unref(self.loop);
    return 0;
}
