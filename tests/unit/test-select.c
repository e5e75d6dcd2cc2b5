/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/select.h"

#include <glib/gstdio.h>
#include <string.h>

#include "base/error.h"
#include "case-fixture.h"

/* The names that are selected, joined by commas. Owned by the caller. */
static char *
select_names(const GPtrArray *cases, const MfSelection *selection)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) selected = mf_select_cases(cases, selection, &error);
    g_autoptr(GString) names = g_string_new(NULL);

    g_assert_no_error(error);
    for (guint i = 0; i < selected->len; i++) {
        const MfCase *the_case = selected->pdata[i];

        g_string_append_printf(names, "%s%s", i ? "," : "", the_case->name);
    }
    return g_string_free(g_steal_pointer(&names), FALSE);
}

#define assert_selected(cases, selection, expected)                                                \
    G_STMT_START                                                                                   \
    {                                                                                              \
        g_autofree char *names_ = select_names(cases, selection);                                  \
        g_assert_cmpstr(names_, ==, expected);                                                     \
    }                                                                                              \
    G_STMT_END

static GPtrArray *
some_cases(void)
{
    GPtrArray *cases = case_array_new();

    case_array_add(cases, "boot [kernel=6.1]", "quick ci");
    case_array_add(cases, "boot [kernel=6.6]", "quick");
    case_array_add(cases, "net", "slow ci");
    case_array_add(cases, "reboot", "");
    return cases;
}

static void
test_no_condition_selects_everything_in_the_files_order(void)
{
    g_autoptr(GPtrArray) cases = some_cases();

    assert_selected(cases, &((MfSelection){0}), "boot [kernel=6.1],boot [kernel=6.6],net,reboot");
}

static void
test_a_filter_matches_anywhere_in_the_name(void)
{
    g_autoptr(GPtrArray) cases = some_cases();

    assert_selected(cases, &((MfSelection){.filter = "oot"}),
                    "boot [kernel=6.1],boot [kernel=6.6],reboot");
    assert_selected(cases, &((MfSelection){.filter = "^boot"}),
                    "boot [kernel=6.1],boot [kernel=6.6]");
    assert_selected(cases, &((MfSelection){.filter = "6\\.6|net"}), "boot [kernel=6.6],net");
    assert_selected(cases, &((MfSelection){.filter = ""}),
                    "boot [kernel=6.1],boot [kernel=6.6],net,reboot");
    assert_selected(cases, &((MfSelection){.filter = "Net"}), "");
}

