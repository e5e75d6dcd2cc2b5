/* SPDX-License-Identifier: Apache-2.0 */
#include "report/merge.h"

#include <string.h>

#include "base/error.h"
#include "base/fd.h"
#include "report-fixture.h"
#include "report/json.h"
#include "report/junit.h"
#include "wire/json.h"

/* The result of the recorded suite. */
static json_object *
recorded(const ReportFixture *fixture)
{
    mf_autofd fd = report_fixture_open();
    g_autoptr(MfSink) sink = mf_sink_new_fd(fd);
    g_autoptr(MfReportJson) json = mf_report_json_new(sink, fixture->host);
    json_object *document;

    report_fixture_play(fixture, mf_report_json_feed, json);
    g_autofree char *text = report_fixture_read(fd);
    g_assert_true(mf_json_parse(text, strlen(text), G_MAXUINT, &document, NULL));
    return document;
}

static json_object *
member(json_object *object, const char *name)
{
    json_object *value = NULL;

    g_assert_true(json_object_object_get_ex(object, name, &value));
    return value;
}

/* Shard 'index' of 'count' of the recorded suite: every 'count'-th case, and an hour later for each
 * shard. */
static json_object *
part_of(json_object *whole, guint index, guint count)
{
    json_object *part = NULL, *cases = json_object_new_array(), *shard = json_object_new_object();
    json_object *all = member(whole, "cases");
    g_autofree char *started = g_strdup_printf("2026-11-21T%02u:00:00.000Z", 10 + index);

    g_assert_cmpint(json_object_deep_copy(whole, &part, NULL), ==, 0);
    for (gsize i = index - 1; i < json_object_array_length(all); i += count)
        json_object_array_add(cases, json_object_get(json_object_array_get_idx(all, i)));
    json_object_object_add(shard, "index", json_object_new_int64(index));
    json_object_object_add(shard, "count", json_object_new_int64(count));
    json_object_object_add(shard, "targets",
                           json_object_new_int64((gint64)json_object_array_length(all)));
    json_object_object_add(part, "cases", cases);
    json_object_object_add(part, "shard", shard);
    json_object_object_add(part, "started", json_object_new_string(started));
    json_object_object_add(part, "interrupted", NULL);
    return part;
}

static void
add_part(MfMerge *merge, json_object *whole, guint index, guint count)
{
    g_autoptr(json_object) part = part_of(whole, index, count);
    g_autofree char *name = g_strdup_printf("result-%u.json", index);
    g_autoptr(GError) error = NULL;

    mf_merge_add_document(merge, name, part, &error);
    g_assert_no_error(error);
}

static void
assert_checked(MfMerge *merge)
{
    g_autoptr(GError) error = NULL;

    mf_merge_check(merge, &error);
    g_assert_no_error(error);
}

