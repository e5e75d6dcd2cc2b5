/* SPDX-License-Identifier: Apache-2.0 */
#include "run/crash-evidence.h"

#include <string.h>

#include "base/error.h"

static void
test_what_to_keep_is_a_list_of_words(void)
{
    const struct {
        const char *text;
        guint flags;
    } good[] = {
        {"dump", MF_ON_CRASH_DUMP},
        {"screenshot", MF_ON_CRASH_SCREENSHOT},
        {"dump,screenshot", MF_ON_CRASH_DUMP | MF_ON_CRASH_SCREENSHOT},
        {"screenshot,dump,dump", MF_ON_CRASH_DUMP | MF_ON_CRASH_SCREENSHOT},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autoptr(GError) error = NULL;
        guint flags = 0;

        g_assert_true(mf_on_crash_parse(good[i].text, &flags, &error));
        g_assert_no_error(error);
        g_assert_cmpuint(flags, ==, good[i].flags);
    }
}

static void
test_other_words_are_refused_by_name(void)
{
    const struct {
        const char *text, *word;
    } bad[] = {{"", "''"}, {"dumps", "'dumps'"}, {"dump,", "''"}, {"dump, screenshot", "' scre"}};

    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        guint flags = 77;

        g_assert_false(mf_on_crash_parse(bad[i].text, &flags, &error));
        g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
        g_assert_nonnull(strstr(error->message, bad[i].word));
        g_assert_cmpuint(flags, ==, 77);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/crash-evidence/what-to-keep-is-a-list-of-words",
                    test_what_to_keep_is_a_list_of_words);
    g_test_add_func("/crash-evidence/other-words-are-refused-by-name",
                    test_other_words_are_refused_by_name);
    return g_test_run();
}
