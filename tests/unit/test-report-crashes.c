/* SPDX-License-Identifier: Apache-2.0 */
#include "report/crashes.h"

/* A suite of cases "a", "b", ... whose kernels said what each text lists: a fingerprint a
 * character, in capitals when it fails the case. "-" was never started. */
typedef struct {
    GPtrArray *cases, *outcomes;
    MfEvent finished;
} Fixture;

static void
add_splat(MfResult *result, char mark)
{
    MfSplat *splat = g_new0(MfSplat, 1);

    splat->kind = MF_SPLAT_OOPS;
    splat->title = g_strdup_printf("oops %c\n", mark);
    splat->report = g_strdup("");
    splat->fingerprint = g_strdup_printf("%c", g_ascii_tolower(mark));
    splat->count = 2;
    splat->fails = g_ascii_isupper(mark);
    g_ptr_array_add(result->splats, splat);
}

static Fixture *
fixture_new(const char *const *said)
{
    Fixture *self = g_new0(Fixture, 1);

    self->cases = g_ptr_array_new_with_free_func((GDestroyNotify)mf_case_free);
    self->outcomes = g_ptr_array_new_with_free_func((GDestroyNotify)mf_outcome_report_free);
    for (guint i = 0; said[i]; i++) {
        MfCase *kase = g_new0(MfCase, 1);
        MfOutcomeReport *outcome = said[i][0] == '-' ? NULL : g_new0(MfOutcomeReport, 1);

        kase->name = g_strdup_printf("%c", (char)('a' + i));
        g_ptr_array_add(self->cases, kase);
        g_ptr_array_add(self->outcomes, outcome);
        if (!outcome)
            continue;
        outcome->result = mf_result_new();
        for (const char *mark = said[i]; *mark; mark++)
            add_splat(outcome->result, *mark);
    }
    self->finished.cases = self->cases;
    self->finished.outcomes = self->outcomes;
    return self;
}

static void
fixture_free(Fixture *self)
{
    g_ptr_array_unref(self->cases);
    g_ptr_array_unref(self->outcomes);
    g_free(self);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Fixture, fixture_free)

static void
assert_crashes(const Fixture *fixture, const char *counts, const char *lines)
{
    g_autoptr(GPtrArray) crashes = mf_crashes_of(&fixture->finished);
    g_autofree char *described = mf_crashes_describe(crashes);
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint i = 0; i < crashes->len; i++) {
        g_autofree char *line = mf_crash_describe(g_ptr_array_index(crashes, i));

        g_string_append_printf(text, "%s|", line);
    }
    g_assert_cmpstr(described, ==, counts);
    g_assert_cmpstr(text->str, ==, lines);
}

static void
test_the_same_crash_of_several_targets_is_one(void)
{
    const char *const said[] = {"X", "", "X", "-", "X", NULL};
    g_autoptr(Fixture) fixture = fixture_new(said);

    assert_crashes(fixture, "1 crash in 3 targets", "oops X : a, c, e|");
}

static void
test_different_crashes_are_told_apart_and_their_targets_counted_once(void)
{
    const char *const said[] = {"XY", "Y", NULL};
    g_autoptr(Fixture) fixture = fixture_new(said);

    assert_crashes(fixture, "2 crashes in 2 targets", "oops X : a|oops Y : a, b|");
}

static void
test_what_fails_nothing_is_no_crash(void)
{
    const char *const said[] = {"x", "", NULL};
    g_autoptr(Fixture) fixture = fixture_new(said);

    assert_crashes(fixture, NULL, "");
}

static void
test_a_crash_counts_how_often_it_was_seen(void)
{
    const char *const said[] = {"X", "X", NULL};
    g_autoptr(Fixture) fixture = fixture_new(said);
    g_autoptr(GPtrArray) crashes = mf_crashes_of(&fixture->finished);

    g_assert_cmpuint(((MfCrash *)crashes->pdata[0])->count, ==, 4);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/crashes/the-same-of-several-targets-is-one",
                    test_the_same_crash_of_several_targets_is_one);
    g_test_add_func("/crashes/different-ones-are-told-apart",
                    test_different_crashes_are_told_apart_and_their_targets_counted_once);
    g_test_add_func("/crashes/what-fails-nothing-is-none", test_what_fails_nothing_is_no_crash);
    g_test_add_func("/crashes/how-often-it-was-seen", test_a_crash_counts_how_often_it_was_seen);
    return g_test_run();
}
