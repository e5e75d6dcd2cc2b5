/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/scheduler.h"

#include <string.h>

#include "base/tempdir.h"
#include "case-fixture.h"

/* Cases that end before there is a VM: what they need is not there. */

typedef struct {
    char *directory;        /* owned */
    GPtrArray *cases;       /* owned */
    GString *events;        /* owned; what happened, in words */
    MfScheduler *scheduler; /* owned; the one whose event 'interrupt_at' interrupts it */
    const char *interrupt_at;
    guint running, most; /* cases between their start and their end: now, and at most */
} Fixture;

static void
begin(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    fixture->directory = mf_tempdir_make(&error);
    g_assert_no_error(error);
    g_setenv("MAYFLY_CACHE_DIR", fixture->directory, TRUE);
    fixture->cases = case_array_new();
    fixture->events = g_string_new(NULL);
}

static void
end(Fixture *fixture, gconstpointer data)
{
    g_clear_object(&fixture->scheduler);
    g_ptr_array_unref(fixture->cases);
    g_string_free(fixture->events, TRUE);
    mf_tempdir_remove(fixture->directory);
    g_free(fixture->directory);
}

/* Ends with MF_VERDICT_CONFIG. */
static MfCase *
add_bad(Fixture *fixture, const char *name)
{
    MfCase *the_case = case_array_add(fixture->cases, name, "");

    the_case->target->qemu = g_strdup("/bin/true");
    the_case->target->kernel = g_strdup("/nonexistent/bzImage");
    the_case->target->share = g_strdup(fixture->directory);
    return the_case;
}

/* Ends with MF_VERDICT_FAILED. */
static MfCase *
add_failing(Fixture *fixture, const char *name)
{
    MfCase *the_case = case_array_add(fixture->cases, name, "");

    the_case->target->qemu = g_strdup("/nonexistent/qemu");
    return the_case;
}

static MfCase *
add_skipped(Fixture *fixture, const char *name)
{
    MfCase *the_case = case_array_add(fixture->cases, name, "");

    the_case->skip_reason = g_strdup("It is too late.");
    return the_case;
}

static void
note(const MfEvent *event, gpointer data)
{
    static const char *const kinds[] = {"SUITE", "start", "phase", "output", "end", "SUITE-END"};
    Fixture *fixture = data;
    gboolean of_case =
        event->kind == MF_EVENT_CASE_STARTED || event->kind == MF_EVENT_CASE_FINISHED;

    g_assert_true(event->cases == fixture->cases);
    g_assert_cmpint(event->time_us, >=, 0);
    if (event->kind == MF_EVENT_CASE_PHASE)
        return;
    if (fixture->events->len > 0)
        g_string_append(fixture->events, ", ");
    g_string_append(fixture->events, kinds[event->kind]);
    if (of_case) {
        const MfCase *the_case = fixture->cases->pdata[event->index];

        g_string_append_printf(fixture->events, " %s %u", the_case->name, event->attempt);
    }
    if (event->kind == MF_EVENT_CASE_FINISHED)
        g_string_append_printf(fixture->events, " %s", mf_outcome_name(event->outcome->outcome));
    if (event->kind == MF_EVENT_SUITE_FINISHED && event->interrupted)
        g_string_append_printf(fixture->events, ": %s", event->interrupted);
    if (fixture->interrupt_at && g_str_has_suffix(fixture->events->str, fixture->interrupt_at))
        mf_scheduler_interrupt(fixture->scheduler, "Enough.");
}

static void
count_running(const MfEvent *event, gpointer data)
{
    Fixture *fixture = data;

    if (event->kind == MF_EVENT_CASE_STARTED)
        fixture->running++;
    else if (event->kind == MF_EVENT_CASE_FINISHED)
        fixture->running--;
    fixture->most = MAX(fixture->most, fixture->running);
}

static void
on_finished(GObject *source, GAsyncResult *result, gpointer data)
{
    GPtrArray **outcomes = data;

    *outcomes = mf_scheduler_run_finish(MF_SCHEDULER(source), result);
}

static GPtrArray *
run_suite(Fixture *fixture, const MfSchedulerOptions *options)
{
    GPtrArray *outcomes = NULL;

    fixture->scheduler = mf_scheduler_new(fixture->cases, options);
    mf_scheduler_add_reader(fixture->scheduler, note, fixture);
    mf_scheduler_add_reader(fixture->scheduler, count_running, fixture);
    mf_scheduler_run_async(fixture->scheduler, on_finished, &outcomes);
    while (!outcomes)
        g_main_context_iteration(NULL, TRUE);
    g_assert_cmpuint(outcomes->len, ==, fixture->cases->len);
    return outcomes;
}

static void
test_no_cases_are_a_suite_too(Fixture *fixture, gconstpointer data)
{
    const MfSchedulerOptions options = {.jobs = 4};
    g_autoptr(GPtrArray) outcomes = run_suite(fixture, &options);

    g_assert_cmpstr(fixture->events->str, ==, "SUITE, SUITE-END");
}

