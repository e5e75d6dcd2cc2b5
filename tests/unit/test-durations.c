/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/durations.h"

#include <string.h>

#include "base/error.h"
#include "base/tempdir.h"
#include "case-fixture.h"
#include "suite/select.h"

/* A result in which case "c<i>" took durations[i]; a negative one stands for not run. */
static char *
result_of(const gint64 *durations, guint count)
{
    GString *text = g_string_new("{\"schema_version\": 1, \"kind\": \"suite\", \"cases\": [");

    for (guint i = 0; i < count; i++) {
        if (durations[i] < 0)
            g_string_append_printf(text,
                                   "%s{\"id\": \"c%u\", \"attempts\": 0, \"duration_us\": null}",
                                   i > 0 ? ", " : "", i);
        else
            g_string_append_printf(
                text, "%s{\"id\": \"c%u\", \"attempts\": 1, \"duration_us\": %" G_GINT64_FORMAT "}",
                i > 0 ? ", " : "", i, durations[i]);
    }
    g_string_append(text, "]}");
    return g_string_free(text, FALSE);
}

static MfDurations *
load_text(const char *text, GError **error)
{
    g_autofree char *directory = mf_tempdir_make(NULL);
    g_autofree char *path = g_build_filename(directory, "result.json", NULL);

    g_assert_true(g_file_set_contents(path, text, -1, NULL));
    MfDurations *self = mf_durations_load(path, error);
    mf_tempdir_remove(directory);
    return self;
}

static MfDurations *
durations_of(const gint64 *durations, guint count)
{
    g_autofree char *text = result_of(durations, count);
    g_autoptr(GError) error = NULL;
    MfDurations *self = load_text(text, &error);

    g_assert_no_error(error);
    return self;
}

static GPtrArray *
cases_of(guint count)
{
    GPtrArray *cases = case_array_new();

    for (guint i = 0; i < count; i++) {
        g_autofree char *name = g_strdup_printf("c%u", i);

        case_array_add(cases, name, "");
    }
    return cases;
}

static void
test_shards_take_nearly_as_long_as_the_best_that_can_be_had(void)
{
    enum { COUNT = 60 };
    gint64 durations[COUNT];

    for (guint round = 0; round < 50; round++) {
        g_autoptr(GPtrArray) cases = cases_of(COUNT);
        guint shards = (guint)g_test_rand_int_range(1, 9);
        gint64 sum = 0, longest = 0, most = 0;

        for (guint i = 0; i < COUNT; i++) {
            durations[i] = g_test_rand_int_range(1, 100000);
            sum += durations[i];
            longest = MAX(longest, durations[i]);
        }

        g_autoptr(MfDurations) self = durations_of(durations, COUNT);
        g_autofree guint *parts = mf_durations_share_out(self, cases, shards);
        g_autofree gint64 *sums = g_new0(gint64, shards);
        for (guint i = 0; i < COUNT; i++) {
            g_assert_cmpuint(parts[i], <, shards);
            sums[parts[i]] += durations[i];
            most = MAX(most, sums[parts[i]]);
        }
        /* Nothing is better than the mean or the longest; the longest first is within a third. */
        g_assert_cmpint(most, <=, MAX(sum / shards, longest) * 4 / 3 + 1);
    }
}

static void
test_one_long_case_is_alone_in_its_shard(void)
{
    const gint64 durations[] = {10, 10, 1000, 10, 10, 10};
    g_autoptr(MfDurations) self = durations_of(durations, G_N_ELEMENTS(durations));
    g_autoptr(GPtrArray) cases = cases_of(G_N_ELEMENTS(durations));
    const MfSelection first = {.shard = 1, .shards = 2, .durations = self};
    const MfSelection second = {.shard = 2, .shards = 2, .durations = self};
    g_autoptr(GPtrArray) one = mf_select_cases(cases, &first, NULL);
    g_autoptr(GPtrArray) others = mf_select_cases(cases, &second, NULL);

    g_assert_cmpuint(one->len, ==, 1);
    g_assert_true(one->pdata[0] == cases->pdata[2]);
    g_assert_cmpuint(others->len, ==, 5);
}

static void
test_a_case_that_is_new_or_was_not_run_counts_as_the_median(void)
{
    /* 5, 100 and 200 are known; c3 was not run, and c4 is new: each counts 100. */
    const gint64 durations[] = {5, 100, 200, -1};
    g_autoptr(MfDurations) self = durations_of(durations, G_N_ELEMENTS(durations));
    g_autoptr(GPtrArray) cases = cases_of(5);
    g_autofree guint *parts = mf_durations_share_out(self, cases, 2);

    /* 200 | 100 100; then 100 goes to either side, which has 200 each, and 5 to the other. */
    g_assert_cmpuint(parts[2], ==, 0);
    g_assert_cmpuint(parts[1], ==, 1);
    g_assert_cmpuint(parts[3], ==, 1);
    g_assert_cmpuint(parts[4], ==, 0);
    g_assert_cmpuint(parts[0], ==, 1);
}

