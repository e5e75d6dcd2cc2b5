/* SPDX-License-Identifier: Apache-2.0 */
#include "run/splat-policy.h"

#include <glib/gstdio.h>

#include "base/error.h"
#include "base/tempdir.h"

static char *directory;

/* A file with 'text' in it. Owned by the caller. */
static char *
write_patterns(const char *name, const char *text)
{
    char *path = g_build_filename(directory, name, NULL);

    g_assert_true(g_file_set_contents(path, text, -1, NULL));
    return path;
}

static MfSplatRule
judge(const MfSplatPolicy *policy, MfSplatKind kind, const char *title)
{
    MfSplat splat = {.kind = kind, .title = (char *)title};

    return mf_splat_policy_judge(policy, &splat);
}

static void
test_by_default_a_broken_kernel_fails_and_a_warning_is_told(void)
{
    static const struct {
        MfSplatKind kind;
        MfSplatRule rule;
    } rows[] = {
        {MF_SPLAT_PANIC, MF_SPLAT_RULE_FAIL},       {MF_SPLAT_OOPS, MF_SPLAT_RULE_FAIL},
        {MF_SPLAT_BUG, MF_SPLAT_RULE_FAIL},         {MF_SPLAT_KASAN, MF_SPLAT_RULE_FAIL},
        {MF_SPLAT_KFENCE, MF_SPLAT_RULE_FAIL},      {MF_SPLAT_KCSAN, MF_SPLAT_RULE_FAIL},
        {MF_SPLAT_UBSAN, MF_SPLAT_RULE_FAIL},       {MF_SPLAT_LOCKDEP, MF_SPLAT_RULE_FAIL},
        {MF_SPLAT_HARD_LOCKUP, MF_SPLAT_RULE_FAIL}, {MF_SPLAT_SOFT_LOCKUP, MF_SPLAT_RULE_WARN},
        {MF_SPLAT_RCU_STALL, MF_SPLAT_RULE_WARN},   {MF_SPLAT_HUNG_TASK, MF_SPLAT_RULE_WARN},
        {MF_SPLAT_WARNING, MF_SPLAT_RULE_WARN},     {MF_SPLAT_OOM, MF_SPLAT_RULE_WARN},
    };

    G_STATIC_ASSERT(G_N_ELEMENTS(rows) == MF_N_SPLATS);
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
        g_assert_cmpint(judge(NULL, rows[i].kind, "x"), ==, rows[i].rule);
}

static void
test_a_rule_is_for_all_kinds(void)
{
    for (MfSplatRule rule = MF_SPLAT_RULE_FAIL; rule <= MF_SPLAT_RULE_IGNORE; rule++) {
        g_autoptr(MfSplatPolicy) policy = mf_splat_policy_new(rule, NULL, NULL, NULL);

        g_assert_cmpint(judge(policy, MF_SPLAT_PANIC, "x"), ==, rule);
        g_assert_cmpint(judge(policy, MF_SPLAT_WARNING, "x"), ==, rule);
    }
}

static void
test_deny_goes_before_allow_and_both_before_the_rule(void)
{
    g_autofree char *allow = write_patterns("allow", "# known\n\nprobe_(it|at)\\+0x\nslab\n");
    g_autofree char *deny = write_patterns("deny", "slab-out\r\n");
    g_autoptr(MfSplatPolicy) policy = mf_splat_policy_new(MF_SPLAT_RULE_DEFAULT, allow, deny, NULL);

    g_assert_nonnull(policy);
    g_assert_cmpint(judge(policy, MF_SPLAT_BUG, "BUG in probe_at+0x1"), ==, MF_SPLAT_RULE_IGNORE);
    g_assert_cmpint(judge(policy, MF_SPLAT_BUG, "BUG in probe_xt+0x1"), ==, MF_SPLAT_RULE_FAIL);
    g_assert_cmpint(judge(policy, MF_SPLAT_WARNING, "slab-out-of-bounds"), ==, MF_SPLAT_RULE_FAIL);
    g_assert_cmpint(judge(policy, MF_SPLAT_KASAN, "slab-use"), ==, MF_SPLAT_RULE_IGNORE);
    g_assert_cmpint(judge(policy, MF_SPLAT_WARNING, "# known"), ==, MF_SPLAT_RULE_WARN);
}

static void
assert_refused(const char *allow, const char *deny, const char *words)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MfSplatPolicy) policy =
        mf_splat_policy_new(MF_SPLAT_RULE_DEFAULT, allow, deny, &error);

    g_assert_null(policy);
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    g_test_message("%s", error->message);
    g_assert_nonnull(g_strrstr(error->message, words));
}

static void
test_a_missing_or_broken_file_fails_closed(void)
{
    g_autofree char *missing = g_build_filename(directory, "missing", NULL);
    g_autofree char *broken = write_patterns("broken", "# one\ngood\nbad(\n");
    g_autofree char *large = g_strnfill(MF_SPLAT_PATTERN_FILE_MAX + 1, 'x');
    g_autofree char *too_large = write_patterns("large", large);

    assert_refused(missing, NULL, "missing");
    assert_refused(NULL, missing, "missing");
    assert_refused(NULL, directory, directory);
    assert_refused(broken, NULL, "broken:3: 'bad('");
    assert_refused(too_large, NULL, "1 MiB");
}