static void
test_a_filter_that_is_no_regular_expression_is_an_error(void)
{
    g_autoptr(GPtrArray) cases = some_cases();
    g_autoptr(GError) error = NULL;

    g_assert_null(mf_select_cases(cases, &((MfSelection){.filter = "a("}), &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    g_assert_cmpstr(error->message, ==,
                    "The filter 'a(' is not a regular expression: missing terminating ) (at "
                    "character 2).");
}

static void
test_an_exact_filter_selects_one_case_only(void)
{
    g_autoptr(GPtrArray) cases = case_array_new();
    const char *const names[] = {"a [k=6.1]", "a [k=6x1]", "xa [k=6.1]", "a [k=6.1]x", "a+(b)|c"};

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        case_array_add(cases, names[i], "");
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *filter = mf_select_exact_filter(names[i]);

        assert_selected(cases, &((MfSelection){.filter = filter}), names[i]);
    }
}

static void
test_several_tags_select_what_has_any_of_them(void)
{
    g_autoptr(GPtrArray) cases = some_cases();
    const char *const quick[] = {"quick", NULL}, *const two[] = {"slow", "quick", NULL};
    const char *const none[] = {"qui", NULL}, *const empty[] = {NULL};

    assert_selected(cases, &((MfSelection){.tags = quick}), "boot [kernel=6.1],boot [kernel=6.6]");
    assert_selected(cases, &((MfSelection){.tags = two}),
                    "boot [kernel=6.1],boot [kernel=6.6],net");
    assert_selected(cases, &((MfSelection){.tags = none}), "");
    assert_selected(cases, &((MfSelection){.tags = empty}),
                    "boot [kernel=6.1],boot [kernel=6.6],net,reboot");
}

static void
test_filter_and_tags_and_failed_all_have_to_hold(void)
{
    g_autoptr(GPtrArray) cases = some_cases();
    const char *const ci[] = {"ci", NULL};
    const char *const failed[] = {"net", "reboot", "gone-from-the-file", NULL};

    assert_selected(cases, &((MfSelection){.filter = "boot", .tags = ci}), "boot [kernel=6.1]");
    assert_selected(cases, &((MfSelection){.failed = failed}), "net,reboot");
    assert_selected(cases, &((MfSelection){.tags = ci, .failed = failed}), "net");
}

static GPtrArray *
many_cases(guint count)
{
    GPtrArray *cases = case_array_new();

    for (guint i = 0; i < count; i++) {
        g_autofree char *name = g_strdup_printf("case %u", i);

        case_array_add(cases, name, "");
    }
    return cases;
}

/* The shard, from 1, of each case by its index; every case has to be in exactly one. */
static guint *
shards_of(const GPtrArray *cases, guint shards)
{
    guint *found = g_new0(guint, cases->len);

    for (guint shard = 1; shard <= shards; shard++) {
        g_autoptr(GPtrArray) part =
            mf_select_cases(cases, &((MfSelection){.shard = shard, .shards = shards}), NULL);

        for (guint i = 0; i < part->len; i++) {
            guint index = 0;

            g_assert_true(g_ptr_array_find((GPtrArray *)cases, part->pdata[i], &index));
            g_assert_cmpuint(found[index], ==, 0);
            found[index] = shard;
        }
    }
    for (guint i = 0; i < cases->len; i++)
        g_assert_cmpuint(found[i], >, 0);
    return found;
}

static void
test_every_case_is_in_exactly_one_shard_and_shards_differ_by_one_case_at_most(void)
{
    for (guint count = 0; count <= 40; count++) {
        g_autoptr(GPtrArray) cases = many_cases(count);

        for (guint shards = 1; shards <= 9; shards++) {
            g_autofree guint *found = shards_of(cases, shards);
            g_autofree guint *sizes = g_new0(guint, shards + 1);

            for (guint i = 0; i < count; i++)
                sizes[found[i]]++;
            for (guint shard = 1; shard <= shards; shard++) {
                g_assert_cmpuint(sizes[shard], >=, count / shards);
                g_assert_cmpuint(sizes[shard], <=, (count + shards - 1) / shards);
            }
        }
    }
}

static void
test_a_case_that_is_added_moves_few_others_to_another_shard(void)
{
    guint moved = 0, rounds = 0;

    for (guint count = 100; count < 140; count++, rounds++) {
        g_autoptr(GPtrArray) before = many_cases(count), after = many_cases(count + 1);
        g_autofree guint *was = shards_of(before, 4), *is = shards_of(after, 4);

        for (guint i = 0; i < count; i++)
            moved += was[i] != is[i];
    }
    /* Out of more than a hundred each time. */
    g_assert_cmpuint(moved, <=, 4 * rounds);
}

static void
test_the_order_in_the_file_does_not_change_the_shards(void)
{
    g_autoptr(GPtrArray) cases = many_cases(50), reversed = g_ptr_array_new();

    for (guint i = cases->len; i > 0; i--)
        g_ptr_array_add(reversed, cases->pdata[i - 1]);

    g_autofree guint *forth = shards_of(cases, 7), *back = shards_of(reversed, 7);
    for (guint i = 0; i < cases->len; i++)
        g_assert_cmpuint(forth[i], ==, back[cases->len - 1 - i]);
}

static void
test_a_shard_is_a_part_of_what_the_filter_leaves(void)
{
    g_autoptr(GPtrArray) cases = many_cases(30);
    guint total = 0;

    for (guint shard = 1; shard <= 2; shard++) {
        const MfSelection selection = {.filter = "case 1.", .shard = shard, .shards = 2};
        g_autoptr(GPtrArray) part = mf_select_cases(cases, &selection, NULL);

        g_assert_cmpuint(part->len, ==, 5);
        total += part->len;
    }
    g_assert_cmpuint(total, ==, 10);
}

static void
test_a_shard_is_read_strictly(void)
{
    const char *const wrong[] = {"",    "1",    "/",    "1/",    "/2",  "0/2",    "3/2",
                                 "1/0", "-1/2", "1/2 ", "1/2/3", "a/b", "1/1001", "1 / 2"};
    guint shard = 7, shards = 7;

    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *quoted = g_strdup_printf("The shard '%s' is not I/N", wrong[i]);

        g_assert_false(mf_select_parse_shard(wrong[i], &shard, &shards, &error));
        g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
        g_assert_true(g_str_has_prefix(error->message, quoted));
        g_assert_cmpuint(shard + shards, ==, 14);
    }
    g_assert_true(mf_select_parse_shard("2/3", &shard, &shards, NULL));
    g_assert_cmpuint(shard, ==, 2);
    g_assert_cmpuint(shards, ==, 3);
    g_assert_true(mf_select_parse_shard("1000/1000", &shard, &shards, NULL));
    g_assert_cmpuint(shard, ==, MF_SELECT_SHARDS_MAX);
}

