/* SPDX-License-Identifier: Apache-2.0 */
#include "report/markdown.h"

static void
assert_appended(const char *text, const char *expected)
{
    g_autoptr(GString) to = g_string_new("| ");

    mf_markdown_append(to, text);
    g_assert_cmpstr(to->str + 2, ==, expected);
}

static void
test_plain_words_stay_as_they_are(void)
{
    assert_appended("It exited with status 1 (12:30, net.ipv4).",
                    "It exited with status 1 (12:30, net.ipv4).");
}

static void
test_what_markdown_and_html_know_is_taken_for_text(void)
{
    assert_appended("<b>|`x`", "&#60;b&#62;&#124;&#96;x&#96;");
    assert_appended("[a](b) **c** ~~d~~ #1 @e",
                    "&#91;a&#93;(b) &#42;&#42;c&#42;&#42; &#126;&#126;d&#126;&#126; &#35;1 &#64;e");
}

static void
test_an_address_is_no_link(void)
{
    assert_appended("see https://example.org/", "see https&#58;//example.org/");
}

static void
test_lines_become_one(void)
{
    assert_appended("a\n# b", "a &#35; b");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/report-markdown/plain-words-stay-as-they-are",
                    test_plain_words_stay_as_they_are);
    g_test_add_func("/report-markdown/what-markdown-and-html-know-is-taken-for-text",
                    test_what_markdown_and_html_know_is_taken_for_text);
    g_test_add_func("/report-markdown/an-address-is-no-link", test_an_address_is_no_link);
    g_test_add_func("/report-markdown/lines-become-one", test_lines_become_one);
    return g_test_run();
}
