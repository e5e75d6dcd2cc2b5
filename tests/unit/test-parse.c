/* SPDX-License-Identifier: Apache-2.0 */
#include "base/parse.h"

#include <math.h>
#include <string.h>

#include "base/error.h"

static void
test_sizes_are_read_with_binary_suffixes(void)
{
    static const struct {
        const char *text;
        guint64 unit, bytes;
    } good[] = {
        {"0", 1, 0},
        {"512", MF_MIB, 512 * MF_MIB},
        {"512M", 1, 512 * MF_MIB},
        {"4g", 1, 4 * MF_GIB},
        {"1KiB", 1, MF_KIB},
        {"1kb", 1, MF_KIB},
        {"2T", 1, 2048 * MF_GIB},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autoptr(GError) error = NULL;
        guint64 bytes;

        g_assert_true(mf_parse_size(good[i].text, good[i].unit, &bytes, &error));
        g_assert_no_error(error);
        g_assert_cmpuint(bytes, ==, good[i].bytes);
    }
}

static void
test_bad_sizes_are_refused_and_quoted(void)
{
    static const char *const bad[] = {"",
                                      " 1",
                                      "1 ",
                                      "-1",
                                      "+1",
                                      "1.5G",
                                      "G",
                                      "1X",
                                      "1GG",
                                      "0x10",
                                      "1MiBs",
                                      "99999999999999999999",
                                      "18446744073709551615T"};

    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        guint64 bytes = 7;

        g_assert_false(mf_parse_size(bad[i], 1, &bytes, &error));
        g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
        g_assert_true(g_str_has_prefix(error->message, "'"));
        g_assert_cmpuint(bytes, ==, 7);
    }
}

static void
test_what_is_too_large_is_not_told_to_be_of_the_wrong_kind(void)
{
    static const struct {
        const char *text;
        gboolean written;
    } sizes[] = {{"18446744073709551616", TRUE},
                 {"99999999999G", TRUE},
                 {"4G", TRUE},
                 {"0", TRUE},
                 {"1X", FALSE},
                 {"", FALSE}};
    static const struct {
        const char *text;
        gboolean written;
    } durations[] = {{"99999999999999h", TRUE},
                     {"1m99999999999999999999s", TRUE},
                     {"1m30.5s", TRUE},
                     {"90", TRUE},
                     {"1s2", FALSE},
                     {"1.0000000001s", FALSE},
                     {"1.s", FALSE},
                     {"", FALSE}};
    g_autoptr(GError) size_error = NULL, duration_error = NULL;
    guint64 bytes;
    gint64 ms;

    for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++)
        g_assert_cmpint(mf_parse_is_written_as_size(sizes[i].text), ==, sizes[i].written);
    for (gsize i = 0; i < G_N_ELEMENTS(durations); i++)
        g_assert_cmpint(mf_parse_is_written_as_duration(durations[i].text), ==,
                        durations[i].written);
    g_assert_false(mf_parse_size("99999999999G", MF_MIB, &bytes, &size_error));
    g_assert_cmpstr(size_error->message, ==,
                    "'99999999999G' is too large: a size is less than 16777216T.");
    g_assert_false(mf_parse_duration("99999999999999h", &ms, &duration_error));
    g_assert_cmpstr(duration_error->message, ==,
                    "'99999999999999h' is too long: no more than 106751 days can be counted.");
}

static void
test_durations_are_read_in_milliseconds(void)
{
    static const struct {
        const char *text;
        gint64 ms;
    } good[] = {
        {"0", 0},
        {"90", 90000},
        {"2s", 2000},
        {"1m30s", 90000},
        {"250ms", 250},
        {"1.5s", 1500},
        {"0.25", 250},
        {"1h", 3600000},
        {"1d", 86400000},
        {"1m1ms", 60001},
        {"106751d", 106751 * (gint64)86400000},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autoptr(GError) error = NULL;
        gint64 ms;

        g_assert_true(mf_parse_duration(good[i].text, &ms, &error));
        g_assert_no_error(error);
        g_assert_cmpint(ms, ==, good[i].ms);
    }
}

static void
test_bad_durations_are_refused(void)
{
    static const char *const bad[] = {"",
                                      "s",
                                      "-1s",
                                      "1 s",
                                      "1S",
                                      "1min",
                                      "1s2",
                                      "1..5s",
                                      "1.s",
                                      "10x",
                                      "99999999999999999999s",
                                      "999999999999999d",
                                      "106751d24h",
                                      "106752d"};

    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        gint64 ms = 7;

        g_assert_false(mf_parse_duration(bad[i], &ms, &error));
        g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
        g_assert_cmpint(ms, ==, 7);
    }
}

