/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/error.h"
#include "run/check.h"
#include "run/invocation.h"
#include "run/metric.h"
#include "wire/guest-protocol.h"

typedef struct {
    MfPayload *payload;
    GPtrArray *checks;
    MfInvocation *invocation;
} Fixture;

static void
set_up(Fixture *self, gconstpointer unused)
{
    self->payload = mf_payload_new("work");
    self->checks = g_ptr_array_new_with_free_func((GDestroyNotify)mf_check_free);
}

static void
start(Fixture *self)
{
    self->invocation = mf_invocation_new(self->payload, self->checks, 3, 1);
}

static void
tear_down(Fixture *self, gconstpointer unused)
{
    mf_invocation_free(self->invocation);
    g_ptr_array_unref(self->checks);
    mf_payload_free(self->payload);
}

static gboolean
write_text(Fixture *self, int fd, const char *text)
{
    g_autoptr(GBytes) chunk = g_bytes_new(text, strlen(text));

    return mf_invocation_take_output(self->invocation, fd, chunk);
}

static void
end_outputs(Fixture *self)
{
    g_assert_true(write_text(self, 1, ""));
    g_assert_true(write_text(self, 2, ""));
}

/* A report with that end and the counts of what was written to stdout. */
static gboolean
report(Fixture *self, const char *end, gsize out, GError **error)
{
    g_autofree char *json =
        g_strdup_printf("{%s, \"timed-out\": false, \"killed\": false, \"duration-us\": 1500, "
                        "\"stdout\": {\"bytes\": %zu, \"discarded\": 0}, "
                        "\"stderr\": {\"bytes\": 0, \"discarded\": 0}}",
                        end, out);
    g_autoptr(GBytes) bytes = g_bytes_new(json, strlen(json));

    return mf_invocation_take_end(self->invocation, bytes, error);
}

static gboolean
take_json(Fixture *self, const char *json, GError **error)
{
    g_autoptr(GBytes) bytes = g_bytes_new(json, strlen(json));

    return mf_invocation_take_end(self->invocation, bytes, error);
}

static const char *
get_detail(const MfPayloadResult *result, guint index)
{
    return index < result->details->len ? g_ptr_array_index(result->details, index) : NULL;
}

static void
test_an_exit(Fixture *self, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;

    start(self);
    g_assert_true(write_text(self, 1, "hello"));
    end_outputs(self);
    g_assert_true(report(self, "\"status\": 0", 5, &error));
    g_assert_no_error(error);

    g_autoptr(MfPayloadResult) result = mf_invocation_conclude(self->invocation);
    g_assert_true(result->passed && result->ended);
    g_assert_cmpstr(result->name, ==, "work");
    g_assert_cmpuint(result->index, ==, 3);
    g_assert_cmpuint(result->repetition, ==, 1);
    g_assert_cmpint(result->status, ==, 0);
    g_assert_cmpint(result->duration_us, ==, 1500);
    g_assert_cmpuint(result->bytes[1], ==, 5);
    g_assert_cmpstr(result->stdout_tail, ==, "hello");
    g_assert_cmpstr(result->stderr_tail, ==, "");
}

static void
test_without_checks_it_has_to_exit_with_0(Fixture *self, gconstpointer unused)
{
    start(self);
    end_outputs(self);
    g_assert_true(report(self, "\"status\": 3", 0, NULL));

    g_autoptr(MfPayloadResult) result = mf_invocation_conclude(self->invocation);
    g_assert_false(result->passed);
    g_assert_cmpint(result->status, ==, 3);
    g_assert_nonnull(strstr(get_detail(result, 0), "exited with code 3"));
}

static void
test_a_signal_is_128_plus_n(Fixture *self, gconstpointer unused)
{
    start(self);
    end_outputs(self);
    g_assert_true(report(self, "\"signal\": 11", 0, NULL));

    g_autoptr(MfPayloadResult) result = mf_invocation_conclude(self->invocation);
    g_assert_false(result->passed);
    g_assert_cmpint(result->status, ==, 139);
    g_assert_cmpint(result->signal_number, ==, 11);
    g_assert_nonnull(strstr(get_detail(result, 0), "killed by signal 11 (Segmentation fault)"));
}

