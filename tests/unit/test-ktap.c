/* SPDX-License-Identifier: Apache-2.0 */
#include "run/ktap.h"

#include <string.h>

/* What a text comes to: a line a test, "status name: message" with newlines as '|', then a line a
 * problem, "! sentence". Owned by the caller. */
static char *
read_text(MfKtapDialect dialect, const char *text)
{
    g_autoptr(MfSubtests) found = mf_subtests_new();
    g_autoptr(MfKtap) ktap = mf_ktap_new(dialect, found);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    GString *summary = g_string_new(NULL);

    for (char **line = lines; *line; line++)
        mf_ktap_feed(ktap, *line);
    mf_ktap_finish(ktap);
    for (guint i = 0; i < found->tests->len; i++) {
        const MfSubtest *test = found->tests->pdata[i];
        g_autofree char *message = g_strdup(test->message ? test->message : "");

        g_string_append_printf(summary, "%s %s%s%s\n", mf_subtest_status_name(test->status),
                               test->name, *message ? ": " : "", g_strdelimit(message, "\n", '|'));
    }
    for (guint i = 0; i < found->problems->len; i++)
        g_string_append_printf(summary, "! %s\n", (const char *)found->problems->pdata[i]);
    return g_string_free(summary, FALSE);
}

static void
assert_tap(const char *text, const char *expected)
{
    g_autofree char *summary = read_text(MF_KTAP_DIALECT_TAP, text);

    g_assert_cmpstr(summary, ==, expected);
}

static void
assert_ktap(const char *text, const char *expected)
{
    g_autofree char *summary = read_text(MF_KTAP_DIALECT_KTAP, text);

    g_assert_cmpstr(summary, ==, expected);
}

/*
 * TAP
 */

static void
test_tap_names_statuses_and_directives(void)
{
    assert_tap("TAP version 13\n"
               "1..8\n"
               "ok 1 - plain\n"
               "not ok 2 - bad\n"
               "ok 3 without a dash\n"
               "ok 4\n"
               "ok 5 - absent # SKIP no device\n"
               "not ok 6 - later # TO"
               "DO not written yet\n"
               "ok 7 - sooner # todo\n"
               "ok - without a number # skipped\n",
               "pass plain\n"
               "fail bad\n"
               "pass without a dash\n"
               "pass test 4\n"
               "skip absent: no device\n"
               "todo later: not written yet\n"
               "todo sooner\n"
               "skip without a number\n");
}

static void
test_tap_without_numbers_and_names_is_numbered(void)
{
    assert_tap("1..3\nok\nnot ok # broken\n    ok\n    1..1\nok\n",
               "pass test 1\nfail # broken\npass test 3/test 1\n");
}

static void
test_tap_12_has_no_version_and_its_plan_last(void)
{
    assert_tap("ok 1 - a\nok 2 - b\n1..2\n", "pass a\npass b\n");
}

static void
test_a_number_sign_that_is_no_directive_is_of_the_name(void)
{
    assert_tap("1..3\nok 1 - issue #12\nok 2 - a \\# SKIP b\nok 3 - back\\\\slash\n",
               "pass issue #12\npass a # SKIP b\npass back\\slash\n");
}

static void
test_a_failure_that_is_skipped_is_a_failure_in_tap(void)
{
    assert_tap("1..1\nnot ok 1 - a # SKIP b\n", "fail a: SKIP b\n");
}

static void
test_a_plan_that_promised_more_is_a_problem(void)
{
    assert_tap("1..3\nok 1 - a\n",
               "pass a\n! The plan promised 3 sub-tests, and 1 were told of.\n");
}

static void
test_a_plan_that_promised_less_is_a_problem(void)
{
    assert_tap("1..1\nok 1 - a\nok 2 - b\n",
               "pass a\npass b\n! The plan promised 1 sub-tests, and 2 were told of.\n");
}

static void
test_tap_without_a_plan_is_a_problem(void)
{
    assert_tap("ok 1 - a\n", "pass a\n! The sub-tests have no plan, so that nobody knows whether "
                             "all of them have run.\n");
}

static void
test_two_plans_are_a_problem(void)
{
    assert_tap("1..1\nok 1 - a\n1..2\n", "pass a\n! There are two plans for the same sub-tests.\n");
}

static void
test_a_plan_of_nothing_is_nothing(void)
{
    assert_tap("1..0 # SKIP not on this machine\n", "");
}

static void
test_a_number_out_of_order_is_a_problem_in_tap(void)
{
    assert_tap("1..2\nok 1 - a\nok 1 - a\n",
               "pass a\npass a\n! Sub-test 1 came where 2 was to come.\n");
}

