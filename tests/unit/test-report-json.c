/* SPDX-License-Identifier: Apache-2.0 */
#include "report/json.h"

#include <string.h>

#include "base/fd.h"
#include "golden.h"
#include "report-fixture.h"
#include "wire/json.h"

static json_object *
member(json_object *object, const char *name)
{
    json_object *value = NULL;

    g_assert_true(json_object_object_get_ex(object, name, &value));
    return value;
}

static void
test_a_suite_is_told_completely(void)
{
    g_autoptr(ReportFixture) fixture = report_fixture_new(FALSE);
    mf_autofd fd = report_fixture_open();
    g_autoptr(MfSink) sink = mf_sink_new_fd(fd);
    g_autoptr(MfReportJson) json = mf_report_json_new(sink, fixture->host);

    report_fixture_play(fixture, mf_report_json_feed, json);
    g_autofree char *text = report_fixture_read(fd);
    golden_assert("report-json.json", text);
}

/* The stdout of a case that wrote 'size' bytes, of which 'tail' are the last. */
static json_object *
stdout_of(const char *tail, gsize tail_size, guint64 size)
{
    g_autoptr(ReportFixture) fixture = report_fixture_new(FALSE);
    MfOutcomeReport *outcome = g_ptr_array_index(fixture->outcomes, 0);

    g_bytes_unref(outcome->tail[1]);
    outcome->tail[1] = g_bytes_new(tail, tail_size);
    outcome->bytes[1] = size;
    g_autoptr(json_object) document =
        mf_report_json_case(g_ptr_array_index(fixture->cases, 0), outcome);
    return json_object_get(member(member(document, "output"), "stdout"));
}

static void
test_output_that_is_no_utf8_is_also_there_exactly(void)
{
    g_autoptr(json_object) output = stdout_of("a\xff\0b", 4, 4);
    gsize size;
    g_autofree guchar *exact =
        g_base64_decode(json_object_get_string(member(output, "tail_base64")), &size);

    g_assert_cmpstr(json_object_get_string(member(output, "tail")), ==,
                    "a\xef\xbf\xbd\xef\xbf\xbd"
                    "b");
    g_assert_cmpmem(exact, size, "a\xff\0b", 4);
}

static void
test_output_that_is_utf8_is_there_once(void)
{
    g_autoptr(json_object) output = stdout_of("\033[1mcaf\xc3\xa9\n", 10, 10);

    g_assert_cmpstr(json_object_get_string(member(output, "tail")), ==, "\033[1mcaf\xc3\xa9\n");
    g_assert_false(json_object_object_get_ex(output, "tail_base64", NULL));
}

static void
test_a_tail_does_not_begin_within_a_character(void)
{
    g_autoptr(json_object) cut = stdout_of("\xbc\xa2rest", 6, 1000);
    g_autoptr(json_object) whole = stdout_of("\xbc\xa2rest", 6, 6);

    g_assert_cmpstr(json_object_get_string(member(cut, "tail")), ==, "rest");
    g_assert_false(json_object_object_get_ex(cut, "tail_base64", NULL));
    g_assert_true(json_object_object_get_ex(whole, "tail_base64", NULL));
}

static void
test_the_environment_is_not_told(void)
{
    static const char *const env[] = {"TOKEN=secret-word", NULL};
    g_autoptr(ReportFixture) fixture = report_fixture_new(FALSE);
    MfCase *kase = g_ptr_array_index(fixture->cases, 0);

    g_strfreev(kase->target->env);
    kase->target->env = g_strdupv((char **)env);
    g_autoptr(json_object) document =
        mf_report_json_case(kase, g_ptr_array_index(fixture->outcomes, 0));
    g_assert_null(strstr(json_object_to_json_string(document), "secret-word"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/report-json/a-suite-is-told-completely", test_a_suite_is_told_completely);
    g_test_add_func("/report-json/output-that-is-no-utf8-is-also-there-exactly",
                    test_output_that_is_no_utf8_is_also_there_exactly);
    g_test_add_func("/report-json/output-that-is-utf8-is-there-once",
                    test_output_that_is_utf8_is_there_once);
    g_test_add_func("/report-json/a-tail-does-not-begin-within-a-character",
                    test_a_tail_does_not_begin_within_a_character);
    g_test_add_func("/report-json/the-environment-is-not-told", test_the_environment_is_not_told);
    return g_test_run();
}