static void
assert_refused(MfMerge *merge, const char *message)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(mf_merge_check(merge, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    if (!g_pattern_match_simple(message, error->message))
        g_error("'%s' is not '%s'.", error->message, message);
}

static json_object *
find_case(json_object *document, const char *id)
{
    json_object *cases = member(document, "cases");

    for (gsize i = 0; i < json_object_array_length(cases); i++) {
        json_object *kase = json_object_array_get_idx(cases, i);

        if (g_str_equal(json_object_get_string(member(kase, "id")), id))
            return kase;
    }
    return NULL;
}

static void
test_shards_become_the_whole_whatever_their_order(void)
{
    g_autoptr(ReportFixture) fixture = report_fixture_new(FALSE);
    g_autoptr(json_object) whole = recorded(fixture);
    g_autoptr(MfMerge) merge = mf_merge_new();

    add_part(merge, whole, 3, 3);
    add_part(merge, whole, 1, 3);
    add_part(merge, whole, 2, 3);
    assert_checked(merge);

    g_autoptr(json_object) merged = mf_merge_to_json(merge, NULL);
    json_object *cases = member(whole, "cases");
    g_assert_cmpstr(json_object_to_json_string(member(merged, "counts")), ==,
                    json_object_to_json_string(member(whole, "counts")));
    g_assert_true(json_object_equal(member(merged, "crashes"), member(whole, "crashes")));
    json_object_object_foreach (whole, name, ignored) {
        (void)ignored;
        g_assert_true(json_object_object_get_ex(merged, name, NULL));
    }
    g_assert_cmpuint(json_object_array_length(member(merged, "cases")), ==,
                     json_object_array_length(cases));
    for (gsize i = 0; i < json_object_array_length(cases); i++) {
        json_object *kase = json_object_array_get_idx(cases, i);
        json_object *found = find_case(merged, json_object_get_string(member(kase, "id")));

        g_assert_nonnull(found);
        /* Of the same suite, but each shard an hour later than the one before. */
        if (member(kase, "started_us"))
            json_object_object_add(
                found, "started_us",
                json_object_new_int64(json_object_get_int64(member(found, "started_us")) -
                                      (gint64)(i % 3) * 3600 * G_USEC_PER_SEC));
        g_assert_true(json_object_equal(kase, found));
    }
    g_assert_null(member(merged, "interrupted"));
    g_assert_null(member(merged, "shard"));
    g_assert_cmpuint(json_object_array_length(member(merged, "shards")), ==, 3);
    g_assert_cmpstr(json_object_get_string(member(merged, "started")), ==,
                    "2026-11-21T11:00:00.000Z");
    g_assert_cmpint(json_object_get_int64(member(merged, "jobs")), ==,
                    3 * json_object_get_int64(member(whole, "jobs")));
    g_assert_cmpint(json_object_get_int64(member(merged, "duration_us")), ==,
                    json_object_get_int64(member(whole, "duration_us")) +
                        G_GINT64_CONSTANT(7200) * G_USEC_PER_SEC);
}

static void
test_members_that_are_not_known_are_kept(void)
{
    g_autoptr(ReportFixture) fixture = report_fixture_new(FALSE);
    g_autoptr(json_object) whole = recorded(fixture);
    g_autoptr(MfMerge) merge = mf_merge_new();
    json_object *first = json_object_array_get_idx(member(whole, "cases"), 0);

    json_object_object_add(first, "of_the_future", json_object_new_string("yes"));
    add_part(merge, whole, 1, 1);
    assert_checked(merge);

    g_autoptr(json_object) merged = mf_merge_to_json(merge, NULL);
    json_object *found = find_case(merged, json_object_get_string(member(first, "id")));
    g_assert_cmpstr(json_object_get_string(member(found, "of_the_future")), ==, "yes");
}

/* What was read back is told as it was when it happened. */
static void
test_a_report_of_what_was_merged_is_that_of_the_suite(void)
{
    g_autoptr(ReportFixture) fixture = report_fixture_new(FALSE);
    g_autoptr(json_object) whole = recorded(fixture);
    g_autoptr(MfMerge) merge = mf_merge_new();
    mf_autofd first_fd = report_fixture_open(), second_fd = report_fixture_open();
    g_autoptr(MfSink) first_sink = mf_sink_new_fd(first_fd);
    g_autoptr(MfSink) second_sink = mf_sink_new_fd(second_fd);
    g_autoptr(MfReportJunit) first = mf_report_junit_new(first_sink, fixture->host);
    g_autoptr(MfReportJunit) second = mf_report_junit_new(second_sink, fixture->host);
    g_autoptr(GError) error = NULL;

    report_fixture_play(fixture, mf_report_junit_feed, first);
    mf_merge_add_document(merge, "result.json", whole, &error);
    g_assert_no_error(error);
    assert_checked(merge);
    mf_merge_play(merge, mf_report_junit_feed, second, &error);
    g_assert_no_error(error);

    g_autofree char *expected = report_fixture_read(first_fd);
    g_autofree char *got = report_fixture_read(second_fd);
    g_assert_cmpstr(got, ==, expected);
}

static void
test_shards_that_are_missing_are_named_in_what_is_written(void)
{
    static const struct {
        guint present[4], count;
        const char *sentence;
    } cases[] = {
        {{1, 2, 4}, 4, "The result of shard 3 of 4 is missing."},
        {{2}, 3, "The result of shards 1, 3 of 3 is missing."},
        {{3},
         14,
         "The result of shards 1, 2, 4, 5, 6, 7, 8, 9, 10, 11 and 3 more of 14 is missing."},
    };
    g_autoptr(ReportFixture) fixture = report_fixture_new(FALSE);
    g_autoptr(json_object) whole = recorded(fixture);

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(MfMerge) merge = mf_merge_new();

        for (gsize j = 0; j < G_N_ELEMENTS(cases[i].present) && cases[i].present[j]; j++)
            add_part(merge, whole, cases[i].present[j], cases[i].count);
        assert_checked(merge);

        g_autoptr(json_object) merged = mf_merge_to_json(merge, NULL);
        g_assert_cmpstr(json_object_get_string(member(merged, "interrupted")), ==,
                        cases[i].sentence);
    }
}