static void
test_output_without_any_tap_is_a_problem(void)
{
    assert_tap("usage: prove\nokay\n", "! Nothing was said in TAP, from which the sub-tests were "
                                       "to be read.\n");
    assert_ktap("ok then\n", "! Nothing was said in KTAP, from which the sub-tests were to be "
                             "read.\n");
}

static void
test_a_bail_out_is_a_problem_with_its_reason(void)
{
    assert_tap("1..2\nok 1 - a\nBail out! Disk full\n",
               "pass a\n! The sub-tests bailed out: Disk full\n"
               "! The plan promised 2 sub-tests, and 1 were told of.\n");
}

static void
test_the_diagnosis_follows_its_test_in_tap(void)
{
    assert_tap("1..3\n"
               "not ok 1 - a\n"
               "#   Failed test 'a'\n"
               "#   at t/a.t line 3.\n"
               "ok 2 - b\n"
               "# of no interest\n"
               "not ok 3 - c\n",
               "fail a: Failed test 'a'|at t/a.t line 3.\npass b\nfail c\n");
}

static void
test_a_yaml_block_gives_its_message_and_hides_what_is_in_it(void)
{
    assert_tap("TAP version 13\n"
               "1..2\n"
               "not ok 1 - a\n"
               "  ---\n"
               "  message: it is 3\n"
               "  data: |\n"
               "    not ok 2 - no test\n"
               "  ...\n"
               "ok 2 - b\n",
               "fail a: it is 3\npass b\n");
}

static void
test_a_yaml_block_that_does_not_end_hides_no_test(void)
{
    assert_tap("1..2\nnot ok 1 - a\n  ---\n  x: 1\nok 2 - b\n", "fail a\npass b\n");
}

static void
test_tap_14_nests(void)
{
    assert_tap("TAP version 14\n"
               "1..2\n"
               "# Subtest: outer\n"
               "    1..2\n"
               "    ok 1 - first\n"
               "    not ok 2 - second\n"
               "not ok 1 - outer\n"
               "ok 2 - alone\n",
               "pass outer/first\nfail outer/second\npass alone\n");
}

static void
test_a_nested_plan_that_promised_more_names_the_test(void)
{
    assert_tap("1..1\n    1..3\n    ok 1 - a\nok 1 - outer\n",
               "pass outer/a\n! 'outer' promised 3 sub-tests and told of 1.\n");
}

static void
test_a_todo_excuses_what_is_nested_in_it(void)
{
    assert_tap("1..1\n    1..1\n    not ok 1 - a\nnot ok 1 - outer # TO"
               "DO soon\n",
               "todo outer/a\n");
}

static void
test_a_parent_that_fails_by_itself_is_a_failure(void)
{
    assert_tap("1..1\n    1..1\n    ok 1 - a\nnot ok 1 - outer\n# leaked\n",
               "fail outer: leaked\npass outer/a\n");
}

/*
 * KTAP
 */

/* KUnit's words of a 6.1 kernel, shortened. */
static const char kunit_log[] =
    "[    2.101000] KTAP version 1\n"
    "[    2.101100] 1..2\n"
    "[    2.101200]     KTAP version 1\n"
    "[    2.101300]     # Subtest: example\n"
    "[    2.101400]     # module: kunit_example_test\n"
    "[    2.101500]     1..3\n"
    "[    2.101600]     # example_simple_test: initializing\n"
    "[    2.101700]     ok 1 example_simple_test\n"
    "[    2.101750] usb 1-1: new device\n"
    "[    2.101800]     # example_bad_test: EXPECTATION FAILED at lib/example.c:29\n"
    "[    2.101900]     Expected 1 + 1 == 3, but\n"
    "[    2.102000]         1 + 1 == 2 (0x2)\n"
    "[    2.102100]     not ok 2 example_bad_test\n"
    "[    2.102200]         KTAP version 1\n"
    "[    2.102300]         # Subtest: example_params_test\n"
    "[    2.102400]         ok 1 value 1\n"
    "[    2.102500]         ok 2 value 2 # SKIP unsupported\n"
    "[    2.102600]     # example_params_test: pass:1 fail:0 skip:1 total:2\n"
    "[    2.102700]     ok 3 example_params_test\n"
    "[    2.102800] # example: pass:2 fail:1 skip:0 total:3\n"
    "[    2.102900] # Totals: pass:2 fail:1 skip:1 total:4\n"
    "[    2.103000] not ok 1 example\n"
    "[    2.103100]     KTAP version 1\n"
    "[    2.103200]     # Subtest: time\n"
    "[    2.103300]     1..1\n"
    "[    2.103400]     ok 1 days\n"
    "[    2.103500] ok 2 time\n";

