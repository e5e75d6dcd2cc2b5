/* SPDX-License-Identifier: Apache-2.0 */
#include "run/console-rules.h"

#include <string.h>

#include "base/error.h"

#define SECOND G_USEC_PER_SEC

typedef struct {
    GPtrArray *rules; /* owned; of MfConsoleRule */
    MfConsoleRules *self;
} Fixture;

static void
fixture_clear(Fixture *fixture)
{
    g_clear_pointer(&fixture->self, mf_console_rules_free);
    g_clear_pointer(&fixture->rules, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Fixture, fixture_clear)

static MfConsoleRule *
add_rule(Fixture *fixture)
{
    MfConsoleRule *rule = mf_console_rule_new();

    if (!fixture->rules)
        fixture->rules = g_ptr_array_new_with_free_func((GDestroyNotify)mf_console_rule_free);
    g_ptr_array_add(fixture->rules, rule);
    return rule;
}

static void
begin(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;

    fixture->self = mf_console_rules_new(fixture->rules, 0, &error);
    g_assert_no_error(error);
}

/* One rule with these landmarks, each of which may take ten seconds. */
static void
expect(Fixture *fixture, const char *first, const char *second)
{
    MfConsoleRule *rule = add_rule(fixture);
    const char *const landmarks[] = {first, second, NULL};

    rule->expect = g_strdupv((char **)landmarks);
    rule->timeout_ms = 10000;
    begin(fixture);
}

static MfConsoleState
say(Fixture *fixture, const char *line, gint64 now)
{
    mf_console_rules_feed_line(fixture->self, line, now);
    return mf_console_rules_get_state(fixture->self);
}

/* What is typed for 'text', all at once; "" for nothing. */
static char *
answer(Fixture *fixture, const char *text)
{
    g_autoptr(GBytes) typed = mf_console_rules_answer(fixture->self, text, strlen(text));
    gsize size = 0;
    const char *data = typed ? g_bytes_get_data(typed, &size) : "";

    return g_strndup(data, size);
}

static void
assert_answer(Fixture *fixture, const char *text, const char *expected)
{
    g_autofree char *typed = answer(fixture, text);

    g_assert_cmpstr(typed, ==, expected);
}

static void
test_landmarks_are_met_in_their_order(void)
{
    g_auto(Fixture) fixture = {0};

    expect(&fixture, "grub", "kernel");
    g_assert_cmpint(say(&fixture, "kernel too early", 1), ==, MF_CONSOLE_OPEN);
    g_assert_cmpint(say(&fixture, "shim reached grub", 2), ==, MF_CONSOLE_OPEN);
    g_assert_cmpint(say(&fixture, "the kernel starts", 3), ==, MF_CONSOLE_MET);
}

static void
test_the_same_landmark_twice_needs_two_matches(void)
{
    g_auto(Fixture) fixture = {0};

    expect(&fixture, "boot ok", "boot ok");
    g_assert_cmpint(say(&fixture, "boot ok", 1), ==, MF_CONSOLE_OPEN);
    g_assert_cmpint(say(&fixture, "boot ok", 2), ==, MF_CONSOLE_MET);
}

static void
test_the_next_landmark_may_be_behind_the_last_one_in_its_line(void)
{
    g_auto(Fixture) fixture = {0};
    g_auto(Fixture) reversed = {0};

    expect(&fixture, "one", "two");
    g_assert_cmpint(say(&fixture, "one and two", 1), ==, MF_CONSOLE_MET);
    expect(&reversed, "two", "one");
    g_assert_cmpint(say(&reversed, "one and two", 1), ==, MF_CONSOLE_OPEN);
}

static void
test_the_rules_follow_each_other(void)
{
    g_auto(Fixture) fixture = {0};

    add_rule(&fixture)->expect = g_strsplit("a", " ", -1);
    add_rule(&fixture)->expect = g_strsplit("b", " ", -1);
    begin(&fixture);
    g_assert_cmpint(say(&fixture, "b", 1), ==, MF_CONSOLE_OPEN);
    g_assert_cmpint(say(&fixture, "a", 1), ==, MF_CONSOLE_OPEN);
    g_assert_cmpint(say(&fixture, "b", 1), ==, MF_CONSOLE_MET);
}

static void
test_a_landmarks_time_begins_with_the_one_before_it(void)
{
    g_auto(Fixture) fixture = {0};

    expect(&fixture, "one", "two");
    g_assert_cmpint(mf_console_rules_get_deadline(fixture.self), ==, 10 * SECOND);
    say(&fixture, "one", 4 * SECOND);
    g_assert_cmpint(mf_console_rules_get_deadline(fixture.self), ==, 14 * SECOND);
    mf_console_rules_check_time(fixture.self, 14 * SECOND - 1);
    g_assert_cmpint(mf_console_rules_get_state(fixture.self), ==, MF_CONSOLE_OPEN);
    mf_console_rules_check_time(fixture.self, 14 * SECOND);
    g_assert_cmpint(mf_console_rules_get_state(fixture.self), ==, MF_CONSOLE_LATE);
}

static void
test_being_late_names_the_landmark(void)
{
    g_auto(Fixture) fixture = {0};

    expect(&fixture, "one", "login:");
    say(&fixture, "one", 0);
    mf_console_rules_check_time(fixture.self, 10 * SECOND);
    g_autofree char *message = mf_console_rules_explain(fixture.self);
    g_assert_cmpstr(message, ==,
                    "The console did not say 'login:' (landmark 2 of 2) within 10s of 'one'.");
}

static void
test_what_is_there_counts_when_its_time_is_over(void)
{
    g_auto(Fixture) fixture = {0};

    expect(&fixture, "one", "two");
    say(&fixture, "one two", 60 * SECOND);
    mf_console_rules_check_time(fixture.self, 60 * SECOND);
    g_assert_cmpint(mf_console_rules_get_state(fixture.self), ==, MF_CONSOLE_MET);
}

static void
test_no_limit_is_no_deadline(void)
{
    g_auto(Fixture) fixture = {0};
    MfConsoleRule *rule = add_rule(&fixture);

    rule->expect = g_strsplit("x", " ", -1);
    rule->timeout_ms = 0;
    begin(&fixture);
    g_assert_cmpint(mf_console_rules_get_deadline(fixture.self), ==, -1);
    mf_console_rules_check_time(fixture.self, G_MAXINT64);
    g_assert_cmpint(mf_console_rules_get_state(fixture.self), ==, MF_CONSOLE_OPEN);
}

static void
test_a_forbidden_line_fails_and_stays(void)
{
    g_auto(Fixture) fixture = {0};
    MfConsoleRule *rule = add_rule(&fixture);

    rule->expect = g_strsplit("done", " ", -1);
    rule->fail_on = g_strsplit("BUG:,panic", ",", -1);
    begin(&fixture);
    g_assert_cmpint(say(&fixture, "done", 1), ==, MF_CONSOLE_MET);
    g_assert_cmpint(say(&fixture, "a panic, and BUG: too", 2), ==, MF_CONSOLE_FAILED);
    say(&fixture, "another panic", 3);
    g_autofree char *message = mf_console_rules_explain(fixture.self);
    g_assert_cmpstr(message, ==, "The console said what 'BUG:' forbids: a panic, and BUG: too");
}

static void
test_an_echo_can_fail_but_is_no_landmark(void)
{
    g_auto(Fixture) fixture = {0};
    MfConsoleRule *rule = add_rule(&fixture);

    rule->expect = g_strsplit("done", " ", -1);
    rule->fail_on = g_strsplit("BUG:", ",", -1);
    begin(&fixture);
    mf_console_rules_feed_echo(fixture.self, "done");
    g_assert_cmpint(mf_console_rules_get_state(fixture.self), ==, MF_CONSOLE_OPEN);
    mf_console_rules_feed_echo(fixture.self, "BUG: x");
    g_assert_cmpint(mf_console_rules_get_state(fixture.self), ==, MF_CONSOLE_FAILED);
}

static void
test_a_pattern_that_takes_too_long_breaks_the_rules(void)
{
    g_auto(Fixture) fixture = {0};
    /* Some 2^20 tries: less than what the library itself would put up with. */
    g_autofree char *line = g_strnfill(21, 'a');

    expect(&fixture, "^(a+)+$", "x");
    line[20] = '!';
    g_assert_cmpint(say(&fixture, line, 1), ==, MF_CONSOLE_BROKEN);
    g_autofree char *message = mf_console_rules_explain(fixture.self);
    g_assert_true(g_str_has_prefix(message, "What the console says could not be matched with "
                                            "'^(a+)+$': "));
}

static void
test_a_broken_pattern_is_refused_with_its_position(void)
{
    g_autoptr(GError) error = NULL;
    g_auto(Fixture) fixture = {0};

    add_rule(&fixture)->fail_on = g_strsplit("good,ab[", ",", -1);
    g_assert_null(mf_console_rules_new(fixture.rules, 0, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    g_assert_nonnull(strstr(error->message, "The pattern 'ab[' cannot be used: "));
    g_assert_nonnull(strstr(error->message, "at char 3"));
}

/* The seeds' shell: a login, and a prompt. */
static void
add_login(Fixture *fixture)
{
    MfConsoleRule *rule = add_rule(fixture);

    mf_console_rule_add_answer(rule, "login:", "root\n", 0);
    mf_console_rule_add_answer(rule, "[$#] $", "ls\n", 0);
    begin(fixture);
}

static void
test_q_11_prompts_without_a_newline_are_answered(void)
{
    g_auto(Fixture) fixture = {0};

    add_login(&fixture);
    assert_answer(&fixture, "booting...\n", "");
    assert_answer(&fixture, "login:", "root\n");
    assert_answer(&fixture, "root@host:~$ ", "ls\n");
}

static void
test_q_11_all_prompts_of_one_chunk_are_answered(void)
{
    g_auto(Fixture) fixture = {0};

    add_login(&fixture);
    assert_answer(&fixture, "login: and login: again, then # ", "root\nroot\nls\n");
}

static void
test_q_11_a_prompt_in_pieces_is_answered_once(void)
{
    static const char text[] = "host login: ";
    g_auto(Fixture) fixture = {0};
    g_autoptr(GString) typed = g_string_new(NULL);

    add_login(&fixture);
    for (const char *at = text; *at; at++) {
        g_autofree char *piece = g_strndup(at, 1);
        g_autofree char *part = answer(&fixture, piece);

        g_string_append(typed, part);
    }
    g_assert_cmpstr(typed->str, ==, "root\n");
}

static void
test_a_prompt_behind_a_long_text_in_small_pieces_is_answered(void)
{
    g_auto(Fixture) fixture = {0};

    add_login(&fixture);
    for (int i = 0; i < 1 << 16; i++)
        assert_answer(&fixture, i % 64 == 63 ? "\n" : "x", "");
    assert_answer(&fixture, "login:", "root\n");
}

static void
test_q_11_text_behind_a_match_is_kept(void)
{
    g_auto(Fixture) fixture = {0};

    add_login(&fixture);
    assert_answer(&fixture, "login:log", "root\n");
    assert_answer(&fixture, "in:", "root\n");
}

static void
test_what_was_answered_is_no_prompt_again(void)
{
    g_auto(Fixture) fixture = {0};
    MfConsoleRule *rule = add_rule(&fixture);

    mf_console_rule_add_answer(rule, "name: login:", "a", 0);
    mf_console_rule_add_answer(rule, "login:", "b", 0);
    begin(&fixture);
    assert_answer(&fixture, "name: login:", "a");
    assert_answer(&fixture, " ", "");
}

static void
test_q_11_the_first_rule_is_taken_at_the_earliest_place(void)
{
    g_auto(Fixture) fixture = {0};
    MfConsoleRule *rule = add_rule(&fixture);

    mf_console_rule_add_answer(rule, "password", "late", 0);
    mf_console_rule_add_answer(rule, "user(name)?", "first", 0);
    mf_console_rule_add_answer(rule, "user", "second", 0);
    begin(&fixture);
    assert_answer(&fixture, "username, then password", "firstlate");
}

static void
test_an_answer_with_a_limit_gives_way_to_the_next(void)
{
    g_auto(Fixture) fixture = {0};
    MfConsoleRule *rule = add_rule(&fixture);

    mf_console_rule_add_answer(rule, "# $", "ls\n", 1);
    mf_console_rule_add_answer(rule, "# $", "poweroff\n", 1);
    begin(&fixture);
    assert_answer(&fixture, "# ", "ls\n");
    assert_answer(&fixture, "bin\n# ", "poweroff\n");
    assert_answer(&fixture, "bye\n# ", "");
}

static void
test_binary_bytes_do_not_hide_a_prompt(void)
{
    static const char bytes[] = "\xff\xfe\0\x80login:\xc3";
    g_auto(Fixture) fixture = {0};

    add_login(&fixture);
    g_autoptr(GBytes) typed = mf_console_rules_answer(fixture.self, bytes, sizeof(bytes) - 1);
    g_assert_nonnull(typed);
    g_assert_cmpuint(g_bytes_get_size(typed), ==, 5);
}

static void
test_a_prompt_may_be_as_long_as_the_buffer_and_no_longer(void)
{
    for (gsize over = 0; over <= 1; over++) {
        g_auto(Fixture) fixture = {0};
        MfConsoleRule *rule = add_rule(&fixture);
        /* The prompt's last byte comes when the rest was cut to the buffer's size. */
        g_autofree char *early = g_strnfill(MF_CONSOLE_PROMPT_MAX + 1 - over, '.');
        g_autofree char *late = g_strnfill(MF_CONSOLE_PROMPT_MAX - 1 + over, 'x');

        mf_console_rule_add_answer(rule, "Ax+Z", "found", 0);
        begin(&fixture);
        assert_answer(&fixture, early, "");
        assert_answer(&fixture, "A", "");
        assert_answer(&fixture, late, "");
        assert_answer(&fixture, "Z", over ? "" : "found");
    }
}

static void
test_a_pattern_that_matches_nothing_at_all_answers_nothing(void)
{
    g_auto(Fixture) fixture = {0};
    MfConsoleRule *rule = add_rule(&fixture);

    mf_console_rule_add_answer(rule, "x*", "x", 0);
    begin(&fixture);
    assert_answer(&fixture, "abc", "");
    assert_answer(&fixture, "xxx-x", "xx");
}

/* As patterns, and as what is said. */
static void
test_hostile_strings_are_survived(void)
{
    static const char *const pieces[] = {
        "(",
        ")",
        "[",
        "]",
        "*",
        "+",
        "?",
        "{9,}",
        "|",
        "^",
        "$",
        "\\",
        "\\1",
        ".",
        "(?=",
        "(a+)+",
        "a",
        "aaaaaaaa",
        "(*",
        "\xc3\xa9",
        "\xe2\x80\xae",
        "\xef\xbb\xbf",
        "\n",
        "\r",
        "\t",
        " ",
    };
    g_autoptr(GRand) random = g_rand_new_with_seed(2);
    guint used = 0;

    for (int i = 0; i < 20000; i++) {
        g_auto(Fixture) fixture = {0};
        MfConsoleRule *rule = add_rule(&fixture);
        g_autoptr(GString) text = g_string_new(NULL);

        for (int piece = g_rand_int_range(random, 1, 12); piece > 0; piece--)
            g_string_append(text, pieces[g_rand_int_range(random, 0, G_N_ELEMENTS(pieces))]);
        rule->expect = g_strsplit(text->str, "\x01", -1);
        mf_console_rule_add_answer(rule, text->str, "x", 0);
        fixture.self = mf_console_rules_new(fixture.rules, 0, NULL);
        if (!fixture.self)
            continue;
        used++;
        say(&fixture, text->str, 1);
        g_autofree char *typed = answer(&fixture, text->str);
        g_assert_cmpuint(strlen(typed), <=, text->len);
        say(&fixture, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", 2);
    }
    g_assert_cmpuint(used, >, 1000);
}

#define ADD(name) g_test_add_func("/console-rules/" #name, test_##name)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD(landmarks_are_met_in_their_order);
    ADD(the_same_landmark_twice_needs_two_matches);
    ADD(the_next_landmark_may_be_behind_the_last_one_in_its_line);
    ADD(the_rules_follow_each_other);
    ADD(a_landmarks_time_begins_with_the_one_before_it);
    ADD(being_late_names_the_landmark);
    ADD(what_is_there_counts_when_its_time_is_over);
    ADD(no_limit_is_no_deadline);
    ADD(a_forbidden_line_fails_and_stays);
    ADD(an_echo_can_fail_but_is_no_landmark);
    ADD(a_pattern_that_takes_too_long_breaks_the_rules);
    ADD(a_broken_pattern_is_refused_with_its_position);
    ADD(q_11_prompts_without_a_newline_are_answered);
    ADD(q_11_all_prompts_of_one_chunk_are_answered);
    ADD(q_11_a_prompt_in_pieces_is_answered_once);
    ADD(a_prompt_behind_a_long_text_in_small_pieces_is_answered);
    ADD(q_11_text_behind_a_match_is_kept);
    ADD(what_was_answered_is_no_prompt_again);
    ADD(q_11_the_first_rule_is_taken_at_the_earliest_place);
    ADD(an_answer_with_a_limit_gives_way_to_the_next);
    ADD(binary_bytes_do_not_hide_a_prompt);
    ADD(a_prompt_may_be_as_long_as_the_buffer_and_no_longer);
    ADD(a_pattern_that_matches_nothing_at_all_answers_nothing);
    ADD(hostile_strings_are_survived);
    return g_test_run();
}