/* As many targets, and other ones: a result of last week's. */
static void
test_a_shard_of_a_suite_with_other_targets_is_refused(void)
{
    static const char *const suites[][2] = {
        {"\"sha256:1\"", "\"sha256:2\""},
        {"\"sha256:1\"", "null"},
    };
    g_autoptr(ReportFixture) fixture = report_fixture_new(FALSE);
    g_autoptr(json_object) whole = recorded(fixture);

    for (gsize i = 0; i < G_N_ELEMENTS(suites); i++) {
        g_autoptr(MfMerge) merge = mf_merge_new();

        for (guint index = 1; index <= 2; index++) {
            g_autoptr(json_object) part = part_of(whole, index, 2);

            json_object_object_add(member(part, "shard"), "suite",
                                   json_tokener_parse(suites[i][index - 1]));
            g_assert_true(mf_merge_add_document(merge, index == 1 ? "a" : "b", part, NULL));
        }
        assert_refused(merge, "'a' and 'b' do not belong together: *different targets. One *");
    }
}

static void
test_a_shard_that_is_there_twice_is_refused(void)
{
    g_autoptr(ReportFixture) fixture = report_fixture_new(FALSE);
    g_autoptr(json_object) whole = recorded(fixture);
    g_autoptr(MfMerge) merge = mf_merge_new();

    add_part(merge, whole, 1, 2);
    add_part(merge, whole, 2, 2);
    add_part(merge, whole, 2, 2);
    assert_refused(merge, "'result-2.json' and 'result-2.json' are both shard 2 of 2*");
}

static void
test_results_that_are_not_of_one_suite_are_refused(void)
{
    g_autoptr(ReportFixture) fixture = report_fixture_new(FALSE);
    g_autoptr(json_object) whole = recorded(fixture);
    g_autoptr(json_object) smaller = NULL, doubled = NULL;
    g_autoptr(MfMerge) counts = mf_merge_new();
    g_autoptr(MfMerge) targets = mf_merge_new();
    g_autoptr(MfMerge) mixed = mf_merge_new();
    g_autoptr(MfMerge) twice = mf_merge_new();
    g_autoptr(MfMerge) none = mf_merge_new();
    g_autoptr(MfMerge) same = mf_merge_new();
    g_autoptr(MfMerge) wrong = mf_merge_new();

    add_part(counts, whole, 1, 2);
    add_part(counts, whole, 2, 3);
    assert_refused(counts, "*one is of 2 shards, the other of 3*");

    g_assert_cmpint(json_object_deep_copy(whole, &smaller, NULL), ==, 0);
    json_object_array_del_idx(member(smaller, "cases"), 0, 1);
    add_part(targets, whole, 1, 2);
    add_part(targets, smaller, 2, 2);
    assert_refused(targets, "*one is of * targets, the other of *");

    add_part(mixed, whole, 1, 2);
    g_assert_true(mf_merge_add_document(mixed, "all.json", whole, NULL));
    assert_refused(mixed, "*do not belong together*");

    g_assert_true(mf_merge_add_document(twice, "a.json", whole, NULL));
    g_assert_true(mf_merge_add_document(twice, "b.json", whole, NULL));
    assert_refused(twice, "The target '*' is in 'a.json' and in 'b.json': only *leave one *");

    g_assert_true(mf_merge_add_document(same, "a.json", whole, NULL));
    g_assert_true(mf_merge_add_document(same, "a.json", whole, NULL));
    assert_refused(same, "'a.json' is named twice: leave it out once.");

    g_assert_cmpint(json_object_deep_copy(whole, &doubled, NULL), ==, 0);
    json_object_array_add(member(doubled, "cases"),
                          json_object_get(json_object_array_get_idx(member(doubled, "cases"), 0)));
    g_assert_true(mf_merge_add_document(wrong, "a.json", doubled, NULL));
    assert_refused(wrong, "'a.json' has the target '*' twice, *");

    assert_refused(none, "There is no result to merge*");
}

static void
test_a_time_that_nothing_can_be_added_to_is_refused(void)
{
    g_autoptr(ReportFixture) fixture = report_fixture_new(FALSE);
    g_autoptr(json_object) whole = recorded(fixture);
    g_autoptr(json_object) endless = NULL;
    g_autoptr(MfMerge) merge = mf_merge_new();
    g_autoptr(GError) of_suite = NULL;
    g_autoptr(GError) of_case = NULL;

    g_assert_cmpint(json_object_deep_copy(whole, &endless, NULL), ==, 0);
    json_object_object_add(endless, "duration_us", json_object_new_int64(G_MAXINT64));
    g_assert_false(mf_merge_add_document(merge, "a.json", endless, &of_suite));
    g_assert_error(of_suite, MF_ERROR, MF_ERROR_CONFIG);

    json_object_object_add(endless, "duration_us", json_object_new_int64(1));
    json_object_object_add(json_object_array_get_idx(member(endless, "cases"), 0), "duration_us",
                           json_object_new_int64(G_MAXINT64));
    g_assert_true(mf_merge_add_document(merge, "a.json", endless, NULL));
    assert_checked(merge);
    g_assert_null(mf_merge_to_json(merge, &of_case));
    g_assert_error(of_case, MF_ERROR, MF_ERROR_CONFIG);
    g_assert_nonnull(strstr(of_case->message, "duration_us"));
}

