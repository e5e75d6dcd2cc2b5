/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/escape.h"

#include <string.h>

static gboolean
feed(MfEscape *escape, const char *text, gint64 now)
{
    return mf_escape_feed(escape, (const guint8 *)text, strlen(text), now);
}

static void
test_three_at_once_are_the_escape(void)
{
    MfEscape escape = {0};

    g_assert_true(feed(&escape, "x\x1d\x1d\x1dy", 5));
}

static void
test_three_within_a_second_are_the_escape(void)
{
    MfEscape escape = {0};

    g_assert_false(feed(&escape, "\x1d", 7));
    g_assert_false(feed(&escape, "\x1d", 7 + MF_ESCAPE_WITHIN / 2));
    g_assert_true(feed(&escape, "\x1d", 7 + MF_ESCAPE_WITHIN));
}

static void
test_slower_than_a_second_is_typing(void)
{
    MfEscape escape = {0};

    g_assert_false(feed(&escape, "\x1d\x1d", 7));
    g_assert_false(feed(&escape, "\x1d", 8 + MF_ESCAPE_WITHIN));
    /* That one was the first of the next three. */
    g_assert_true(feed(&escape, "\x1d\x1d", 9 + MF_ESCAPE_WITHIN));
}

static void
test_another_key_between_them_starts_anew(void)
{
    MfEscape escape = {0};

    g_assert_false(feed(&escape, "\x1d\x1d", 7));
    g_assert_false(feed(&escape, "x", 7));
    g_assert_false(feed(&escape, "\x1d\x1d", 7));
    g_assert_true(feed(&escape, "\x1d", 7));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/escape/three-at-once-are-the-escape", test_three_at_once_are_the_escape);
    g_test_add_func("/escape/three-within-a-second-are-the-escape",
                    test_three_within_a_second_are_the_escape);
    g_test_add_func("/escape/slower-than-a-second-is-typing", test_slower_than_a_second_is_typing);
    g_test_add_func("/escape/another-key-between-them-starts-anew",
                    test_another_key_between_them_starts_anew);
    return g_test_run();
}
