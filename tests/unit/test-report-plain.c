/* SPDX-License-Identifier: Apache-2.0 */
#include "report/plain.h"

#include <string.h>

#include "base/fd.h"
#include "golden.h"
#include "report-fixture.h"
#include "report/live.h"

static char *
report_of(MfOutputPolicy policy, gboolean flood)
{
    g_autoptr(ReportFixture) fixture = report_fixture_new(flood);
    mf_autofd fd = report_fixture_open();
    g_autoptr(MfSink) sink = mf_sink_new_fd(fd);
    g_autoptr(MfReportPlain) plain = mf_report_plain_new(sink, policy);

    report_fixture_play(fixture, mf_report_plain_feed, plain);
    return report_fixture_read(fd);
}

static void
test_a_failure_shows_the_end_of_its_output(void)
{
    g_autofree char *text = report_of(MF_OUTPUT_ON_FAILURE, FALSE);

    golden_assert("report-plain-on-failure.txt", text);
}

static void
test_live_output_is_prefixed_and_not_repeated(void)
{
    g_autofree char *text = report_of(MF_OUTPUT_LIVE, FALSE);

    golden_assert("report-plain-live.txt", text);
}

static void
test_never_shows_no_output_but_every_reason(void)
{
    g_autofree char *text = report_of(MF_OUTPUT_NEVER, FALSE);

    golden_assert("report-plain-never.txt", text);
}

static void
test_of_a_flood_the_last_lines_are_shown(void)
{
    g_autofree char *text = report_of(MF_OUTPUT_ON_FAILURE, TRUE);

    g_assert_nonnull(strstr(text, "stdout, the end of 1.0 MiB:\n"));
    g_assert_cmpuint(strlen(text), <, 16384);
}

static void
test_nothing_that_a_terminal_obeys_gets_through(void)
{
    for (MfOutputPolicy policy = 0; policy <= MF_OUTPUT_NEVER; policy++) {
        g_autofree char *text = report_of(policy, TRUE);

        for (const char *at = text; *at; at++)
            g_assert_false(*at != '\n' && *at != '\t' && g_ascii_iscntrl(*at));
    }
}

static void
feed_live(MfLive *live, MfEvent *event, const char *text, GString *to)
{
    g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));

    event->kind = MF_EVENT_CASE_OUTPUT;
    event->bytes = bytes;
    mf_live_feed(live, event, to);
    event->bytes = NULL;
}

static void
test_a_line_is_shown_when_it_is_complete(void)
{
    g_autoptr(ReportFixture) fixture = report_fixture_new(FALSE);
    MfEvent event = {.cases = fixture->cases, .index = 2, .stream = 1};
    g_autoptr(MfLive) live = mf_live_new();
    g_autoptr(GString) text = g_string_new(NULL);

    feed_live(live, &event, "a li", text);
    g_assert_cmpstr(text->str, ==, "");
    event.stream = 2;
    feed_live(live, &event, "an error\n", text);
    g_assert_cmpstr(text->str, ==, "is killed | an error\n");
    event.stream = 1;
    feed_live(live, &event, "ne\nand the", text);
    g_assert_cmpstr(text->str, ==, "is killed | an error\nis killed | a line\n");
    event.kind = MF_EVENT_CASE_FINISHED;
    mf_live_feed(live, &event, text);
    g_assert_cmpstr(text->str, ==,
                    "is killed | an error\nis killed | a line\nis killed | and the\n");
}

static void
test_a_line_without_an_end_is_held_back_up_to_a_limit(void)
{
    g_autoptr(ReportFixture) fixture = report_fixture_new(FALSE);
    MfEvent event = {.cases = fixture->cases, .stream = 1};
    g_autoptr(MfLive) live = mf_live_new();
    g_autoptr(GString) text = g_string_new(NULL);
    g_autofree char *held = g_strnfill(MF_LIVE_HELD_MAX, 'x');

    feed_live(live, &event, held, text);
    g_assert_cmpstr(text->str, ==, "");
    feed_live(live, &event, "y", text);
    g_assert_cmpuint(text->len, ==, strlen("passes | ") + MF_LIVE_HELD_MAX + strlen("y\n"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/report-plain/a-failure-shows-the-end-of-its-output",
                    test_a_failure_shows_the_end_of_its_output);
    g_test_add_func("/report-plain/live-output-is-prefixed-and-not-repeated",
                    test_live_output_is_prefixed_and_not_repeated);
    g_test_add_func("/report-plain/never-shows-no-output-but-every-reason",
                    test_never_shows_no_output_but_every_reason);
    g_test_add_func("/report-plain/of-a-flood-the-last-lines-are-shown",
                    test_of_a_flood_the_last_lines_are_shown);
    g_test_add_func("/report-plain/nothing-that-a-terminal-obeys-gets-through",
                    test_nothing_that_a_terminal_obeys_gets_through);
    g_test_add_func("/report-live/a-line-is-shown-when-it-is-complete",
                    test_a_line_is_shown_when_it_is_complete);
    g_test_add_func("/report-live/a-line-without-an-end-is-held-back-up-to-a-limit",
                    test_a_line_without_an_end_is_held_back_up_to_a_limit);
    return g_test_run();
}