static void
test_an_expected_exit_code_passes(Fixture *self, gconstpointer unused)
{
    g_ptr_array_add(self->checks, mf_check_new_exit_code(139));
    start(self);
    end_outputs(self);
    g_assert_true(report(self, "\"signal\": 11", 0, NULL));

    g_autoptr(MfPayloadResult) result = mf_invocation_conclude(self->invocation);
    g_assert_true(result->passed);
}

static const char timed_out[] =
    "{\"signal\": 9, \"timed-out\": true, \"killed\": false, \"duration-us\": 1, "
    "\"stdout\": {\"bytes\": 7, \"discarded\": 0}, \"stderr\": {\"bytes\": 0, \"discarded\": 0}}";

static void
test_a_timeout_keeps_the_output_and_fails(Fixture *self, gconstpointer unused)
{
    start(self);
    write_text(self, 1, "partial");
    end_outputs(self);
    g_assert_true(take_json(self, timed_out, NULL));

    g_autoptr(MfPayloadResult) result = mf_invocation_conclude(self->invocation);
    g_assert_true(result->timed_out);
    g_assert_false(result->passed);
    g_assert_cmpstr(result->stdout_tail, ==, "partial");
    g_assert_cmpint(result->status, ==, 137);
    /* Not for its exit code as well, which was our doing. */
    g_assert_cmpuint(result->details->len, ==, 1);
}

static void
test_what_was_killed_for_its_time_is_not_judged_by_its_exit_code(Fixture *self,
                                                                 gconstpointer unused)
{
    g_ptr_array_add(self->checks, mf_check_new_exit_code(0));
    g_ptr_array_add(self->checks, mf_check_new_exit_code(137));
    g_ptr_array_add(self->checks, mf_check_new_exists("cgroup.cpu.stat.usage_usec"));
    start(self);
    write_text(self, 1, "partial");
    end_outputs(self);
    g_assert_true(take_json(self, timed_out, NULL));

    g_autoptr(MfPayloadResult) result = mf_invocation_conclude(self->invocation);
    g_assert_cmpuint(result->details->len, ==, 2);
    g_assert_cmpstr(get_detail(result, 0), ==, "It was killed, since its time was over.");
    /* Its metrics are judged still. */
    g_assert_nonnull(strstr(get_detail(result, 1), "was not found"));
}

static const char killed[] =
    "{\"signal\": 9, \"timed-out\": false, \"killed\": true, \"duration-us\": 1, "
    "\"stdout\": {\"bytes\": 0, \"discarded\": 0}, \"stderr\": {\"bytes\": 0, \"discarded\": 0}}";

static void
test_what_a_step_has_killed_for_its_time_timed_out(Fixture *self, gconstpointer unused)
{
    g_ptr_array_add(self->checks, mf_check_new_exit_code(0));
    start(self);
    end_outputs(self);
    mf_invocation_expire(self->invocation);
    g_assert_true(take_json(self, killed, NULL));

    g_autoptr(MfPayloadResult) result = mf_invocation_conclude(self->invocation);
    g_assert_true(result->timed_out);
    g_assert_cmpuint(result->details->len, ==, 1);
    g_assert_cmpstr(get_detail(result, 0), ==, "It was killed, since its time was over.");
}

/* It was faster than the word to kill it. */
static void
test_what_ended_by_itself_when_its_time_was_over_is_judged_by_that(Fixture *self,
                                                                   gconstpointer unused)
{
    start(self);
    end_outputs(self);
    mf_invocation_expire(self->invocation);
    g_assert_true(report(self, "\"status\": 0", 0, NULL));

    g_autoptr(MfPayloadResult) result = mf_invocation_conclude(self->invocation);
    g_assert_true(result->passed && !result->timed_out);
}