static void
test_what_failed_last_is_kept_for_each_config_file(void)
{
    const char *const two[] = {"boot-kernel-6.1-12345678", "net", NULL}, *const none[] = {NULL};
    g_autoptr(GError) error = NULL;

    g_assert_null(mf_select_load_failed("/a/mayfly.toml", &error));
    g_assert_no_error(error);

    g_assert_true(mf_select_save_failed("/a/mayfly.toml", two, NULL, &error));
    g_assert_true(mf_select_save_failed("/b/mayfly.toml", none, NULL, &error));
    g_auto(GStrv) a = mf_select_load_failed("/a/mayfly.toml", &error);
    g_auto(GStrv) b = mf_select_load_failed("/b/mayfly.toml", &error);
    g_assert_no_error(error);
    g_assert_true(g_strv_equal((const char *const *)a, two));
    g_assert_nonnull(b);
    g_assert_cmpuint(g_strv_length(b), ==, 0);

    g_assert_true(mf_select_save_failed("/a/mayfly.toml", none, NULL, &error));
    g_auto(GStrv) passed = mf_select_load_failed("/a/mayfly.toml", &error);
    g_assert_nonnull(passed);
    g_assert_null(passed[0]);
}

static void
test_a_run_of_some_keeps_what_failed_of_the_others(void)
{
    const char *const first[] = {"bad", "worse", NULL}, *const none[] = {NULL};
    const char *const good[] = {"good", NULL}, *const bad[] = {"bad", NULL};
    const char *const worse[] = {"worse", NULL}, *const both[] = {"good", "worse", NULL};
    const char *path = "/some/mayfly.toml";

    g_assert_true(mf_select_save_failed(path, first, NULL, NULL));
    g_assert_true(mf_select_save_failed(path, none, good, NULL));
    g_auto(GStrv) untouched = mf_select_load_failed(path, NULL);
    g_assert_true(g_strv_equal((const char *const *)untouched, first));

    g_assert_true(mf_select_save_failed(path, none, bad, NULL));
    g_auto(GStrv) mended = mf_select_load_failed(path, NULL);
    g_assert_true(g_strv_equal((const char *const *)mended, worse));

    g_assert_true(mf_select_save_failed(path, good, good, NULL));
    g_auto(GStrv) added = mf_select_load_failed(path, NULL);
    g_assert_true(g_strv_equal((const char *const *)added, both));

    g_assert_true(mf_select_save_failed(path, none, NULL, NULL));
    g_auto(GStrv) all = mf_select_load_failed(path, NULL);
    g_assert_cmpuint(g_strv_length(all), ==, 0);
}

static void
test_a_cache_that_cannot_be_written_is_an_error_that_names_it(void)
{
    const char *const none[] = {NULL};
    g_autoptr(GError) saving = NULL, loading = NULL;
    g_autofree char *directory = g_strdup(g_getenv("MAYFLY_CACHE_DIR"));

    g_setenv("MAYFLY_CACHE_DIR", "/dev/null/cache", TRUE);
    g_assert_false(mf_select_save_failed("/a", none, NULL, &saving));
    g_assert_null(mf_select_load_failed("/a", &loading));
    g_setenv("MAYFLY_CACHE_DIR", directory, TRUE);
    g_assert_error(saving, MF_ERROR, MF_ERROR_HOST);
    g_assert_error(loading, MF_ERROR, MF_ERROR_HOST);
    g_assert_nonnull(strstr(saving->message, "/dev/null/cache"));
}

