/* SPDX-License-Identifier: Apache-2.0 */
#include "report/tap.h"

#include <string.h>

#include "base/fd.h"
#include "golden.h"
#include "report-fixture.h"

static void
test_a_suite_is_told_completely(void)
{
    g_autoptr(ReportFixture) fixture = report_fixture_new(FALSE);
    mf_autofd fd = report_fixture_open();
    g_autoptr(MfSink) sink = mf_sink_new_fd(fd);
    g_autoptr(MfReportTap) tap = mf_report_tap_new(sink);

    report_fixture_play(fixture, mf_report_tap_feed, tap);
    g_autofree char *text = report_fixture_read(fd);
    golden_assert("report-tap.txt", text);
}

/* Its YAML has ended, and comments are all that follows. */
static void
assert_complete(const char *text)
{
    const char *end = g_strrstr(text, "\n  ...\n");

    g_assert_nonnull(end);
    g_assert_true(g_str_has_suffix(text, "\n"));
    g_auto(GStrv) behind = g_strsplit(end + strlen("\n  ...\n"), "\n", 0);
    for (char **line = behind; *line && **line; line++)
        g_assert_true(g_str_has_prefix(*line, "# "));
}

static void
test_a_point_is_there_when_its_case_has_finished(void)
{
    g_autoptr(ReportFixture) fixture = report_fixture_new(FALSE);
    mf_autofd fd = report_fixture_open();
    g_autoptr(MfSink) sink = mf_sink_new_fd(fd);
    g_autoptr(MfReportTap) tap = mf_report_tap_new(sink);
    guint finished = 0;

    for (guint i = 0; i < fixture->events->len; i++) {
        const MfEvent *event = &g_array_index(fixture->events, MfEvent, i);

        mf_report_tap_feed(event, tap);
        if (event->kind != MF_EVENT_CASE_FINISHED)
            continue;
        g_autofree char *text = report_fixture_read(fd);
        g_autofree char *point = g_strdup_printf("\nok %u - ", ++finished);
        g_autofree char *bad = g_strdup_printf("\nnot ok %u - ", finished);
        g_assert_true(strstr(text, point) || strstr(text, bad));
        assert_complete(text);
    }
    g_assert_cmpuint(finished, ==, fixture->cases->len - 1);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/report-tap/a-suite-is-told-completely", test_a_suite_is_told_completely);
    g_test_add_func("/report-tap/a-point-is-there-when-its-case-has-finished",
                    test_a_point_is_there_when_its_case_has_finished);
    return g_test_run();
}