static void
test_killed_at_our_word_is_no_failure(Fixture *self, gconstpointer unused)
{
    start(self);
    end_outputs(self);
    g_assert_true(take_json(self, killed, NULL));

    g_autoptr(MfPayloadResult) result = mf_invocation_conclude(self->invocation);
    g_assert_true(result->killed && result->passed);
}

static void
test_what_could_not_be_started_fails(Fixture *self, gconstpointer unused)
{
    start(self);
    g_assert_true(take_json(self, "{\"error\": \"No \\u001b[31mprogram\"}", NULL));

    g_autoptr(MfPayloadResult) result = mf_invocation_conclude(self->invocation);
    g_assert_true(result->ended);
    g_assert_false(result->passed);
    g_assert_cmpint(result->status, ==, MF_EXIT_CANNOT_EXECUTE);
    g_assert_cmpstr(get_detail(result, 0), ==, "It could not be started: No program.");
}

static void
test_no_end_is_no_pass(Fixture *self, gconstpointer unused)
{
    start(self);
    write_text(self, 1, "so far");

    g_autoptr(MfPayloadResult) result = mf_invocation_conclude(self->invocation);
    g_assert_false(result->ended || result->passed);
    g_assert_cmpstr(result->stdout_tail, ==, "so far");
    g_assert_cmpuint(result->bytes[1], ==, 6);
}

static void
test_metrics_that_did_not_come_are_noted(Fixture *self, gconstpointer unused)
{
    static const struct {
        const char *text, *note;
    } cases[] = {
        {"done", "Payload 'work' gave no metrics: its output has no JSON with a number in it."},
        {"{\"a\":1}", "Payload 'work' gave no metric 'iops'."},
        {"{\"iops\":1}", NULL},
    };

    self->payload->output = MF_PAYLOAD_JSON;
    g_ptr_array_set_free_func(self->payload->hints, (GDestroyNotify)mf_metric_hint_free);
    g_ptr_array_add(self->payload->hints, mf_metric_hint_new("iops", "1/s", MF_POLARITY_HIGHER));
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_clear_pointer(&self->invocation, mf_invocation_free);
        start(self);
        write_text(self, 1, cases[i].text);
        end_outputs(self);
        g_assert_true(report(self, "\"status\": 0", strlen(cases[i].text), NULL));
        g_autoptr(MfPayloadResult) result = mf_invocation_conclude(self->invocation);
        g_assert_true(result->passed);
        g_assert_cmpstr(result->missing, ==, cases[i].note);
    }
}

static void
test_metrics_are_read_and_checked(Fixture *self, gconstpointer unused)
{
    self->payload->output = MF_PAYLOAD_JSON;
    g_ptr_array_set_free_func(self->payload->hints, (GDestroyNotify)mf_metric_hint_free);
    g_ptr_array_add(self->payload->hints, mf_metric_hint_new("iops", "1/s", MF_POLARITY_HIGHER));
    g_ptr_array_add(self->checks, mf_check_new_min("iops", 100, NULL));
    start(self);
    write_text(self, 1, "{\"iops\": 50}");
    end_outputs(self);
    g_assert_true(report(self, "\"status\": 0", 12, NULL));

    g_autoptr(MfPayloadResult) result = mf_invocation_conclude(self->invocation);
    const MfMetric *iops = g_ptr_array_index(result->metrics, 0);
    g_assert_cmpstr(iops->name, ==, "iops");
    g_assert_cmpfloat(iops->value, ==, 50);
    g_assert_cmpstr(iops->unit, ==, "1/s");
    g_assert_cmpint(iops->polarity, ==, MF_POLARITY_HIGHER);
    g_assert_false(result->passed);
    g_assert_nonnull(strstr(get_detail(result, 0), "below minimum 100"));
}