static void
test_a_bad_case_does_not_stop_the_others(Fixture *fixture, gconstpointer data)
{
    const MfSchedulerOptions options = {.jobs = 1};

    add_bad(fixture, "a");
    add_skipped(fixture, "b");
    add_failing(fixture, "c");
    g_autoptr(GPtrArray) outcomes = run_suite(fixture, &options);
    g_assert_cmpstr(fixture->events->str, ==,
                    "SUITE, start a 1, end a 1 error, end b 0 skip, start c 1, end c 1 error, "
                    "SUITE-END");

    const MfOutcomeReport *bad = outcomes->pdata[0], *skipped = outcomes->pdata[1];
    g_assert_cmpint(bad->result->verdict, ==, MF_VERDICT_CONFIG);
    g_assert_nonnull(strstr(bad->reason, "/nonexistent/bzImage"));
    g_assert_cmpstr(skipped->reason, ==, "It is too late.");
    g_assert_null(skipped->result);
}

static void
test_a_case_that_failed_has_its_further_attempts(Fixture *fixture, gconstpointer data)
{
    const MfSchedulerOptions options = {.jobs = 1};

    add_failing(fixture, "a")->retries = 2;
    g_autoptr(GPtrArray) outcomes = run_suite(fixture, &options);
    g_assert_cmpstr(fixture->events->str, ==,
                    "SUITE, start a 1, start a 2, start a 3, end a 3 error, SUITE-END");
    g_assert_cmpuint(((MfOutcomeReport *)outcomes->pdata[0])->attempts, ==, 3);
}

static void
test_what_cannot_be_is_not_tried_again(Fixture *fixture, gconstpointer data)
{
    const MfSchedulerOptions options = {.jobs = 1};

    add_bad(fixture, "a")->retries = 2;
    g_autoptr(GPtrArray) outcomes = run_suite(fixture, &options);
    g_assert_cmpstr(fixture->events->str, ==, "SUITE, start a 1, end a 1 error, SUITE-END");
}

static void
test_as_many_run_at_once_as_there_are_jobs(Fixture *fixture, gconstpointer data)
{
    const MfSchedulerOptions options = {.jobs = 3};

    for (int i = 0; i < 20; i++)
        add_bad(fixture, "a");
    g_autoptr(GPtrArray) outcomes = run_suite(fixture, &options);
    g_assert_cmpuint(fixture->most, ==, 3);
    g_assert_cmpuint(fixture->running, ==, 0);
}

static void
test_fail_fast_starts_nothing_after_a_failure(Fixture *fixture, gconstpointer data)
{
    const MfSchedulerOptions options = {.jobs = 1, .fail_fast = TRUE};

    add_skipped(fixture, "a");
    add_bad(fixture, "b");
    add_bad(fixture, "c");
    g_autoptr(GPtrArray) outcomes = run_suite(fixture, &options);
    g_assert_cmpstr(fixture->events->str, ==,
                    "SUITE, end a 0 skip, start b 1, end b 1 error, SUITE-END: No target was "
                    "started any more after 'b', which did not pass (--fail-fast).");
    g_assert_null(outcomes->pdata[2]);
}

static void
test_an_interrupt_ends_what_runs_and_starts_nothing_more(Fixture *fixture, gconstpointer data)
{
    const MfSchedulerOptions options = {.jobs = 1};

    fixture->interrupt_at = "start b 1";
    add_bad(fixture, "a");
    add_failing(fixture, "b")->retries = 5;
    add_bad(fixture, "c");
    g_autoptr(GPtrArray) outcomes = run_suite(fixture, &options);
    g_assert_cmpstr(fixture->events->str, ==,
                    "SUITE, start a 1, end a 1 error, start b 1, end b 1 error, SUITE-END: "
                    "Enough.");
    const MfOutcomeReport *ended = outcomes->pdata[1];
    g_assert_cmpint(ended->result->verdict, ==, MF_VERDICT_CANCELLED);
    g_assert_cmpstr(ended->reason, ==, "Enough.");
    g_assert_null(outcomes->pdata[2]);
}

static void
test_what_is_kept_of_a_case_is_in_its_directory(Fixture *fixture, gconstpointer data)
{
    g_autofree char *path = g_build_filename(fixture->directory, "kept", NULL);
    g_autoptr(MfRunDir) run_dir = mf_run_dir_new(path, NULL);
    const MfSchedulerOptions options = {.jobs = 1, .run_dir = run_dir};
    static const char *const files[] = {"console.log", "stdout", "stderr", "attempt-1/console.log"};

    add_failing(fixture, "a")->retries = 1;
    g_autoptr(GPtrArray) outcomes = run_suite(fixture, &options);
    const MfOutcomeReport *outcome = outcomes->pdata[0];
    g_assert_true(g_str_has_prefix(outcome->run_dir, path));
    for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *file = g_build_filename(outcome->run_dir, files[i], NULL);

        g_assert_true(g_file_test(file, G_FILE_TEST_IS_REGULAR));
    }
}

