/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/line.h"

#include <string.h>

#include "base/error.h"

static void
feed(MfLineFramer *framer, const char *data, gsize size)
{
    g_autoptr(GBytes) bytes = g_bytes_new(data, size);

    mf_line_framer_feed(framer, bytes);
}

static void
assert_line(MfLineFramer *framer, const char *expected)
{
    g_autoptr(GError) error = NULL;
    gsize length = 0;
    const char *line = mf_line_framer_next(framer, &length, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(line, ==, expected);
    g_assert_cmpuint(length, ==, strlen(expected));
}

static void
assert_no_line(MfLineFramer *framer)
{
    g_autoptr(GError) error = NULL;
    gsize length = 77;

    g_assert_null(mf_line_framer_next(framer, &length, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(length, ==, 77);
}

static void
assert_too_long(MfLineFramer *framer)
{
    g_autoptr(GError) error = NULL;
    gsize length;

    g_assert_null(mf_line_framer_next(framer, &length, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_PROTOCOL);
    g_assert_cmpstr(error->message, ==, "A line is longer than 8 bytes.");
}

static void
test_a_split_at_any_byte_gives_the_same_lines(void)
{
    const char text[] = "one\r\n\ntwo\r\r\nthree\n\r\nrest";
    const gsize size = sizeof(text) - 1;

    for (gsize at = 0; at <= size; at++) {
        g_autoptr(MfLineFramer) framer = mf_line_framer_new(8);
        g_autoptr(GString) seen = g_string_new(NULL);
        const gsize ends[] = {at, size};

        for (gsize i = 0, from = 0; i < G_N_ELEMENTS(ends); from = ends[i++]) {
            gsize length;
            const char *line;

            feed(framer, text + from, ends[i] - from);
            while ((line = mf_line_framer_next(framer, &length, NULL)))
                g_string_append_printf(seen, "[%.*s]", (int)length, line);
        }
        g_assert_cmpstr(seen->str, ==, "[one][][two\r][three][]");
    }
}

static void
test_lines_may_contain_nul(void)
{
    g_autoptr(MfLineFramer) framer = mf_line_framer_new(8);
    gsize length;

    feed(framer, "a\0b\n", 4);
    const char *line = mf_line_framer_next(framer, &length, NULL);
    g_assert_cmpmem(line, length, "a\0b", 3);
}

static void
test_a_line_at_the_cap_passes(void)
{
    g_autoptr(MfLineFramer) framer = mf_line_framer_new(8);

    feed(framer, "12345678\n12345678\r", 18);
    assert_line(framer, "12345678");
    assert_no_line(framer);
    feed(framer, "\n", 1);
    assert_line(framer, "12345678");
}

static void
test_a_line_one_past_the_cap_is_an_error_that_stays(void)
{
    g_autoptr(MfLineFramer) framer = mf_line_framer_new(8);

    feed(framer, "good\n123456789\nnext\n", 20);
    assert_line(framer, "good");
    assert_too_long(framer);
    feed(framer, "next\n", 5);
    assert_too_long(framer);
}

static void
test_the_cap_holds_before_the_line_ends(void)
{
    g_autoptr(MfLineFramer) framer = mf_line_framer_new(8);

    feed(framer, "12345678", 8);
    assert_no_line(framer);
    feed(framer, "9", 1);
    assert_too_long(framer);
}

static void
test_skipping_drops_up_to_the_sentinel(void)
{
    g_autoptr(MfLineFramer) framer = mf_line_framer_new(8);

    feed(framer, "begun", 5);
    assert_no_line(framer);
    mf_line_framer_skip_to_sentinel(framer);
    feed(framer, " and more than the cap of it\nlate\n", 34);
    assert_no_line(framer);
    feed(framer, "x\xff", 2);
    assert_no_line(framer);
    feed(framer, "fresh\n", 6);
    assert_line(framer, "fresh");
}

static void
test_skipping_finds_a_sentinel_that_is_there_already(void)
{
    g_autoptr(MfLineFramer) framer = mf_line_framer_new(8);

    feed(framer,
         "a\nb\n\xff"
         "c\n\xff"
         "d\n",
         11);
    assert_line(framer, "a");
    mf_line_framer_skip_to_sentinel(framer);
    assert_line(framer, "c");
    mf_line_framer_skip_to_sentinel(framer);
    assert_line(framer, "d");
    assert_no_line(framer);
}

/* With a rescan or a full move per piece this is 10^12 steps or more, and the time limit of the
 * test ends it; done right it is a fraction of a second. */
static void
test_a_long_line_in_small_pieces_is_linear(void)
{
    const gsize size = 48u << 20, piece = 64;
    g_autoptr(MfLineFramer) framer = mf_line_framer_new(size);
    char block[64];
    gsize length;

    memset(block, 'x', sizeof(block));
    g_autoptr(GBytes) bytes = g_bytes_new_static(block, piece);
    for (gsize fed = 0; fed < size; fed += piece) {
        mf_line_framer_feed(framer, bytes);
        assert_no_line(framer);
    }
    feed(framer, "\nend\n", 5);
    g_assert_nonnull(mf_line_framer_next(framer, &length, NULL));
    g_assert_cmpuint(length, ==, size);
    assert_line(framer, "end");
}

static void
test_many_lines_behind_an_open_one_are_linear(void)
{
    g_autoptr(MfLineFramer) framer = mf_line_framer_new(1u << 20);
    g_autoptr(GString) piece = g_string_new("tail of the line before\n");

    for (int i = 0; i < 1000; i++)
        g_string_append(piece, "a line\n");
    g_string_append(piece, "head of the next ");
    for (int i = 0; i < 1000; i++) {
        gsize length, lines = 0;

        feed(framer, piece->str, piece->len);
        while (mf_line_framer_next(framer, &length, NULL))
            lines++;
        g_assert_cmpuint(lines, ==, 1001);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/line/a-split-at-any-byte-gives-the-same-lines",
                    test_a_split_at_any_byte_gives_the_same_lines);
    g_test_add_func("/line/lines-may-contain-nul", test_lines_may_contain_nul);
    g_test_add_func("/line/a-line-at-the-cap-passes", test_a_line_at_the_cap_passes);
    g_test_add_func("/line/a-line-one-past-the-cap-is-an-error-that-stays",
                    test_a_line_one_past_the_cap_is_an_error_that_stays);
    g_test_add_func("/line/the-cap-holds-before-the-line-ends",
                    test_the_cap_holds_before_the_line_ends);
    g_test_add_func("/line/skipping-drops-up-to-the-sentinel",
                    test_skipping_drops_up_to_the_sentinel);
    g_test_add_func("/line/skipping-finds-a-sentinel-that-is-there-already",
                    test_skipping_finds_a_sentinel_that_is_there_already);
    g_test_add_func("/line/a-long-line-in-small-pieces-is-linear",
                    test_a_long_line_in_small_pieces_is_linear);
    g_test_add_func("/line/many-lines-behind-an-open-one-are-linear",
                    test_many_lines_behind_an_open_one_are_linear);
    return g_test_run();
}