static void
test_without_any_duration_the_shards_have_equally_many_cases(void)
{
    g_autoptr(MfDurations) self = durations_of(NULL, 0);
    g_autoptr(GPtrArray) cases = cases_of(12);
    g_autofree guint *parts = mf_durations_share_out(self, cases, 4);
    guint sizes[4] = {0};

    for (guint i = 0; i < 12; i++)
        sizes[parts[i]]++;
    for (guint i = 0; i < 4; i++)
        g_assert_cmpuint(sizes[i], ==, 3);
}

static void
test_the_order_in_the_file_does_not_change_the_shards(void)
{
    const gint64 durations[] = {7, 7, 7, 3, 3, 9};
    g_autoptr(MfDurations) self = durations_of(durations, G_N_ELEMENTS(durations));
    g_autoptr(GPtrArray) cases = cases_of(6);
    g_autoptr(GPtrArray) reversed = g_ptr_array_new();

    for (guint i = cases->len; i > 0; i--)
        g_ptr_array_add(reversed, cases->pdata[i - 1]);

    g_autofree guint *forth = mf_durations_share_out(self, cases, 3);
    g_autofree guint *back = mf_durations_share_out(self, reversed, 3);
    for (guint i = 0; i < 6; i++)
        g_assert_cmpuint(forth[i], ==, back[5 - i]);
}

static void
test_what_is_no_result_of_a_suite_is_refused(void)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "'*' is not a result of a suite, *: it is not whole, or not JSON."},
        {"{", "'*' is not a result of a suite, *: it is not whole, or not JSON."},
        {"{}", "*is not the result of a suite*"},
        {"[]", "*is not the result of a suite*"},
        {"{\"schema_version\": 1, \"kind\": \"case\"}", "*is not the result of a suite*"},
        {"{\"schema_version\": 2, \"kind\": \"suite\", \"cases\": []}", "*version 2*reads 1."},
        {"{\"kind\": \"suite\", \"cases\": []}", "*version*"},
        {"{\"schema_version\": 1, \"kind\": \"suite\"}", "*cases*"},
        {"{\"schema_version\": 1, \"kind\": \"suite\", \"cases\": [5]}", "*cases?0?*"},
        {"{\"schema_version\": 1, \"kind\": \"suite\", \"cases\": [{\"id\": \"a\", \"attempts\": "
         "1, "
         "\"duration_us\": -1}]}",
         "*duration_us*"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(load_text(cases[i].text, &error));
        g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
        if (!g_pattern_match_simple(cases[i].message, error->message))
            g_error("'%s' is not '%s'.", error->message, cases[i].message);
    }

    g_autoptr(GError) error = NULL;
    g_assert_null(mf_durations_load("/nonexistent/result.json", &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_HOST);
}

static void
test_durations_without_end_are_shared_out_too(void)
{
    const gint64 durations[] = {G_MAXINT64, G_MAXINT64, G_MAXINT64, G_MAXINT64};
    g_autoptr(GPtrArray) cases = cases_of(G_N_ELEMENTS(durations));
    g_autoptr(MfDurations) self = durations_of(durations, G_N_ELEMENTS(durations));
    g_autofree guint *parts = mf_durations_share_out(self, cases, 2);

    g_assert_cmpuint(parts[0] + parts[1] + parts[2] + parts[3], ==, 2);
}

#define ADD(name, function) g_test_add_func("/durations/" name, function)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("shards take nearly as long as the best that can be had",
        test_shards_take_nearly_as_long_as_the_best_that_can_be_had);
    ADD("one long case is alone in its shard", test_one_long_case_is_alone_in_its_shard);
    ADD("a case that is new or was not run counts as the median",
        test_a_case_that_is_new_or_was_not_run_counts_as_the_median);
    ADD("without any duration the shards have equally many cases",
        test_without_any_duration_the_shards_have_equally_many_cases);
    ADD("the order in the file does not change the shards",
        test_the_order_in_the_file_does_not_change_the_shards);
    ADD("durations without end are shared out too", test_durations_without_end_are_shared_out_too);
    ADD("what is no result of a suite is refused", test_what_is_no_result_of_a_suite_is_refused);
    return g_test_run();
}