static MfOutcome
judge(MfVerdict verdict, gboolean passed, MfPhase phase)
{
    const MfResult result = {.verdict = verdict, .passed = passed, .phase = phase};

    return mf_outcome_judge(&result);
}

static void
test_only_the_command_s_own_end_or_a_crash_is_a_failure(Fixture *fixture, gconstpointer data)
{
    g_assert_cmpint(judge(MF_VERDICT_EXITED, TRUE, MF_PHASE_EXECUTE), ==, MF_OUTCOME_PASS);
    g_assert_cmpint(judge(MF_VERDICT_SIGNALLED, TRUE, MF_PHASE_EXECUTE), ==, MF_OUTCOME_PASS);
    g_assert_cmpint(judge(MF_VERDICT_EXITED, FALSE, MF_PHASE_EXECUTE), ==, MF_OUTCOME_FAIL);
    g_assert_cmpint(judge(MF_VERDICT_SIGNALLED, FALSE, MF_PHASE_EXECUTE), ==, MF_OUTCOME_FAIL);
    g_assert_cmpint(judge(MF_VERDICT_CRASHED, FALSE, MF_PHASE_BOOT), ==, MF_OUTCOME_FAIL);
    g_assert_cmpint(judge(MF_VERDICT_TIMEOUT, FALSE, MF_PHASE_EXECUTE), ==, MF_OUTCOME_FAIL);
    g_assert_cmpint(judge(MF_VERDICT_TIMEOUT, FALSE, MF_PHASE_BOOT), ==, MF_OUTCOME_ERROR);
    g_assert_cmpint(judge(MF_VERDICT_FAILED, FALSE, MF_PHASE_EXECUTE), ==, MF_OUTCOME_ERROR);
    g_assert_cmpint(judge(MF_VERDICT_CONFIG, FALSE, MF_PHASE_RESOLVE), ==, MF_OUTCOME_ERROR);
    g_assert_cmpint(judge(MF_VERDICT_CANCELLED, FALSE, MF_PHASE_EXECUTE), ==, MF_OUTCOME_ERROR);
}

static void
test_every_outcome_but_a_pass_has_its_reason(Fixture *fixture, gconstpointer data)
{
    MfResult result = {.verdict = MF_VERDICT_EXITED, .status = 3};
    g_autofree char *exited = mf_outcome_explain(&result);

    g_assert_cmpstr(exited, ==, "The command exited with status 3.");
    result = (MfResult){.verdict = MF_VERDICT_SIGNALLED, .signal_number = 11};
    g_autofree char *killed = mf_outcome_explain(&result);
    g_assert_cmpstr(killed, ==, "The command was killed by signal 11 (Segmentation fault).");
    result = (MfResult){.verdict = MF_VERDICT_CRASHED, .message = (char *)"It panicked."};
    g_autofree char *crashed = mf_outcome_explain(&result);
    g_assert_cmpstr(crashed, ==, "It panicked.");
    result = (MfResult){.passed = TRUE, .status = 3};
    g_assert_null(mf_outcome_explain(&result));
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *path;
        void (*test)(Fixture *, gconstpointer);
    } tests[] = {
        {"/scheduler/no-cases-are-a-suite-too", test_no_cases_are_a_suite_too},
        {"/scheduler/a-bad-case-does-not-stop-the-others",
         test_a_bad_case_does_not_stop_the_others},
        {"/scheduler/a-case-that-failed-has-its-further-attempts",
         test_a_case_that_failed_has_its_further_attempts},
        {"/scheduler/what-cannot-be-is-not-tried-again", test_what_cannot_be_is_not_tried_again},
        {"/scheduler/as-many-run-at-once-as-there-are-jobs",
         test_as_many_run_at_once_as_there_are_jobs},
        {"/scheduler/fail-fast-starts-nothing-after-a-failure",
         test_fail_fast_starts_nothing_after_a_failure},
        {"/scheduler/an-interrupt-ends-what-runs-and-starts-nothing-more",
         test_an_interrupt_ends_what_runs_and_starts_nothing_more},
        {"/scheduler/what-is-kept-of-a-case-is-in-its-directory",
         test_what_is_kept_of_a_case_is_in_its_directory},
        {"/outcome/only-the-command-s-own-end-or-a-crash-is-a-failure",
         test_only_the_command_s_own_end_or_a_crash_is_a_failure},
        {"/outcome/every-outcome-but-a-pass-has-its-reason",
         test_every_outcome_but_a_pass_has_its_reason},
    };

    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(tests); i++)
        g_test_add(tests[i].path, Fixture, NULL, begin, tests[i].test, end);
    return g_test_run();
}
