/* SPDX-License-Identifier: Apache-2.0 */
#include "run/expect.h"

#include <string.h>

#include "base/error.h"

static const MfResult exited_0 = {.verdict = MF_VERDICT_EXITED};
static const MfResult exited_3 = {.verdict = MF_VERDICT_EXITED, .status = 3};
static const MfResult killed = {.verdict = MF_VERDICT_SIGNALLED, .signal_number = 11};

static void
assert_judged(const MfExpect *expect, const MfResult *result, const char *sentences)
{
    GBytes *const none[3] = {NULL};
    g_autofree char *unmet = mf_expect_judge(expect, result, none);

    g_assert_cmpstr(unmet, ==, sentences);
}

static void
test_nothing_said_expects_status_0(void)
{
    assert_judged(NULL, &exited_0, NULL);
    assert_judged(NULL, &exited_3, "The command exited with status 3.");
    assert_judged(NULL, &killed, "The command was killed by signal 11 (Segmentation fault).");
}

static void
test_a_status_is_met_by_that_status_alone(void)
{
    const MfExpect expect = {.has_status = TRUE, .status = 3};
    const MfResult status_0_by_signal = {
        .verdict = MF_VERDICT_SIGNALLED, .status = 3, .signal_number = 9};

    assert_judged(&expect, &exited_3, NULL);
    assert_judged(&expect, &exited_0,
                  "The command exited with status 0, where status 3 was expected.");
    assert_judged(&expect, &status_0_by_signal,
                  "The command was killed by signal 9 (Killed), where status 3 was expected.");
}

static void
test_patterns_alone_still_expect_status_0(void)
{
    const MfExpect expect = {0};

    assert_judged(&expect, &exited_0, NULL);
    assert_judged(&expect, &exited_3,
                  "The command exited with status 3, where status 0 was expected.");
}

static void
test_a_signal_is_met_by_that_signal_alone(void)
{
    const MfExpect expect = {.signal_number = 11};
    const MfExpect other = {.signal_number = 6};
    const MfResult as_a_shell_says = {.verdict = MF_VERDICT_EXITED, .status = 139};

    assert_judged(&expect, &killed, NULL);
    assert_judged(&expect, &exited_0,
                  "The command exited with status 0, where signal 11 (Segmentation fault) was "
                  "expected.");
    assert_judged(&expect, &as_a_shell_says,
                  "The command exited with status 139, where signal 11 (Segmentation fault) was "
                  "expected.");
    assert_judged(&other, &killed,
                  "The command was killed by signal 11 (Segmentation fault), where signal 6 "
                  "(Aborted) was expected.");
}

/* What is wrong with 'size' bytes of standard output that have to match 'pattern'. */
static char *
match(const char *pattern, const char *output, gsize size)
{
    g_autoptr(GBytes) bytes = g_bytes_new(output, size);
    GBytes *const kept[3] = {NULL, bytes, NULL};
    const MfExpect expect = {.stdout_match = (char *)pattern};

    return mf_expect_judge(&expect, &exited_0, kept);
}

static void
test_a_pattern_matches_anywhere(void)
{
    const struct {
        const char *pattern, *output;
        gboolean matches;
    } cases[] = {
        {"PASS", "1\n2 PASS 3\n", TRUE},
        {"PASS", "pass\n", FALSE},
        {"(?i)PASS", "pass\n", TRUE},
        {"^ok$", "first\nok\nlast", TRUE},
        {"^ok$", "first\r\nok\r\nlast", TRUE},
        {"^ok$", "not ok\n", FALSE},
        {"a.b", "a\nb", FALSE},
        {"(?s)a.b", "a\nb", TRUE},
        {"^.{3}$", "\xc3\xa4\xc3\xb6\xc3\xbc", TRUE},
        {"", "", TRUE},
        {".", "", FALSE},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *unmet = match(cases[i].pattern, cases[i].output, strlen(cases[i].output));
        g_autofree char *sentence =
            g_strdup_printf("The standard output has nothing that matches '%s'.", cases[i].pattern);

        g_assert_cmpstr(unmet, ==, cases[i].matches ? NULL : sentence);
    }
}

static void
test_bytes_that_are_no_text_are_matched_too(void)
{
    static const char output[] = "\xff\xfe\0zero\nw\xc3\xb6rd\xe4\n";
    const char *const patterns[] = {"zero", "^w\xc3\xb6rd.$", "\\x00", "\\xff\\xfe"};

    for (gsize i = 0; i < G_N_ELEMENTS(patterns); i++) {
        g_autofree char *unmet = match(patterns[i], output, sizeof(output) - 1);

        g_assert_cmpstr(unmet, ==, NULL);
    }
}

