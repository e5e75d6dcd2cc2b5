/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/option-words.h"

static char *texts[2];
static char **many;
static gboolean flags[2];

static const GOptionEntry entries[] = {
    {"jobs", 'j', 0, G_OPTION_ARG_STRING, &texts[0], "", "N"},
    {"kargs", 0, 0, G_OPTION_ARG_STRING, &texts[1], "", "TEXT"},
    {"env", 'e', 0, G_OPTION_ARG_STRING_ARRAY, &many, "", "VAR"},
    {"cold", 'c', 0, G_OPTION_ARG_NONE, &flags[0], "", NULL},
    {"verbose", 'v', G_OPTION_FLAG_NO_ARG, G_OPTION_ARG_CALLBACK, &flags[1], "", NULL},
    {NULL},
};

/* Checks that the words 'line' become 'expected'; both are separated by spaces. */
static void
check_split(const char *line, gboolean strict, const char *expected)
{
    g_autoptr(GArray) known = g_array_new(FALSE, FALSE, sizeof(GOptionEntry));
    g_auto(GStrv) words = g_strsplit(line, " ", -1);
    g_auto(GStrv) split = NULL;
    g_autofree char *result = NULL;

    g_array_append_vals(known, entries, G_N_ELEMENTS(entries) - 1);
    split = mf_option_words_split(known, (int)g_strv_length(words), words, strict);
    result = g_strjoinv(" ", split);
    g_assert_cmpstr(result, ==, expected);
}

static void
test_a_value_may_stick_to_its_letter(void)
{
    check_split("run -j4", FALSE, "run -j 4");
    check_split("run -eA=-j4 -v", FALSE, "run -e A=-j4 -v");
    check_split("run -cvj4", FALSE, "run -cvj 4");
}

static void
test_a_value_of_its_own_is_left_alone(void)
{
    check_split("run -j -j4 -j4", FALSE, "run -j -j4 -j 4");
    check_split("run --kargs -j4 -j4", FALSE, "run --kargs -j4 -j 4");
    check_split("run --kargs=a -j4", FALSE, "run --kargs=a -j 4");
    check_split("run -e -- -j4", FALSE, "run -e -- -j 4");
}

static void
test_flags_and_unknown_letters_are_left_alone(void)
{
    check_split("run -cv --cold -x4 - -j", FALSE, "run -cv --cold -x4 - -j");
}

static void
test_the_command_is_left_alone(void)
{
    check_split("run -j4 -- make -j4", FALSE, "run -j 4 -- make -j4");
    check_split("run -j4 make -j4", TRUE, "run -j 4 make -j4");
    check_split("run -c - -j4", TRUE, "run -c - -j4");
    check_split("run make -j4", FALSE, "run make -j 4");
    check_split("-j4 -j4", TRUE, "-j4 -j 4");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/option-words/a-value-may-stick-to-its-letter",
                    test_a_value_may_stick_to_its_letter);
    g_test_add_func("/option-words/a-value-of-its-own-is-left-alone",
                    test_a_value_of_its_own_is_left_alone);
    g_test_add_func("/option-words/flags-and-unknown-letters-are-left-alone",
                    test_flags_and_unknown_letters_are_left_alone);
    g_test_add_func("/option-words/the-command-is-left-alone", test_the_command_is_left_alone);
    return g_test_run();
}
