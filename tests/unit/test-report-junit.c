/* SPDX-License-Identifier: Apache-2.0 */
#include "report/junit.h"

#include <string.h>

#include "base/fd.h"
#include "golden.h"
#include "report-fixture.h"
#include "report/xml.h"

static char *
report_of(gboolean flood)
{
    g_autoptr(ReportFixture) fixture = report_fixture_new(flood);
    mf_autofd fd = report_fixture_open();
    g_autoptr(MfSink) sink = mf_sink_new_fd(fd);
    g_autoptr(MfReportJunit) junit = mf_report_junit_new(sink, fixture->host);

    report_fixture_play(fixture, mf_report_junit_feed, junit);
    return report_fixture_read(fd);
}

static void
test_a_suite_is_told_completely(void)
{
    g_autofree char *text = report_of(FALSE);

    golden_assert("report-junit.xml", text);
}

static void
test_output_is_bounded_and_says_so(void)
{
    g_autofree char *text = report_of(TRUE);

    g_assert_nonnull(strstr(text, "<system-out>[the last 64.0 KiB of 1.0 MiB]\n"));
    g_assert_cmpuint(strlen(text), <, 2 * MF_OUTCOME_TAIL);
}

/* Of any bytes, what XML 1.0 allows, with every markup character as an entity. */
static void
test_any_bytes_become_xml(void)
{
    for (guint round = 0; round < 500; round++) {
        char bytes[64];
        g_autoptr(GString) text = g_string_new(NULL);

        for (gsize i = 0; i < sizeof(bytes) - 1; i++)
            bytes[i] = (char)g_test_rand_int_range(1, 256);
        bytes[sizeof(bytes) - 1] = '\0';
        mf_xml_append_attribute(text, "a", bytes);
        g_assert_true(g_utf8_validate(text->str, -1, NULL));
        g_assert_null(strpbrk(text->str, "<>\n\t\r\033"));
        for (const char *at = text->str; *at; at = g_utf8_next_char(at))
            g_assert_cmpuint(g_utf8_get_char(at), >=, 0x20);
    }
}

static void
test_line_breaks_in_attributes_survive(void)
{
    g_autoptr(GString) text = g_string_new(NULL);

    mf_xml_append_attribute(text, "name", "a\nb\tc \"d\" <e> & 'f'");
    g_assert_cmpstr(text->str, ==,
                    " name=\"a&#10;b&#9;c &quot;d&quot; &lt;e&gt; &amp; &apos;f&apos;\"");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/report-junit/a-suite-is-told-completely", test_a_suite_is_told_completely);
    g_test_add_func("/report-junit/output-is-bounded-and-says-so",
                    test_output_is_bounded_and_says_so);
    g_test_add_func("/report-xml/any-bytes-become-xml", test_any_bytes_become_xml);
    g_test_add_func("/report-xml/line-breaks-in-attributes-survive",
                    test_line_breaks_in_attributes_survive);
    return g_test_run();
}