static void
test_what_its_cgroup_counted_are_metrics(Fixture *self, gconstpointer unused)
{
    start(self);
    end_outputs(self);
    g_assert_true(take_json(self,
                            "{\"status\": 0, \"timed-out\": false, \"killed\": false, "
                            "\"duration-us\": 1, \"stdout\": {\"bytes\": 0, \"discarded\": 0}, "
                            "\"stderr\": {\"bytes\": 0, \"discarded\": 0}, "
                            "\"cgroup\": {\"cpu.stat\": {\"usage_usec\": 42}}}",
                            NULL));

    g_autoptr(MfPayloadResult) result = mf_invocation_conclude(self->invocation);
    const MfMetric *usage = g_ptr_array_index(result->metrics, 0);
    g_assert_true(result->passed);
    g_assert_cmpstr(usage->name, ==, "cgroup.cpu.stat.usage_usec");
    g_assert_cmpfloat(usage->value, ==, 42);
    g_assert_cmpint(usage->fd, ==, 0);
}

static void
test_output_counts_up_to_the_cap(Fixture *self, gconstpointer unused)
{
    g_autofree char *much = g_malloc0(MF_PAYLOAD_KEEP_MAX);
    g_autoptr(GBytes) all = g_bytes_new_static(much, MF_PAYLOAD_KEEP_MAX);
    g_autoptr(GError) error = NULL;

    start(self);
    g_assert_true(mf_invocation_take_output(self->invocation, 1, all));
    g_assert_false(write_text(self, 1, "x"));
    end_outputs(self);
    g_assert_false(write_text(self, 1, "y"));
    g_assert_true(report(self, "\"status\": 0", MF_PAYLOAD_KEEP_MAX, &error));
    g_assert_no_error(error);
}

#define COUNTS                                                                                     \
    "\"stdout\": {\"bytes\": 0, \"discarded\": 0}, \"stderr\": {\"bytes\": 0, \"discarded\": 0}"
#define REST "\"timed-out\": false, \"killed\": false, \"duration-us\": 1, " COUNTS

static const char *const lies[] = {
    "",
    "nonsense",
    "[]",
    "{}",
    "{" REST "}",
    "{\"status\": 0, \"signal\": 9, " REST "}",
    "{\"status\": 0, \"error\": \"none\", " REST "}",
    "{\"status\": 256, " REST "}",
    "{\"status\": -1, " REST "}",
    "{\"status\": \"0\", " REST "}",
    "{\"status\": 0.5, " REST "}",
    "{\"signal\": 0, " REST "}",
    "{\"signal\": 65, " REST "}",
    "{\"error\": 5}",
    "{\"status\": 0}",
    "{\"status\": 0, \"timed-out\": 0, \"killed\": false, \"duration-us\": 1, " COUNTS "}",
    "{\"status\": 0, \"timed-out\": false, \"killed\": false, \"duration-us\": -1, " COUNTS "}",
    "{\"status\": 0, \"timed-out\": false, \"killed\": false, \"duration-us\": 1, "
    "\"stdout\": {\"bytes\": 1, \"discarded\": 0}, \"stderr\": {\"bytes\": 0, \"discarded\": 0}}",
    "{\"status\": 0, \"timed-out\": false, \"killed\": false, \"duration-us\": 1, "
    "\"stdout\": {\"bytes\": 0, \"discarded\": 1}, \"stderr\": {\"bytes\": 0, \"discarded\": 0}}",
    "{\"status\": 0, " REST ", \"cgroup\": 7}",
    "{\"status\": 0, " REST ", \"cgroup\": {\"a\": 1e999}}",
    "{\"status\": 0, " REST "} {}",
};

static void
test_a_report_that_lies_is_an_error(Fixture *self, gconstpointer unused)
{
    start(self);
    end_outputs(self);
    for (gsize i = 0; i < G_N_ELEMENTS(lies); i++) {
        g_autoptr(GError) error = NULL;

        g_test_message("%s", lies[i]);
        g_assert_false(take_json(self, lies[i], &error));
        g_assert_error(error, MF_ERROR, MF_ERROR_PROTOCOL);
    }
    /* The control: none of them was taken for an end. */
    g_assert_true(take_json(self, "{\"status\": 0, " REST "}", NULL));
}

