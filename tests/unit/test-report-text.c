/* SPDX-License-Identifier: Apache-2.0 */
#include "report/text.h"

#include <string.h>

static void
test_guest_text_is_made_fit_for_a_terminal(void)
{
    static const struct {
        const char *text, *clean;
    } cases[] = {
        {"", ""},
        {"plain\ttext\n", "plain\ttext\n"},
        {"caf\xc3\xa9 \xe6\xbc\xa2", "caf\xc3\xa9 \xe6\xbc\xa2"},
        {"\033[1;31mred\033[0m", "red"},
        {"\033[?25lhidden\033[?25h", "hidden"},
        {"\033]0;title\arest", "rest"},
        {"\033]8;;http://x\033\\link\033]8;;\033\\", "link"},
        {"\033Pdcs\033\\rest", "rest"},
        {"\033(Bascii\033=", "ascii"},
        /* Unfinished ones: no more than their line is lost. */
        {"a\033", "a"},
        {"a\033[", "a"},
        {"a\033[12", "a"},
        {"a\033[1\nb", "a\nb"},
        {"a\033]0;title\nb", "a\nb"},
        {"bell\a back\b del\x7f", "bell back del"},
        {"c1 \xc2\x9b"
         "31m",
         "c1 31m"},
        {"dos\r\nline\r\n", "dos\nline\n"},
        {"10%\r20%\r\r30%", "10%\n20%\n30%"},
        {"end\r", "end"},
        {"\xff\xc3", "\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xef\xbf\xbe\xef\xbf\xbf", "\xef\xbf\xbd\xef\xbf\xbd"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *clean = mf_text_clean(cases[i].text, strlen(cases[i].text));

        g_assert_cmpstr(clean, ==, cases[i].clean);
    }
}

static void
test_a_nul_does_not_end_the_text(void)
{
    g_autofree char *clean = mf_text_clean("a\0b", 3);

    g_assert_cmpstr(clean, ==,
                    "a\xef\xbf\xbd"
                    "b");
}

static void
test_any_bytes_become_harmless_text(void)
{
    guint8 bytes[4096];

    for (guint round = 0; round < 200; round++) {
        for (gsize i = 0; i < sizeof(bytes); i++)
            bytes[i] = (guint8)g_test_rand_int_range(0, round % 2 ? 256 : 64);

        g_autofree char *clean = mf_text_clean(bytes, sizeof(bytes));
        g_assert_true(g_utf8_validate(clean, -1, NULL));
        for (const char *at = clean; *at; at = g_utf8_next_char(at)) {
            gunichar c = g_utf8_get_char(at);

            g_assert_true(c == '\n' || c == '\t' || !g_unichar_iscntrl(c));
        }
    }
}

static void
test_one_line_has_no_breaks(void)
{
    g_autofree char *line = mf_text_clean_line("a\nb\tc\033[1md\n");

    g_assert_cmpstr(line, ==, "a b cd ");
}

static void
test_the_last_lines_are_found(void)
{
    g_assert_cmpstr(mf_text_last_lines("", 3), ==, "");
    g_assert_cmpstr(mf_text_last_lines("a\nb\nc\n", 2), ==, "b\nc\n");
    g_assert_cmpstr(mf_text_last_lines("a\nb\nc", 2), ==, "b\nc");
    g_assert_cmpstr(mf_text_last_lines("a\nb\nc", 3), ==, "a\nb\nc");
    g_assert_cmpstr(mf_text_last_lines("a\nb\nc", 9), ==, "a\nb\nc");
    g_assert_cmpstr(mf_text_last_lines("a\n\n\n", 2), ==, "\n\n");
}

static void
test_lines_are_indented(void)
{
    g_autoptr(GString) text = g_string_new(NULL);

    mf_text_append_indented(text, "> ", "a\n\nb");
    mf_text_append_indented(text, "> ", "");
    g_assert_cmpstr(text->str, ==, "> a\n> \n> b\n");
}

static void
test_a_point_in_time_is_utc(void)
{
    g_autofree char *time = mf_text_time(G_GINT64_CONSTANT(1795269600250999));

    g_assert_cmpstr(time, ==, "2026-11-21T14:00:00.250Z");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/report-text/guest-text-is-made-fit-for-a-terminal",
                    test_guest_text_is_made_fit_for_a_terminal);
    g_test_add_func("/report-text/a-nul-does-not-end-the-text", test_a_nul_does_not_end_the_text);
    g_test_add_func("/report-text/any-bytes-become-harmless-text",
                    test_any_bytes_become_harmless_text);
    g_test_add_func("/report-text/one-line-has-no-breaks", test_one_line_has_no_breaks);
    g_test_add_func("/report-text/the-last-lines-are-found", test_the_last_lines_are_found);
    g_test_add_func("/report-text/lines-are-indented", test_lines_are_indented);
    g_test_add_func("/report-text/a-point-in-time-is-utc", test_a_point_in_time_is_utc);
    return g_test_run();
}
