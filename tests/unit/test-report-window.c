/* SPDX-License-Identifier: Apache-2.0 */
#include "report/window.h"

#include <string.h>

#include "report/width.h"

static void
test_widths_are_those_of_a_terminal(void)
{
    static const struct {
        const char *text;
        guint width;
    } cases[] = {
        {"", 0},           {"abc", 3},          {"caf\u00e9", 4},
        {"cafe\u0301", 4}, {"\u6f22\u5b57", 4}, {"\U0001f600", 2},
        {"a\u200bb", 2},   {"\t", 8},           {"abc\td", 9},
        {"\u6f22\tx", 9},  {"12345678\t", 16},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpuint(mf_width_of(cases[i].text), ==, cases[i].width);
}

static void
test_a_cut_line_fits(void)
{
    static const struct {
        const char *text;
        guint columns;
        const char *cut;
    } cases[] = {
        {"abcdef", 3, "abc"},
        {"abc", 3, "abc"},
        {"abc", 0, ""},
        /* A wide character is whole or not there. */
        {"\u6f22\u5b57", 3, "\u6f22"},
        {"\u6f22\u5b57", 4, "\u6f22\u5b57"},
        /* What combines with the last character belongs to it. */
        {"abe\u0301f", 3, "abe\u0301"},
        {"a\tb", 8, "a       "},
        {"a\tb", 9, "a       b"},
        {"a\tb", 7, "a"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *cut = mf_width_cut(cases[i].text, cases[i].columns);

        g_assert_cmpstr(cut, ==, cases[i].cut);
        g_assert_cmpuint(mf_width_of(cut), <=, cases[i].columns);
    }
}

static void
feed(MfWindow *window, const char *text)
{
    g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));

    mf_window_feed(window, bytes);
}

static void
assert_lines(const MfWindow *window, guint lines, const char *expected)
{
    g_autoptr(GPtrArray) found = mf_window_get_lines(window, lines, 40);

    g_ptr_array_add(found, NULL);
    g_autofree char *joined = g_strjoinv("|", (char **)found->pdata);
    g_assert_cmpstr(joined, ==, expected);
}

static void
test_the_last_lines_are_kept(void)
{
    g_autoptr(MfWindow) window = mf_window_new();

    assert_lines(window, 3, "");
    feed(window, "one\ntw");
    assert_lines(window, 3, "one|tw");
    feed(window, "o\nthree\n");
    assert_lines(window, 3, "one|two|three");
    assert_lines(window, 2, "two|three");
    feed(window, "\n");
    assert_lines(window, 2, "three|");
    assert_lines(window, 0, "");
}

static void
test_progress_shows_where_it_is(void)
{
    g_autoptr(MfWindow) window = mf_window_new();

    feed(window, "10%\r20%\r30%");
    assert_lines(window, 3, "30%");
    feed(window, "\r");
    assert_lines(window, 3, "30%");
    feed(window, "\ndos\r\n");
    assert_lines(window, 3, "30%|dos");
}

static void
test_escape_sequences_are_gone_even_when_they_come_in_pieces(void)
{
    g_autoptr(MfWindow) window = mf_window_new();

    feed(window, "\033[3");
    feed(window, "1mred\033]0;ti");
    feed(window, "tle\a\033[2J\033[H.");
    assert_lines(window, 3, "red.");
}

static void
test_a_flood_is_kept_up_to_a_limit(void)
{
    g_autoptr(MfWindow) window = mf_window_new();
    g_autofree char *wide = g_strnfill(MF_WINDOW_KEPT, 'x');

    for (guint i = 0; i < 100; i++)
        feed(window, wide);
    feed(window, "\nlast");
    g_autoptr(GPtrArray) found = mf_window_get_lines(window, 100, 10);
    g_assert_cmpuint(found->len, ==, 2);
    g_assert_cmpstr(found->pdata[0], ==, "xxxxxxxxxx");
    g_assert_cmpstr(found->pdata[1], ==, "last");
    g_autoptr(GPtrArray) whole = mf_window_get_lines(window, 100, G_MAXUINT);
    g_assert_cmpuint(strlen(whole->pdata[0]), <=, 2 * MF_WINDOW_KEPT);
}

static void
test_the_middle_of_a_name_is_left_out(void)
{
    static const struct {
        const char *text, *short_one;
        guint columns;
    } cases[] = {
        {"abcdefghij", "abcdefghij", 10},
        {"abcdefghijk", "abcd...ijk", 10},
        {"abcdef", "a...f", 5},
        {"abcdef", "abc", 3},
        {"abcdef", "", 0},
        {"\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", "...", 4},
        {"", "", 4},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = mf_width_shorten(cases[i].text, cases[i].columns);

        g_assert_cmpstr(text, ==, cases[i].short_one);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/report-window/the-middle-of-a-name-is-left-out",
                    test_the_middle_of_a_name_is_left_out);
    g_test_add_func("/report-width/widths-are-those-of-a-terminal",
                    test_widths_are_those_of_a_terminal);
    g_test_add_func("/report-width/a-cut-line-fits", test_a_cut_line_fits);
    g_test_add_func("/report-window/the-last-lines-are-kept", test_the_last_lines_are_kept);
    g_test_add_func("/report-window/progress-shows-where-it-is", test_progress_shows_where_it_is);
    g_test_add_func("/report-window/escape-sequences-are-gone-even-when-they-come-in-pieces",
                    test_escape_sequences_are_gone_even_when_they_come_in_pieces);
    g_test_add_func("/report-window/a-flood-is-kept-up-to-a-limit",
                    test_a_flood_is_kept_up_to_a_limit);
    return g_test_run();
}
