/* SPDX-License-Identifier: Apache-2.0 */
#include "base/suggest.h"

static const char *const names[] = {"mount", "root", "root-mode", "memory", "qemu", "env", NULL};

static void
test_one_slip_is_recognised(void)
{
    g_assert_cmpstr(mf_suggest("monut", names), ==, "mount");
    g_assert_cmpstr(mf_suggest("mont", names), ==, "mount");
    g_assert_cmpstr(mf_suggest("mountt", names), ==, "mount");
    g_assert_cmpstr(mf_suggest("moumt", names), ==, "mount");
    g_assert_cmpstr(mf_suggest("en", names), ==, "env");
    g_assert_cmpstr(mf_suggest("memory", names), ==, "memory");
    g_assert_cmpstr(mf_suggest("nev", names), ==, "env");
}

static void
test_the_nearest_is_chosen(void)
{
    g_assert_cmpstr(mf_suggest("rootmod", names), ==, "root-mode");
    g_assert_cmpstr(mf_suggest("roott", names), ==, "root");
}

static void
test_nothing_is_suggested_for_what_is_not_near(void)
{
    g_autofree char *longest = g_strnfill(64, 'x');
    g_autofree char *longer = g_strnfill(65, 'x');
    const char *const wide[] = {longest, NULL};

    g_assert_null(mf_suggest("kernel", names));
    g_assert_null(mf_suggest("x", names));
    g_assert_null(mf_suggest("inv", names));
    g_assert_null(mf_suggest("", names));
    g_assert_cmpstr(mf_suggest(longest, wide), ==, longest);
    g_assert_null(mf_suggest(longer, wide));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/suggest/one-slip-is-recognised", test_one_slip_is_recognised);
    g_test_add_func("/suggest/the-nearest-is-chosen", test_the_nearest_is_chosen);
    g_test_add_func("/suggest/nothing-is-suggested-for-what-is-not-near",
                    test_nothing_is_suggested_for_what_is_not_near);
    return g_test_run();
}