static void
test_a_report_before_the_outputs_ends_is_an_error(Fixture *self, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;

    start(self);
    g_assert_true(write_text(self, 1, ""));
    g_assert_false(report(self, "\"status\": 0", 0, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_PROTOCOL);
}

static void
test_a_second_report_is_an_error(Fixture *self, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;

    start(self);
    end_outputs(self);
    g_assert_true(report(self, "\"status\": 3", 0, NULL));
    g_assert_false(report(self, "\"status\": 0", 0, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_PROTOCOL);
}

static void
test_the_tail_is_text_and_has_a_cap(Fixture *self, gconstpointer unused)
{
    g_autofree char *rubbish = g_malloc(2 * MF_PAYLOAD_TAIL_MAX);

    memset(rubbish, 0xff, 2 * MF_PAYLOAD_TAIL_MAX);
    g_autoptr(GBytes) bytes = g_bytes_new_static(rubbish, 2 * MF_PAYLOAD_TAIL_MAX);
    start(self);
    g_assert_true(mf_invocation_take_output(self->invocation, 2, bytes));

    g_autoptr(MfPayloadResult) result = mf_invocation_conclude(self->invocation);
    g_assert_true(g_utf8_validate(result->stderr_tail, -1, NULL));
    g_assert_cmpuint(strlen(result->stderr_tail), <=, MF_PAYLOAD_TAIL_MAX);
    g_assert_cmpuint(strlen(result->stderr_tail), >, MF_PAYLOAD_TAIL_MAX - 3);
}

#define ADD(name, test) g_test_add("/invocation/" name, Fixture, NULL, set_up, test, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("what-the-guest-reports-is-the-result", test_an_exit);
    ADD("p-37-mended-without-checks-it-has-to-exit-with-0",
        test_without_checks_it_has_to_exit_with_0);
    ADD("p-17-t-8-a-signal-is-told-and-is-128-plus-n", test_a_signal_is_128_plus_n);
    ADD("p-35-the-exit-code-that-is-checked-for-passes", test_an_expected_exit_code_passes);
    ADD("p-15-a-timeout-keeps-the-output-and-fails", test_a_timeout_keeps_the_output_and_fails);
    ADD("what-was-killed-for-its-time-is-not-judged-by-its-exit-code",
        test_what_was_killed_for_its_time_is_not_judged_by_its_exit_code);
    ADD("p-16-what-a-step-has-killed-for-its-time-timed-out",
        test_what_a_step_has_killed_for_its_time_timed_out);
    ADD("what-ended-by-itself-when-its-time-was-over-is-judged-by-that",
        test_what_ended_by_itself_when_its_time_was_over_is_judged_by_that);
    ADD("killed-at-our-word-is-no-failure", test_killed_at_our_word_is_no_failure);
    ADD("what-could-not-be-started-fails-with-its-reason", test_what_could_not_be_started_fails);
    ADD("without-an-end-it-keeps-what-came-and-fails", test_no_end_is_no_pass);
    ADD("metrics-of-its-output-are-read-and-checked", test_metrics_are_read_and_checked);
    ADD("metrics-that-did-not-come-are-noted", test_metrics_that_did_not_come_are_noted);
    ADD("what-its-cgroup-counted-are-metrics", test_what_its_cgroup_counted_are_metrics);
    ADD("output-counts-up-to-the-cap-and-the-end", test_output_counts_up_to_the_cap);
    ADD("a-report-that-lies-is-an-error", test_a_report_that_lies_is_an_error);
    ADD("a-report-before-the-outputs-ends-is-an-error",
        test_a_report_before_the_outputs_ends_is_an_error);
    ADD("a-second-report-is-an-error", test_a_second_report_is_an_error);
    ADD("the-tail-is-text-and-has-a-cap", test_the_tail_is_text_and_has_a_cap);
    return g_test_run();
}