static void
test_a_character_cut_in_two_in_front_is_left_out(void)
{
    g_autofree char *output = g_malloc(MF_EXPECT_KEEP);
    g_autofree char *unmet = NULL;

    memset(output, 'x', MF_EXPECT_KEEP);
    /* The rest of a character of four bytes; what follows can only be matched as characters. */
    memcpy(output, "\xa9\x98\x80", 3);
    memcpy(output + MF_EXPECT_KEEP - 5, "\n\xc3\xa4\xc3\xb6", 5);
    unmet = match("^..$", output, MF_EXPECT_KEEP);
    g_assert_cmpstr(unmet, ==, NULL);
}

static void
test_a_stream_that_there_is_not_is_empty(void)
{
    const MfExpect expect = {.stdout_match = (char *)"x", .stderr_match = (char *)"^$"};

    assert_judged(&expect, &exited_0, "The standard output has nothing that matches 'x'.");
}

static void
test_everything_unmet_is_said(void)
{
    const MfExpect expect = {.has_status = TRUE,
                             .status = 1,
                             .stdout_match = (char *)"yes",
                             .stderr_match = (char *)"no"};

    assert_judged(&expect, &exited_3,
                  "The command exited with status 3, where status 1 was expected. The standard "
                  "output has nothing that matches 'yes'. The standard error has nothing that "
                  "matches 'no'.");
}

static void
test_a_match_that_is_given_up_is_no_pass(void)
{
    g_autofree char *output = g_strnfill(64 << 10, 'a');
    g_autofree char *unmet = match("^((a+)*\\1)*$", output, 64 << 10);

    g_assert_nonnull(unmet);
    g_assert_true(g_str_has_prefix(unmet, "The standard output "));
}

static void
test_patterns_are_checked_by_name_and_position(void)
{
    const MfExpect good = {.stdout_match = (char *)"^ok ([0-9]+)$", .stderr_match = (char *)""};
    const MfExpect bad_out = {.stdout_match = (char *)"ab(c"};
    const MfExpect bad_err = {.stdout_match = (char *)"x", .stderr_match = (char *)"[z-a]"};
    g_autoptr(GError) error = NULL;

    g_assert_true(mf_expect_check_patterns(&good, &error));
    g_assert_no_error(error);

    g_assert_false(mf_expect_check_patterns(&bad_out, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    g_assert_nonnull(strstr(error->message, "stdout_match"));
    g_assert_nonnull(strstr(error->message, "ab(c"));
    g_assert_nonnull(strstr(error->message, "at character 4"));
    g_clear_error(&error);

    g_assert_false(mf_expect_check_patterns(&bad_err, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    g_assert_nonnull(strstr(error->message, "stderr_match"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/expect/nothing-said-expects-status-0", test_nothing_said_expects_status_0);
    g_test_add_func("/expect/a-status-is-met-by-that-status-alone",
                    test_a_status_is_met_by_that_status_alone);
    g_test_add_func("/expect/patterns-alone-still-expect-status-0",
                    test_patterns_alone_still_expect_status_0);
    g_test_add_func("/expect/a-signal-is-met-by-that-signal-alone",
                    test_a_signal_is_met_by_that_signal_alone);
    g_test_add_func("/expect/a-pattern-matches-anywhere", test_a_pattern_matches_anywhere);
    g_test_add_func("/expect/bytes-that-are-no-text-are-matched-too",
                    test_bytes_that_are_no_text_are_matched_too);
    g_test_add_func("/expect/a-character-cut-in-two-in-front-is-left-out",
                    test_a_character_cut_in_two_in_front_is_left_out);
    g_test_add_func("/expect/a-stream-that-there-is-not-is-empty",
                    test_a_stream_that_there_is_not_is_empty);
    g_test_add_func("/expect/everything-unmet-is-said", test_everything_unmet_is_said);
    g_test_add_func("/expect/a-match-that-is-given-up-is-no-pass",
                    test_a_match_that_is_given_up_is_no_pass);
    g_test_add_func("/expect/patterns-are-checked-by-name-and-position",
                    test_patterns_are_checked_by_name_and_position);
    return g_test_run();
}