static void
test_numbers_are_bounded(void)
{
    g_autoptr(GError) error = NULL;
    guint64 value = 7;

    g_assert_true(mf_parse_uint("255", "CPU count", 1, 255, &value, &error));
    g_assert_cmpuint(value, ==, 255);
    g_assert_false(mf_parse_uint("256", "CPU count", 1, 255, &value, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    g_assert_cmpstr(error->message, ==,
                    "'256' is not a CPU count: expected a number from 1 to 255.");
    g_assert_cmpuint(value, ==, 255);
}

static void
test_sizes_are_formatted_in_ascii(void)
{
    g_autofree char *bytes = mf_format_size(1);
    g_autofree char *gigabytes = mf_format_size(3 * MF_GIB / 2);

    g_assert_cmpstr(bytes, ==, "1 byte");
    g_assert_cmpstr(gigabytes, ==, "1.5 GiB");
}

static void
test_signals_are_read_by_name_and_number(void)
{
    const struct {
        const char *text;
        int number;
    } good[] = {{"SIGSEGV", 11}, {"SEGV", 11}, {"sigkill", 9}, {"SYS", 31},
                {"HUP", 1},      {"11", 11},   {"1", 1},       {"64", 64}};
    const char *bad[] = {"",   "SIG",    "0",     "65",     "-9",
                         "9 ", "SIGFOO", "SIG11", "SIGSEG", "SIGSIGHUP"};
    int number;

    for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
        g_assert_true(mf_parse_signal(good[i].text, &number, NULL));
        g_assert_cmpint(number, ==, good[i].number);
    }
    number = -1;
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_false(mf_parse_signal(bad[i], &number, &error));
        g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
        g_assert_nonnull(strstr(error->message, bad[i]));
        g_assert_cmpint(number, ==, -1);
    }
}

static void
test_a_choice_is_one_of_its_names_to_the_letter(void)
{
    static const char *const names[] = {"none", "user", "bridge", NULL};
    g_autoptr(GError) error = NULL;
    guint index = 7;

    g_assert_true(mf_parse_choice("bridge", "a network", names, &index, NULL));
    g_assert_cmpuint(index, ==, 2);
    g_assert_false(mf_parse_choice("User", "a network", names, &index, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    g_assert_cmpstr(error->message, ==, "'User' is not a network: expected none, user or bridge.");
    g_assert_cmpuint(index, ==, 2);
}

static void
test_numbers_are_shown_in_their_shortest_form(void)
{
    const struct {
        double number;
        const char *text;
    } cases[] = {
        {200, "200"},
        {0.1, "0.1"},
        {-0.0, "-0"},
        {1.0 / 3, "0.3333333333333333"},
        {0.1 + 0.2, "0.30000000000000004"},
        {123456789012345, "123456789012345"},
        {1e22, "1e+22"},
        {NAN, "NaN"},
        {-INFINITY, "-inf"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = mf_format_number(cases[i].number);

        g_assert_cmpstr(text, ==, cases[i].text);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/parse/sizes-are-read-with-binary-suffixes",
                    test_sizes_are_read_with_binary_suffixes);
    g_test_add_func("/parse/bad-sizes-are-refused-and-quoted",
                    test_bad_sizes_are_refused_and_quoted);
    g_test_add_func("/parse/what-is-too-large-is-not-told-to-be-of-the-wrong-kind",
                    test_what_is_too_large_is_not_told_to_be_of_the_wrong_kind);
    g_test_add_func("/parse/durations-are-read-in-milliseconds",
                    test_durations_are_read_in_milliseconds);
    g_test_add_func("/parse/bad-durations-are-refused", test_bad_durations_are_refused);
    g_test_add_func("/parse/signals-are-read-by-name-and-number",
                    test_signals_are_read_by_name_and_number);
    g_test_add_func("/parse/numbers-are-bounded", test_numbers_are_bounded);
    g_test_add_func("/parse/a-choice-is-one-of-its-names-to-the-letter",
                    test_a_choice_is_one_of_its_names_to_the_letter);
    g_test_add_func("/parse/sizes-are-formatted-in-ascii", test_sizes_are_formatted_in_ascii);
    g_test_add_func("/parse/numbers-are-shown-in-their-shortest-form",
                    test_numbers_are_shown_in_their_shortest_form);
    return g_test_run();
}
