/* SPDX-License-Identifier: Apache-2.0 */
#include "run/subtests.h"

#include <string.h>

static void
test_passes_explain_nothing(void)
{
    g_autoptr(MfSubtests) self = mf_subtests_new();

    mf_subtests_add(self, MF_SUBTEST_PASS, "a", NULL);
    mf_subtests_add(self, MF_SUBTEST_SKIP, "b", "no device");
    mf_subtests_add(self, MF_SUBTEST_TODO, "c", "soon");
    g_assert_null(mf_subtests_explain(self));
    g_assert_cmpuint(mf_subtests_get_total(self), ==, 3);
}

static void
test_failures_are_named_up_to_five(void)
{
    g_autoptr(MfSubtests) self = mf_subtests_new();

    mf_subtests_add(self, MF_SUBTEST_PASS, "good", NULL);
    for (int i = 1; i <= 5; i++) {
        g_autofree char *name = g_strdup_printf("t%d", i);

        mf_subtests_add(self, MF_SUBTEST_FAIL, name, NULL);
    }
    g_autofree char *five = mf_subtests_explain(self);
    g_assert_cmpstr(five, ==, "5 of 6 sub-tests failed: 't1', 't2', 't3', 't4', 't5'.");
    mf_subtests_add(self, MF_SUBTEST_FAIL, "t6", NULL);
    g_autofree char *six = mf_subtests_explain(self);
    g_assert_cmpstr(six, ==, "6 of 7 sub-tests failed: 't1', 't2', 't3', 't4', 't5' and 1 more.");
}

static void
test_a_problem_is_said_behind_the_failures(void)
{
    g_autoptr(MfSubtests) self = mf_subtests_new();

    mf_subtests_add(self, MF_SUBTEST_FAIL, "a", NULL);
    mf_subtests_complain(self, "The plan is %s.", "wrong");
    g_autofree char *text = mf_subtests_explain(self);
    g_assert_cmpstr(text, ==, "1 of 1 sub-test failed: 'a'. The plan is wrong.");
}

static void
test_texts_are_made_harmless(void)
{
    g_autoptr(MfSubtests) self = mf_subtests_new();

    mf_subtests_add(self, MF_SUBTEST_FAIL, " \033[31mred\033[0m\nname\xff \a",
                    "one\n\033]0;x\atwo\n");
    const MfSubtest *test = self->tests->pdata[0];
    g_assert_cmpstr(test->name, ==, "red name\xef\xbf\xbd");
    g_assert_cmpstr(test->message, ==, "one\ntwo");
}

static void
test_a_name_is_cut_at_a_character(void)
{
    g_autoptr(MfSubtests) self = mf_subtests_new();
    g_autofree char *fits = g_strnfill(MF_SUBTEST_NAME_MAX, 'x');
    g_autofree char *long_name = g_strconcat(fits + 1, "\xc3\xa9", NULL);

    mf_subtests_add(self, MF_SUBTEST_PASS, fits, NULL);
    mf_subtests_add(self, MF_SUBTEST_PASS, long_name, NULL);
    g_assert_cmpstr(((MfSubtest *)self->tests->pdata[0])->name, ==, fits);
    g_assert_cmpstr(((MfSubtest *)self->tests->pdata[1])->name, ==, fits + 1);
}

static void
test_beyond_the_most_tests_are_only_counted(void)
{
    g_autoptr(MfSubtests) self = mf_subtests_new();

    for (guint i = 0; i <= MF_SUBTESTS_MAX; i++)
        mf_subtests_add(self, i == MF_SUBTESTS_MAX ? MF_SUBTEST_FAIL : MF_SUBTEST_PASS, "x", NULL);
    g_assert_cmpuint(self->tests->len, ==, MF_SUBTESTS_MAX);
    g_assert_cmpuint(mf_subtests_get_total(self), ==, MF_SUBTESTS_MAX + 1);
    g_autofree char *text = mf_subtests_explain(self);
    g_assert_cmpstr(text, ==, "1 of 10001 sub-tests failed.");
}

static void
test_beyond_the_most_bytes_tests_are_only_counted(void)
{
    g_autoptr(MfSubtests) self = mf_subtests_new();
    g_autofree char *message = g_strnfill(MF_SUBTEST_MESSAGE_MAX, 'x');

    for (guint i = 0; i < 2 * MF_SUBTESTS_BYTES_MAX / MF_SUBTEST_MESSAGE_MAX; i++)
        mf_subtests_add(self, MF_SUBTEST_FAIL, "x", message);
    g_assert_cmpuint(self->bytes, <=, MF_SUBTESTS_BYTES_MAX);
    g_assert_cmpuint(self->counts[MF_SUBTEST_FAIL], >, self->tests->len);
}

static void
test_what_is_merged_is_nested(void)
{
    g_autoptr(MfSubtests) self = mf_subtests_new();
    g_autoptr(MfSubtests) inner = mf_subtests_new();

    mf_subtests_add(inner, MF_SUBTEST_FAIL, "b", "why");
    mf_subtests_complain(inner, "No plan.");
    mf_subtests_merge(self, inner, "a");
    g_assert_cmpuint(mf_subtests_get_total(inner), ==, 0);
    g_assert_cmpstr(((MfSubtest *)self->tests->pdata[0])->name, ==, "a/b");
    g_autofree char *text = mf_subtests_explain(self);
    g_assert_cmpstr(text, ==, "1 of 1 sub-test failed: 'a/b'. No plan.");
}

#define ADD(name) g_test_add_func("/subtests/" #name, test_##name)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD(passes_explain_nothing);
    ADD(failures_are_named_up_to_five);
    ADD(a_problem_is_said_behind_the_failures);
    ADD(texts_are_made_harmless);
    ADD(a_name_is_cut_at_a_character);
    ADD(beyond_the_most_tests_are_only_counted);
    ADD(beyond_the_most_bytes_tests_are_only_counted);
    ADD(what_is_merged_is_nested);
    return g_test_run();
}
