/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/error.h"
#include "run/payload-result.h"
#include "run/payload.h"

static char **
words(const char *text)
{
    return g_strsplit(text, " ", -1);
}

static void
assert_args(const MfStep *step, const MfPayload *payload, const char *expected)
{
    g_autoptr(GPtrArray) args = mf_step_join_args(step, payload);

    g_ptr_array_add(args, NULL);
    g_autofree char *joined = g_strjoinv(" ", (char **)args->pdata);
    g_assert_cmpstr(joined, ==, expected);
}

static void
test_step_args(void)
{
    g_autoptr(MfPayload) payload = mf_payload_new("fio");
    g_autoptr(MfStep) step = mf_step_new(MF_STEP_RUN, 0);

    assert_args(step, payload, "");
    payload->args = words("--size 1M");
    assert_args(step, payload, "--size 1M");
    step->args = words("--rw read");
    assert_args(step, payload, "--size 1M --rw read");
    step->clear_args = TRUE;
    assert_args(step, payload, "--rw read");
}

static void
test_step_checks(void)
{
    static int of_payload, of_step;
    g_autoptr(MfPayload) payload = mf_payload_new("fio");
    g_autoptr(MfStep) step = mf_step_new(MF_STEP_RUN, 0);

    g_ptr_array_add(payload->checks, &of_payload);
    g_autoptr(GPtrArray) alone = mf_step_join_checks(step, payload);
    g_assert_cmpuint(alone->len, ==, 1);

    step->checks = g_ptr_array_new();
    g_ptr_array_add(step->checks, &of_step);
    g_autoptr(GPtrArray) both = mf_step_join_checks(step, payload);
    g_assert_cmpuint(both->len, ==, 2);
    g_assert_true(g_ptr_array_index(both, 0) == &of_payload);
    g_assert_true(g_ptr_array_index(both, 1) == &of_step);

    step->clear_checks = TRUE;
    g_autoptr(GPtrArray) cleared = mf_step_join_checks(step, payload);
    g_assert_cmpuint(cleared->len, ==, 1);
    g_assert_true(g_ptr_array_index(cleared, 0) == &of_step);
}

static GPtrArray *
two_payloads(void)
{
    GPtrArray *payloads = g_ptr_array_new_with_free_func((GDestroyNotify)mf_payload_free);

    g_ptr_array_add(payloads, mf_payload_new("server"));
    g_ptr_array_add(payloads, mf_payload_new("client"));
    return payloads;
}

static void
test_default_steps(void)
{
    g_autoptr(GPtrArray) payloads = two_payloads();

    ((MfPayload *)g_ptr_array_index(payloads, 0))->background = TRUE;
    g_autoptr(GPtrArray) steps = mf_steps_default(payloads);
    const MfStep *first = g_ptr_array_index(steps, 0), *second = g_ptr_array_index(steps, 1);

    g_assert_cmpuint(steps->len, ==, 2);
    g_assert_cmpint(first->kind, ==, MF_STEP_SPAWN);
    g_assert_cmpuint(first->payload, ==, 0);
    g_assert_cmpint(second->kind, ==, MF_STEP_RUN);
    g_assert_cmpuint(second->payload, ==, 1);
}

/* Letters for the steps of the payloads: server in capitals, client in small ones. */
static GPtrArray *
make_steps(const char *letters)
{
    static const char kinds[] = {'r', 's', 'w', 'k', 'z', 'n'};
    GPtrArray *steps = g_ptr_array_new_with_free_func((GDestroyNotify)mf_step_free);

    for (const char *letter = letters; *letter; letter++)
        for (gsize i = 0; i < sizeof(kinds); i++)
            if (kinds[i] == g_ascii_tolower(*letter))
                g_ptr_array_add(steps,
                                mf_step_new((MfStepKind)i, g_ascii_isupper(*letter) ? 0 : 1));
    return steps;
}

static const struct {
    const char *steps;
    const char *refusal; /* NULL: good */
    guint bad;
} sequences[] = {
    {"SrW", NULL, 0},
    {"SWSK", NULL, 0},
    {"SsNnWk", NULL, 0},
    {"Rz", NULL, 0},
    {"SRW", NULL, 0},
    {"W", "'server', which is not spawned", 0},
    {"rN", "'server', which is not spawned", 1},
    {"SWW", "'server', which is already consumed", 2},
    {"SKW", "'server', which is already consumed", 2},
    {"SWN", "'server', which is already consumed", 2},
    {"sSs", "'client', which is spawned already", 2},
};

static void
test_handles_are_consumed_once(void)
{
    g_autoptr(GPtrArray) payloads = two_payloads();

    for (gsize i = 0; i < G_N_ELEMENTS(sequences); i++) {
        g_autoptr(GPtrArray) steps = make_steps(sequences[i].steps);
        g_autoptr(GError) error = NULL;
        guint bad = 0;
        gboolean good = mf_steps_check(steps, payloads, &bad, &error);

        g_assert_cmpint(good, ==, sequences[i].refusal == NULL);
        if (good)
            continue;
        g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
        g_assert_nonnull(strstr(error->message, sequences[i].refusal));
        g_assert_cmpuint(bad, ==, sequences[i].bad);
    }
}

