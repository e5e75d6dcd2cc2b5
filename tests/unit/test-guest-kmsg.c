/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/kmsg.h"

#include <glib.h>
#include <string.h>

static char *
format(const char *record)
{
    char line[MFG_KMSG_RECORD_MAX];
    gsize length = mfg_kmsg_format(record, strlen(record), line, sizeof(line));

    return g_strndup(line, length);
}

static void
assert_formatted(const char *record, const char *expected)
{
    g_autofree char *line = format(record);

    g_assert_cmpstr(line, ==, expected);
}

static void
test_a_record_becomes_a_line_as_dmesg_has_it(void)
{
    assert_formatted("6,339,5140900,-;NET: Registered protocol family 10\n",
                     "[    5.140900] NET: Registered protocol family 10\n");
    assert_formatted("30,1,0,-;from user space\n", "[    0.000000] from user space\n");
    assert_formatted("4,2,1234567000007,-;late\n", "[1234567.000007] late\n");
    assert_formatted("6,3,1,-,caller=T1;with a caller\n", "[    0.000001] with a caller\n");
    assert_formatted("6,4,1,-;\n", "[    0.000001] \n");
}

static void
test_properties_behind_the_text_are_left_out(void)
{
    assert_formatted("6,1,2,-;usb 1-1: new\n SUBSYSTEM=usb\n DEVICE=c189:1\n",
                     "[    0.000002] usb 1-1: new\n");
}

static void
test_text_and_utf_8_are_unescaped_and_what_drives_a_terminal_is_not(void)
{
    assert_formatted("6,1,2,-;a\\x5cb\\x09c\\xc3\\xa4\\x0ad\n",
                     "[    0.000002] a\\b\tc\xc3\xa4\nd\n");
    assert_formatted("6,1,2,-;\\x1b[31mred\\x00\\x07\\x7f\n",
                     "[    0.000002] \\x1b[31mred\\x00\\x07\\x7f\n");
    assert_formatted("6,1,2,-;\\x4 \\xZZ \\x\n", "[    0.000002] \\x4 \\xZZ \\x\n");
}

static void
test_what_is_no_record_gives_no_line(void)
{
    static const char *const bad[] = {"", "6,1,2,-", "6,1;x", "a,b,c,-;x", ";x", "6,1,,-;x"};

    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_formatted(bad[i], "");
}

static void
test_a_line_that_does_not_fit_is_left_out(void)
{
    static const char record[] = "6,1,2,-;12345\n";
    char line[32];
    gsize whole = strlen("[    0.000002] 12345\n");

    g_assert_cmpuint(mfg_kmsg_format(record, strlen(record), line, whole), ==, whole);
    g_assert_cmpuint(mfg_kmsg_format(record, strlen(record), line, whole - 1), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/guest-kmsg/line", test_a_record_becomes_a_line_as_dmesg_has_it);
    g_test_add_func("/guest-kmsg/properties", test_properties_behind_the_text_are_left_out);
    g_test_add_func("/guest-kmsg/escapes",
                    test_text_and_utf_8_are_unescaped_and_what_drives_a_terminal_is_not);
    g_test_add_func("/guest-kmsg/no-record", test_what_is_no_record_gives_no_line);
    g_test_add_func("/guest-kmsg/too-long", test_a_line_that_does_not_fit_is_left_out);
    return g_test_run();
}