/* The splats of a run, one of each kind. Owned by the caller. */
static GPtrArray *
make_splats(const MfSplatKind *kinds, gsize n)
{
    GPtrArray *splats = g_ptr_array_new_with_free_func((GDestroyNotify)mf_splat_free);

    for (gsize i = 0; i < n; i++) {
        MfSplat *splat = g_new0(MfSplat, 1);

        splat->kind = kinds[i];
        splat->title = g_strdup(mf_splat_kind_name(kinds[i]));
        g_ptr_array_add(splats, splat);
    }
    return splats;
}

static void
test_a_broken_kernel_overrules_the_command(void)
{
    static const MfSplatKind kinds[] = {MF_SPLAT_WARNING, MF_SPLAT_OOPS, MF_SPLAT_KASAN};
    g_autoptr(MfResult) result = mf_result_new();

    result->passed = TRUE;
    mf_splat_policy_apply(NULL, make_splats(kinds, G_N_ELEMENTS(kinds)), result);
    g_assert_cmpint(result->verdict, ==, MF_VERDICT_CRASHED);
    g_assert_false(result->passed);
    g_assert_true(g_str_has_suffix(result->message, ": oops"));
    g_assert_cmpuint(result->splats->len, ==, 3);
    g_assert_cmpuint(result->notes->len, ==, 1);
}

static void
test_a_warning_is_told_and_changes_nothing(void)
{
    static const MfSplatKind kinds[] = {MF_SPLAT_WARNING};
    g_autoptr(MfResult) result = mf_result_new();

    result->status = 42;
    mf_splat_policy_apply(NULL, make_splats(kinds, 1), result);
    g_assert_cmpint(result->verdict, ==, MF_VERDICT_EXITED);
    g_assert_cmpint(result->status, ==, 42);
    g_assert_null(result->message);
    g_assert_cmpstr(result->notes->pdata[0], ==, "The guest's kernel warned: warning");
}

static void
test_what_is_ignored_is_not_told(void)
{
    static const MfSplatKind kinds[] = {MF_SPLAT_OOPS, MF_SPLAT_WARNING};
    g_autoptr(MfSplatPolicy) policy = mf_splat_policy_new(MF_SPLAT_RULE_IGNORE, NULL, NULL, NULL);
    g_autoptr(MfResult) result = mf_result_new();

    result->passed = TRUE;
    mf_splat_policy_apply(policy, make_splats(kinds, 2), result);
    g_assert_true(result->passed);
    g_assert_cmpuint(result->splats->len, ==, 0);
    g_assert_cmpuint(result->notes->len, ==, 0);
}

static void
test_a_run_that_was_cancelled_stays_so(void)
{
    static const MfSplatKind kinds[] = {MF_SPLAT_OOPS};
    g_autoptr(MfResult) result = mf_result_new();

    result->verdict = MF_VERDICT_CANCELLED;
    mf_splat_policy_apply(NULL, make_splats(kinds, 1), result);
    g_assert_cmpint(result->verdict, ==, MF_VERDICT_CANCELLED);
    g_assert_cmpuint(result->splats->len, ==, 1);
}

static void
test_rules_have_names(void)
{
    MfSplatRule rule = MF_SPLAT_RULE_DEFAULT;
    g_autoptr(GError) error = NULL;

    g_assert_true(mf_splat_rule_parse("ignore", &rule, NULL));
    g_assert_cmpint(rule, ==, MF_SPLAT_RULE_IGNORE);
    g_assert_false(mf_splat_rule_parse("Fail", &rule, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    directory = mf_tempdir_make(NULL);
    g_test_add_func("/splat-policy/by-default-a-broken-kernel-fails-and-a-warning-is-told",
                    test_by_default_a_broken_kernel_fails_and_a_warning_is_told);
    g_test_add_func("/splat-policy/a-rule-is-for-all-kinds", test_a_rule_is_for_all_kinds);
    g_test_add_func("/splat-policy/deny-goes-before-allow-and-both-before-the-rule",
                    test_deny_goes_before_allow_and_both_before_the_rule);
    g_test_add_func("/splat-policy/a-missing-or-broken-file-fails-closed",
                    test_a_missing_or_broken_file_fails_closed);
    g_test_add_func("/splat-policy/a-broken-kernel-overrules-the-command",
                    test_a_broken_kernel_overrules_the_command);
    g_test_add_func("/splat-policy/a-warning-is-told-and-changes-nothing",
                    test_a_warning_is_told_and_changes_nothing);
    g_test_add_func("/splat-policy/what-is-ignored-is-not-told", test_what_is_ignored_is_not_told);
    g_test_add_func("/splat-policy/a-run-that-was-cancelled-stays-so",
                    test_a_run_that_was_cancelled_stays_so);
    g_test_add_func("/splat-policy/rules-have-names", test_rules_have_names);
    int status = g_test_run();
    mf_tempdir_remove(directory);
    g_free(directory);
    return status;
}