static const char kunit_found[] =
    "pass example/example_simple_test\n"
    "fail example/example_bad_test: example_bad_test: EXPECTATION FAILED at lib/example.c:29|"
    "Expected 1 + 1 == 3, but|1 + 1 == 2 (0x2)\n"
    "pass example/example_params_test/value 1\n"
    "skip example/example_params_test/value 2: unsupported\n"
    "pass time/days\n";

static void
test_kunits_words_in_the_kernels_log_are_read(void)
{
    assert_ktap(kunit_log, kunit_found);
}

static void
test_every_prefix_of_the_kernels_log_is_passed_over(void)
{
    assert_ktap("<6>[    0.000001] KTAP version 1\n"
                "[   12.345678][    T1] 1..2\n"
                "[   12.345678] [  C0] ok 1 a\n"
                "ok 2 b\n",
                "pass a\npass b\n");
}

static void
test_suites_that_follow_each_other_each_have_their_plan(void)
{
    assert_ktap("KTAP version 1\n1..1\nok 1 a\nKTAP version 1\n1..2\nok 1 b\n",
                "pass a\npass b\n! The plan promised 2 sub-tests, and 1 were told of.\n");
}

static void
test_old_kunit_without_versions_is_read(void)
{
    assert_ktap("TAP version 14\n1..1\n    # Subtest: old\n    1..2\n    ok 1 - a\n"
                "    ok 2 - b\nok 1 - old\n",
                "pass old/a\npass old/b\n");
    assert_ktap("    # Subtest: old\n    1..1\n    ok 1 - a\nok 1 - old\n", "pass old/a\n");
}

/* kselftest's runner: what a test writes has "# " ahead of it. */
static void
test_kselftests_output_is_read(void)
{
    assert_ktap("TAP version 13\n"
                "1..3\n"
                "# timeout set to 45\n"
                "# selftests: timers: posix_timers\n"
                "# TAP version 13\n"
                "# 1..3\n"
                "# ok 1 check itimer\n"
                "# # Checking\n"
                "# not ok 2 check timer\n"
                "# ok 3 check clock # SKIP no clock\n"
                "# # Totals: pass:1 fail:1 xfail:0 xpass:0 skip:1 error:0\n"
                "not ok 1 selftests: timers: posix_timers # exit=1\n"
                "# timeout set to 45\n"
                "# selftests: timers: hang\n"
                "# waiting\n"
                "not ok 2 selftests: timers: hang # TIMEOUT 45 seconds\n"
                "# timeout set to 45\n"
                "ok 3 selftests: timers: nosleep # SKIP\n",
                "pass selftests: timers: posix_timers/check itimer\n"
                "fail selftests: timers: posix_timers/check timer: Checking\n"
                "skip selftests: timers: posix_timers/check clock: no clock\n"
                "fail selftests: timers: hang: TIMEOUT 45 seconds|timeout set to 45|"
                "selftests: timers: hang|waiting\n"
                "skip selftests: timers: nosleep\n");
}

static void
test_an_expected_failure_is_none(void)
{
    assert_ktap("1..1\nnot ok 1 a # XFAIL known\n", "todo a: known\n");
}

static void
test_ktap_may_have_no_plan(void)
{
    assert_ktap("KTAP version 1\nok 1 a\nok 2 b\n", "pass a\npass b\n");
}

static void
test_a_suite_that_the_guests_end_cut_off_is_a_problem(void)
{
    g_autoptr(GString) log = g_string_new(kunit_log);

    g_string_truncate(log, strstr(log->str, "[    2.103400]") - log->str);
    g_autofree char *summary = read_text(MF_KTAP_DIALECT_KTAP, log->str);
    g_assert_nonnull(strstr(summary, "! 'time' promised 1 sub-tests and told of 0.\n"));
    g_assert_nonnull(strstr(summary, "! The plan promised 2 sub-tests, and 1 were told of.\n"));
}

/* The parser never crashes and is never fooled into a pass, whatever part of a text is lost. */
static void
test_a_lost_line_loses_no_failure(void)
{
    g_auto(GStrv) lines = g_strsplit(kunit_log, "\n", -1);

    for (guint lost = 0; lines[lost]; lost++) {
        g_autoptr(GString) rest = g_string_new(NULL);

        for (guint i = 0; lines[i]; i++)
            if (i != lost)
                g_string_append_printf(rest, "%s\n", lines[i]);
        g_autofree char *summary = read_text(MF_KTAP_DIALECT_KTAP, rest->str);
        g_assert_true(strstr(summary, "fail ") || strchr(summary, '!'));
    }
}

