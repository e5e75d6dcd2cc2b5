/* SPDX-License-Identifier: Apache-2.0 */
#include "run/subtest-reader.h"

#include <string.h>

#include "base/error.h"

typedef struct {
    MfSubtests *found;     /* owned */
    MfSubtestReader *self; /* owned */
} Fixture;

static void
fixture_clear(Fixture *fixture)
{
    g_clear_pointer(&fixture->self, mf_subtest_reader_free);
    g_clear_pointer(&fixture->found, mf_subtests_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Fixture, fixture_clear)

static void
begin(Fixture *fixture, MfSubtestFormat format, const char *const *pass, const char *const *fail)
{
    g_autoptr(GError) error = NULL;

    fixture->found = mf_subtests_new();
    fixture->self = mf_subtest_reader_new(format, pass, fail, fixture->found, &error);
    g_assert_no_error(error);
}

/* "pass a, fail b". Owned by the caller. */
static char *
summarize(const Fixture *fixture)
{
    GString *summary = g_string_new(NULL);

    for (guint i = 0; i < fixture->found->tests->len; i++) {
        const MfSubtest *test = fixture->found->tests->pdata[i];

        g_string_append_printf(summary, "%s%s %s", i ? ", " : "",
                               mf_subtest_status_name(test->status), test->name);
    }
    return g_string_free(summary, FALSE);
}

static void
assert_lines(const char *text, const char *expected)
{
    g_auto(Fixture) fixture = {0};

    begin(&fixture, MF_SUBTEST_FORMAT_LINES, NULL, NULL);
    mf_subtest_reader_feed(fixture.self, text, strlen(text));
    mf_subtest_reader_finish(fixture.self);
    g_autofree char *summary = summarize(&fixture);
    g_assert_cmpstr(summary, ==, expected);
    g_assert_cmpuint(fixture.found->problems->len, ==, 0);
}

static void
test_the_usual_lines_are_known(void)
{
    assert_lines("[PASS] a\n[OK] b\n[PASSED] c\n", "pass a, pass b, pass c");
    assert_lines("[FAIL] a\n[FAILED] b\n[ERROR] c\n", "fail a, fail b, fail c");
    assert_lines("noise\n[PASS]\nPASS x\n", "");
}

static void
test_escapes_and_line_ends_do_not_matter(void)
{
    assert_lines("\033[32m[PASS]\033[0m  a name \r\n[FAIL] last", "pass a name, fail last");
}

static void
test_a_pass_is_tried_first(void)
{
    assert_lines("[PASS] [FAIL] x\n", "pass [FAIL] x");
}

static void
test_patterns_of_ones_own_go_before_the_usual_ones(void)
{
    static const char *const pass[] = {"^(\\w+) \\.\\.\\. ok$", "^all good$", NULL};
    g_auto(Fixture) fixture = {0};
    static const char text[] = "one ... ok\nall good\n[PASS] x\n[FAIL] y\n";

    begin(&fixture, MF_SUBTEST_FORMAT_LINES, pass, NULL);
    mf_subtest_reader_feed(fixture.self, text, strlen(text));
    mf_subtest_reader_finish(fixture.self);
    g_autofree char *summary = summarize(&fixture);
    g_assert_cmpstr(summary, ==, "pass one, pass all good, fail y");
}

static void
test_a_line_may_come_in_pieces(void)
{
    static const char text[] = "TAP version 13\n1..1\nnot ok 1 - caf\xc3\xa9\n";
    g_auto(Fixture) fixture = {0};

    begin(&fixture, MF_SUBTEST_FORMAT_TAP, NULL, NULL);
    for (const char *at = text; *at; at++)
        mf_subtest_reader_feed(fixture.self, at, 1);
    mf_subtest_reader_finish(fixture.self);
    g_autofree char *summary = summarize(&fixture);
    g_assert_cmpstr(summary, ==, "fail caf\xc3\xa9");
    g_assert_cmpuint(fixture.found->problems->len, ==, 0);
}

static void
test_what_a_line_has_beyond_its_limit_is_left_out(void)
{
    g_auto(Fixture) fixture = {0};
    g_autofree char *blank = g_strnfill(MF_SUBTEST_LINE_MAX - 8, ' ');
    static const char *const whole[] = {"(name)$", NULL};

    begin(&fixture, MF_SUBTEST_FORMAT_LINES, whole, NULL);
    for (int i = 0; i < 2; i++) {
        mf_subtest_reader_feed(fixture.self, blank, strlen(blank));
        mf_subtest_reader_feed(fixture.self, i ? "12345name" : "1234name", i ? 9 : 8);
        mf_subtest_reader_feed(fixture.self, "\n", 1);
    }
    g_assert_cmpuint(fixture.found->counts[MF_SUBTEST_PASS], ==, 1);
}

static void
test_what_cannot_be_matched_is_no_pass(void)
{
    static const char *const fail[] = {"^(a+)+$", NULL};
    g_auto(Fixture) fixture = {0};
    g_autofree char *line = g_strnfill(400, 'a');

    line[399] = '!';
    begin(&fixture, MF_SUBTEST_FORMAT_LINES, NULL, fail);
    mf_subtest_reader_feed_line(fixture.self, line);
    g_autofree char *text = mf_subtests_explain(fixture.found);
    g_assert_true(g_str_has_prefix(text, "A line could not be matched with '^(a+)+$': "));
}

static void
test_a_broken_pattern_is_refused(void)
{
    static const char *const pass[] = {"(", NULL};
    g_autoptr(MfSubtests) found = mf_subtests_new();
    g_autoptr(GError) error = NULL;

    g_assert_null(mf_subtest_reader_new(MF_SUBTEST_FORMAT_LINES, pass, NULL, found, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
}

static void
test_formats_have_names(void)
{
    static const char *const names[] = {"none", "tap", "ktap", "lines"};
    g_autoptr(GError) error = NULL;
    MfSubtestFormat format;

    for (MfSubtestFormat each = 0; each < G_N_ELEMENTS(names); each++) {
        g_assert_true(mf_subtest_format_parse(names[each], &format, NULL));
        g_assert_cmpint(format, ==, each);
    }
    g_assert_false(mf_subtest_format_parse("subunit", &format, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
}

#define ADD(name) g_test_add_func("/subtest-reader/" #name, test_##name)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD(the_usual_lines_are_known);
    ADD(escapes_and_line_ends_do_not_matter);
    ADD(a_pass_is_tried_first);
    ADD(patterns_of_ones_own_go_before_the_usual_ones);
    ADD(a_line_may_come_in_pieces);
    ADD(what_a_line_has_beyond_its_limit_is_left_out);
    ADD(what_cannot_be_matched_is_no_pass);
    ADD(a_broken_pattern_is_refused);
    ADD(formats_have_names);
    return g_test_run();
}