static void
remove_cache(const char *directory)
{
    g_autofree char *failed = g_build_filename(directory, "failed", NULL);
    g_autoptr(GDir) dir = g_dir_open(failed, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(failed, name, NULL);

        g_unlink(path);
    }
    g_rmdir(failed);
    g_assert_cmpint(g_rmdir(directory), ==, 0);
}

static void
assert_explained(const GPtrArray *cases, const MfSelection *selection, const char *expected)
{
    g_autofree char *reason = mf_select_explain_none(cases, selection);

    g_assert_cmpstr(reason, ==, expected);
}

static void
test_why_nothing_is_selected_is_told(void)
{
    const char *const near[] = {"quik", NULL};
    const char *const far[] = {"ci", "nightly", NULL};
    const char *const known[] = {"ci", NULL};
    g_autoptr(GPtrArray) cases = some_cases();
    const char *const nothing[] = {NULL};
    g_autoptr(GPtrArray) untagged = case_array_new();

    case_array_add(untagged, "a", "");
    assert_explained(cases, &((MfSelection){.tags = near}),
                     "none has the tag 'quik' (did you mean 'quick'?).");
    assert_explained(cases, &((MfSelection){.tags = far}),
                     "none has the tag 'nightly'; there is quick, ci, slow.");
    assert_explained(untagged, &((MfSelection){.tags = known}),
                     "none has the tag 'ci', nor any other.");
    assert_explained(cases, &((MfSelection){.tags = known, .filter = "x"}),
                     "none matches ('mayfly test --list' shows them).");
    assert_explained(cases, &((MfSelection){.tags = known, .failed = known}),
                     "of those that failed last, none matches.");
    assert_explained(cases, &((MfSelection){.failed = nothing}),
                     "no target failed when it last ran.");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_autofree char *cache = g_dir_make_tmp("mayfly-select-XXXXXX", NULL);

    g_setenv("MAYFLY_CACHE_DIR", cache, TRUE);
    g_test_add_func("/select/no-condition-selects-everything-in-the-files-order",
                    test_no_condition_selects_everything_in_the_files_order);
    g_test_add_func("/select/a-filter-matches-anywhere-in-the-name",
                    test_a_filter_matches_anywhere_in_the_name);
    g_test_add_func("/select/a-filter-that-is-no-regular-expression-is-an-error",
                    test_a_filter_that_is_no_regular_expression_is_an_error);
    g_test_add_func("/select/an-exact-filter-selects-one-case-only",
                    test_an_exact_filter_selects_one_case_only);
    g_test_add_func("/select/several-tags-select-what-has-any-of-them",
                    test_several_tags_select_what_has_any_of_them);
    g_test_add_func("/select/filter-and-tags-and-failed-all-have-to-hold",
                    test_filter_and_tags_and_failed_all_have_to_hold);
    g_test_add_func("/select/every-case-is-in-exactly-one-shard-and-shards-differ-by-one-at-most",
                    test_every_case_is_in_exactly_one_shard_and_shards_differ_by_one_case_at_most);
    g_test_add_func("/select/a-case-that-is-added-moves-few-others-to-another-shard",
                    test_a_case_that_is_added_moves_few_others_to_another_shard);
    g_test_add_func("/select/the-order-in-the-file-does-not-change-the-shards",
                    test_the_order_in_the_file_does_not_change_the_shards);
    g_test_add_func("/select/a-shard-is-a-part-of-what-the-filter-leaves",
                    test_a_shard_is_a_part_of_what_the_filter_leaves);
    g_test_add_func("/select/a-shard-is-read-strictly", test_a_shard_is_read_strictly);
    g_test_add_func("/select/what-failed-last-is-kept-for-each-config-file",
                    test_what_failed_last_is_kept_for_each_config_file);
    g_test_add_func("/select/a-run-of-some-keeps-what-failed-of-the-others",
                    test_a_run_of_some_keeps_what_failed_of_the_others);
    g_test_add_func("/select/a-cache-that-cannot-be-written-is-an-error-that-names-it",
                    test_a_cache_that_cannot_be_written_is_an_error_that_names_it);
    g_test_add_func("/select/why-nothing-is-selected-is-told",
                    test_why_nothing_is_selected_is_told);

    int status = g_test_run();
    remove_cache(cache);
    return status;
}
