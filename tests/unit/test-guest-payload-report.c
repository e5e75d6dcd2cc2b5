/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/payload-report.h"

#include <glib.h>
#include <string.h>

static void
assert_written(struct mfg_payload_end *end, const char *expected)
{
    g_autofree char *text = g_malloc0(MFG_PAYLOAD_REPORT_MIN + 1);
    gsize length = mfg_payload_report_write(end, text, MFG_PAYLOAD_REPORT_MIN);

    g_assert_cmpstr(text, ==, expected);
    g_assert_cmpuint(length, ==, strlen(expected));
}

static void
test_a_status_and_a_signal_are_different_members(void)
{
    struct mfg_payload_end exited = {
        .status = 3, .killed = true, .duration_us = 1500, .bytes = {10, 20}, .kept = {10, 15}};
    struct mfg_payload_end killed = {
        .status = -9, .timed_out = true, .bytes = {G_MAXUINT64, 0}, .kept = {0, 0}};

    assert_written(&exited, "{\"status\":3,\"timed-out\":false,\"killed\":true,"
                            "\"duration-us\":1500,\"stdout\":{\"bytes\":10,\"discarded\":0},"
                            "\"stderr\":{\"bytes\":20,\"discarded\":5}}");
    assert_written(&killed, "{\"signal\":9,\"timed-out\":true,\"killed\":false,\"duration-us\":0,"
                            "\"stdout\":{\"bytes\":18446744073709551615,"
                            "\"discarded\":18446744073709551615},"
                            "\"stderr\":{\"bytes\":0,\"discarded\":0}}");
}

static void
test_an_error_stands_alone_and_is_valid_text(void)
{
    struct mfg_payload_end end = {.error = "no \"cgroup\" \xff here", .status = 5};

    assert_written(&end, "{\"error\":\"no \\\"cgroup\\\" \xef\xbf\xbd here\"}");
}

static void
test_statistics_are_a_member_unless_there_is_no_room(void)
{
    struct mfg_payload_end small = {.cgroup = json_tokener_parse("{\"memory.peak\":5}")};
    struct mfg_payload_end large = {.cgroup = json_object_new_object()};
    g_autofree char *text = g_malloc0(MFG_PAYLOAD_REPORT_MIN + 1);

    mfg_payload_report_write(&small, text, MFG_PAYLOAD_REPORT_MIN);
    g_assert_nonnull(strstr(text, ",\"cgroup\":{\"memory.peak\":5}}"));
    g_assert_null(small.cgroup);

    for (guint i = 0; i < 1000; i++) {
        g_autofree char *key = g_strdup_printf("key%u", i);

        json_object_object_add(large.cgroup, key, json_object_new_int(1));
    }
    assert_written(&large, "{\"status\":0,\"timed-out\":false,\"killed\":false,\"duration-us\":0,"
                           "\"stdout\":{\"bytes\":0,\"discarded\":0},"
                           "\"stderr\":{\"bytes\":0,\"discarded\":0}}");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/guest-payload-report/T-8-status-and-signal",
                    test_a_status_and_a_signal_are_different_members);
    g_test_add_func("/guest-payload-report/error", test_an_error_stands_alone_and_is_valid_text);
    g_test_add_func("/guest-payload-report/statistics",
                    test_statistics_are_a_member_unless_there_is_no_room);
    return g_test_run();
}