static void
test_nesting_has_a_limit(void)
{
    g_autoptr(GString) text = g_string_new("1..1\n");

    for (int level = 1; level < 1000; level++)
        g_string_append_printf(text, "%*sok 1 x\n", level, "");
    g_string_append(text, "ok 1 end\n");
    g_autofree char *summary = read_text(MF_KTAP_DIALECT_KTAP, text->str);
    g_assert_cmpuint(strlen(summary), <, 4096);
    g_assert_nonnull(strstr(summary, "pass end/"));
}

static void
test_a_diagnosis_keeps_its_end(void)
{
    g_autoptr(GString) text = g_string_new("1..1\n");
    g_autoptr(MfSubtests) found = mf_subtests_new();
    g_autoptr(MfKtap) ktap = mf_ktap_new(MF_KTAP_DIALECT_KTAP, found);

    for (int line = 0; line < 100000; line++)
        mf_ktap_feed(ktap, "# noise \xc3\xa9");
    mf_ktap_feed(ktap, "# the cause");
    mf_ktap_feed(ktap, "not ok 1 a");
    mf_ktap_finish(ktap);

    const MfSubtest *test = found->tests->pdata[0];
    g_assert_cmpuint(strlen(test->message), <=, MF_SUBTEST_MESSAGE_MAX);
    g_assert_true(g_str_has_suffix(test->message, "\nthe cause"));
    g_assert_true(g_utf8_validate(test->message, -1, NULL));
}

/* Texts made of what means something to the parser, in an order that means nothing. */
static void
test_hostile_texts_are_survived_within_bounds(void)
{
    static const char *const pieces[] = {
        "ok ",
        "not ok ",
        "1",
        "99999999999999999999",
        " - ",
        "# SKIP",
        "# ",
        "    ",
        "\\#",
        "KTAP version 1",
        "1..",
        "Bail out!",
        "# Subtest: x",
        "---",
        "...",
        "message:",
        "[    1.000000] ",
        "<6>",
        "\xf0\x9f\x92\xa9",
        "\xe2\x80\xae",
        "\xef\xbb\xbf",
        "\t",
        "\n",
    };
    g_autoptr(GRand) random = g_rand_new_with_seed(1);

    for (int i = 0; i < 20000; i++) {
        g_autoptr(GString) text = g_string_new(NULL);
        MfKtapDialect dialect = i % 2 ? MF_KTAP_DIALECT_TAP : MF_KTAP_DIALECT_KTAP;

        for (int piece = g_rand_int_range(random, 1, 60); piece > 0; piece--)
            g_string_append(text, pieces[g_rand_int_range(random, 0, G_N_ELEMENTS(pieces))]);
        g_autofree char *summary = read_text(dialect, text->str);
        g_assert_true(g_utf8_validate(summary, -1, NULL));
        g_assert_cmpuint(strlen(summary), <, 100000);
    }
}

#define ADD(name) g_test_add_func("/ktap/" #name, test_##name)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD(tap_names_statuses_and_directives);
    ADD(tap_without_numbers_and_names_is_numbered);
    ADD(tap_12_has_no_version_and_its_plan_last);
    ADD(a_number_sign_that_is_no_directive_is_of_the_name);
    ADD(a_failure_that_is_skipped_is_a_failure_in_tap);
    ADD(a_plan_that_promised_more_is_a_problem);
    ADD(a_plan_that_promised_less_is_a_problem);
    ADD(tap_without_a_plan_is_a_problem);
    ADD(two_plans_are_a_problem);
    ADD(a_plan_of_nothing_is_nothing);
    ADD(a_number_out_of_order_is_a_problem_in_tap);
    ADD(output_without_any_tap_is_a_problem);
    ADD(a_bail_out_is_a_problem_with_its_reason);
    ADD(the_diagnosis_follows_its_test_in_tap);
    ADD(a_yaml_block_gives_its_message_and_hides_what_is_in_it);
    ADD(a_yaml_block_that_does_not_end_hides_no_test);
    ADD(tap_14_nests);
    ADD(a_nested_plan_that_promised_more_names_the_test);
    ADD(a_todo_excuses_what_is_nested_in_it);
    ADD(a_parent_that_fails_by_itself_is_a_failure);
    ADD(kunits_words_in_the_kernels_log_are_read);
    ADD(every_prefix_of_the_kernels_log_is_passed_over);
    ADD(suites_that_follow_each_other_each_have_their_plan);
    ADD(old_kunit_without_versions_is_read);
    ADD(kselftests_output_is_read);
    ADD(an_expected_failure_is_none);
    ADD(ktap_may_have_no_plan);
    ADD(a_suite_that_the_guests_end_cut_off_is_a_problem);
    ADD(a_lost_line_loses_no_failure);
    ADD(nesting_has_a_limit);
    ADD(a_diagnosis_keeps_its_end);
    ADD(hostile_texts_are_survived_within_bounds);
    return g_test_run();
}