static void
test_output_names(void)
{
    MfPayloadOutput output = MF_PAYLOAD_EXIT_CODE;
    g_autoptr(GError) error = NULL;

    g_assert_true(mf_payload_output_parse("json", &output, &error));
    g_assert_cmpint(output, ==, MF_PAYLOAD_JSON);
    g_assert_false(mf_payload_output_parse("yaml", &output, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
}

static void
test_a_detail_fails(void)
{
    g_autoptr(MfPayloadResult) result = mf_payload_result_new("fio", 3, 1);

    g_assert_true(result->passed);
    mf_payload_result_fail(result, "metric '%s' is missing", "iops");
    g_assert_false(result->passed);
    g_assert_cmpstr(g_ptr_array_index(result->details, 0), ==, "metric 'iops' is missing");
}

static void
add_result(GPtrArray *results, int status, gboolean timed_out, gboolean fails)
{
    MfPayloadResult *result = mf_payload_result_new("work", results->len, 0);

    result->status = status;
    result->timed_out = timed_out;
    if (fails)
        mf_payload_result_fail(result, "It failed.");
    g_ptr_array_add(results, result);
}

static void
test_the_first_failure_is_the_status(void)
{
    g_autoptr(GPtrArray) results =
        g_ptr_array_new_with_free_func((GDestroyNotify)mf_payload_result_free);

    add_result(results, 7, FALSE, FALSE);
    g_assert_cmpint(mf_payload_results_status(results), ==, 0);
    g_assert_null(mf_payload_results_explain(results, 1));
    add_result(results, 0, FALSE, TRUE);
    g_assert_cmpint(mf_payload_results_status(results), ==, 1);
    g_ptr_array_set_size(results, 1);
    add_result(results, 137, TRUE, TRUE);
    g_assert_cmpint(mf_payload_results_status(results), ==, 124);
    g_ptr_array_set_size(results, 1);
    add_result(results, 137, FALSE, TRUE);
    add_result(results, 5, FALSE, TRUE);
    g_assert_cmpint(mf_payload_results_status(results), ==, 137);
}

static void
test_only_a_few_details_are_explained(void)
{
    g_autoptr(GPtrArray) results =
        g_ptr_array_new_with_free_func((GDestroyNotify)mf_payload_result_free);

    for (int i = 0; i < 10; i++)
        add_result(results, 1, FALSE, TRUE);
    g_autofree char *ten = mf_payload_results_explain(results, 1);
    g_assert_true(g_str_has_suffix(ten, "Payload 'work': It failed."));

    add_result(results, 1, FALSE, TRUE);
    add_result(results, 1, FALSE, TRUE);
    g_autofree char *twelve = mf_payload_results_explain(results, 1);
    g_assert_true(g_str_has_prefix(twelve, ten));
    g_assert_cmpstr(twelve + strlen(ten), ==, " 2 more things failed.");
}

static void
test_discarded_output_and_missing_metrics_are_noted(void)
{
    g_autoptr(GPtrArray) results =
        g_ptr_array_new_with_free_func((GDestroyNotify)mf_payload_result_free);
    g_autoptr(GPtrArray) notes = g_ptr_array_new_with_free_func(g_free);

    add_result(results, 0, FALSE, FALSE);
    add_result(results, 0, FALSE, FALSE);
    ((MfPayloadResult *)g_ptr_array_index(results, 1))->bytes[2] = 17 << 20;
    ((MfPayloadResult *)g_ptr_array_index(results, 1))->discarded[2] = 1 << 20;
    ((MfPayloadResult *)g_ptr_array_index(results, 1))->missing = g_strdup("No metrics.");
    mf_payload_results_add_notes(results, notes);
    g_assert_cmpuint(notes->len, ==, 2);
    g_assert_cmpstr(g_ptr_array_index(notes, 1), ==, "No metrics.");
    g_assert_cmpstr(g_ptr_array_index(notes, 0), ==,
                    "Payload 'work' wrote 17.0 MiB to its standard error: the last 1.0 MiB of it "
                    "was not kept.");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/payload/p-1-arguments-append-and-clear-wipes-the-payloads", test_step_args);
    g_test_add_func("/payload/p-2-checks-append-and-clear-wipes-the-payloads", test_step_checks);
    g_test_add_func("/payload/without-steps-each-is-run-or-spawned-in-order", test_default_steps);
    g_test_add_func("/payload/p-18-what-is-spawned-is-consumed-once",
                    test_handles_are_consumed_once);
    g_test_add_func("/payload/an-output-is-exit-code-or-json", test_output_names);
    g_test_add_func("/payload/a-detail-fails-the-payload", test_a_detail_fails);
    g_test_add_func("/payload/the-first-failure-is-the-status",
                    test_the_first_failure_is_the_status);
    g_test_add_func("/payload/only-a-few-details-are-explained",
                    test_only_a_few_details_are_explained);
    g_test_add_func("/payload/p-22-discarded-output-is-noted",
                    test_discarded_output_and_missing_metrics_are_noted);
    return g_test_run();
}