static void
test_shards_with_fewer_targets_than_there_were_are_refused(void)
{
    g_autoptr(ReportFixture) fixture = report_fixture_new(FALSE);
    g_autoptr(json_object) whole = recorded(fixture);
    g_autoptr(json_object) second = part_of(whole, 2, 2);
    g_autoptr(MfMerge) merge = mf_merge_new();

    json_object_array_del_idx(member(second, "cases"), 0, 1);
    add_part(merge, whole, 1, 2);
    g_assert_true(mf_merge_add_document(merge, "second.json", second, NULL));
    assert_refused(merge, "The shards have * targets together, and there were *");
}

static void
test_results_without_shards_are_joined(void)
{
    g_autoptr(ReportFixture) fixture = report_fixture_new(FALSE);
    g_autoptr(json_object) whole = recorded(fixture);
    g_autoptr(MfMerge) merge = mf_merge_new();

    for (guint index = 1; index <= 2; index++) {
        g_autoptr(json_object) part = part_of(whole, index, 2);

        json_object_object_add(part, "shard", NULL);
        g_assert_true(mf_merge_add_document(merge, "a.json", part, NULL));
    }
    assert_checked(merge);

    g_autoptr(json_object) merged = mf_merge_to_json(merge, NULL);
    g_assert_cmpuint(json_object_array_length(member(merged, "cases")), ==,
                     json_object_array_length(member(whole, "cases")));
    g_assert_null(member(merged, "interrupted"));
}

/* Every member, in its turn, is gone or something else: never a crash, and what is said names the
 * file. */
static void
test_a_damaged_result_is_refused_and_never_more(void)
{
    static const char *const values[] = {"null", "true", "-1", "\"\"", "[]", "{}", "1e300"};
    g_autoptr(ReportFixture) fixture = report_fixture_new(FALSE);
    g_autoptr(json_object) whole = recorded(fixture);
    json_object *pattern = json_object_array_get_idx(member(whole, "cases"), 1);
    guint refused = 0;

    json_object_object_foreach (pattern, name, ignored) {
        (void)ignored;
        for (gsize i = 0; i < G_N_ELEMENTS(values); i++) {
            g_autoptr(json_object) copy = NULL;
            g_autoptr(MfMerge) merge = mf_merge_new();
            g_autoptr(GError) error = NULL;
            mf_autofd fd = report_fixture_open();
            g_autoptr(MfSink) sink = mf_sink_new_fd(fd);
            g_autoptr(MfReportJunit) junit = mf_report_junit_new(sink, fixture->host);

            g_assert_cmpint(json_object_deep_copy(whole, &copy, NULL), ==, 0);
            json_object_object_add(json_object_array_get_idx(member(copy, "cases"), 1), name,
                                   json_tokener_parse(values[i]));
            if (mf_merge_add_document(merge, "bad.json", copy, &error) &&
                mf_merge_check(merge, &error))
                mf_merge_play(merge, mf_report_junit_feed, junit, &error);
            if (!error)
                continue;
            refused++;
            g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
            g_assert_true(g_str_has_suffix(error->message, "."));
        }
    }
    g_assert_cmpuint(refused, >, 50);
}

#define ADD(name, function) g_test_add_func("/report/merge/" name, function)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("shards become the whole, whatever their order",
        test_shards_become_the_whole_whatever_their_order);
    ADD("members that are not known are kept", test_members_that_are_not_known_are_kept);
    ADD("a report of what was merged is that of the suite",
        test_a_report_of_what_was_merged_is_that_of_the_suite);
    ADD("shards that are missing are named in what is written",
        test_shards_that_are_missing_are_named_in_what_is_written);
    ADD("a shard of a suite with other targets is refused",
        test_a_shard_of_a_suite_with_other_targets_is_refused);
    ADD("a shard that is there twice is refused", test_a_shard_that_is_there_twice_is_refused);
    ADD("results that are not of one suite are refused",
        test_results_that_are_not_of_one_suite_are_refused);
    ADD("a time that nothing can be added to is refused",
        test_a_time_that_nothing_can_be_added_to_is_refused);
    ADD("shards with fewer targets than there were are refused",
        test_shards_with_fewer_targets_than_there_were_are_refused);
    ADD("results without shards are joined", test_results_without_shards_are_joined);
    ADD("a damaged result is refused, and never more",
        test_a_damaged_result_is_refused_and_never_more);
    return g_test_run();
}
