/* SPDX-License-Identifier: Apache-2.0 */
#include "report/report.h"

#include <glib/gstdio.h>
#include <string.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/tempdir.h"
#include "report-fixture.h"

typedef struct {
    char *directory; /* owned */
    ReportFixture *suite;
    MfReport *report;
} Fixture;

static void
set_up(Fixture *self, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    self->directory = mf_tempdir_make(&error);
    g_assert_no_error(error);
    self->suite = report_fixture_new(TRUE);
    self->report = mf_report_new();
}

static void
tear_down(Fixture *self, gconstpointer data)
{
    mf_report_free(self->report);
    report_fixture_free(self->suite);
    mf_tempdir_remove(self->directory);
    g_free(self->directory);
}

static char *
path_of(const Fixture *self, const char *name)
{
    return g_build_filename(self->directory, name, NULL);
}

static void
add(Fixture *self, const char *kind, const char *name)
{
    g_autofree char *path = path_of(self, name);
    g_autofree char *spec = g_strconcat(kind, "=", path, NULL);
    g_autoptr(GError) error = NULL;

    g_assert_true(mf_report_add(self->report, spec, &error));
    g_assert_no_error(error);
}

static char *
content_of(const Fixture *self, const char *name)
{
    g_autofree char *path = path_of(self, name);
    g_autoptr(GError) error = NULL;
    char *content;

    g_file_get_contents(path, &content, NULL, &error);
    g_assert_no_error(error);
    return content;
}

static void
test_all_reports_are_written(Fixture *self, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    add(self, "json", "a=b.json");
    add(self, "junit", "b.xml");
    add(self, "tap", "c.tap");
    report_fixture_play(self->suite, mf_report_feed, self->report);
    g_assert_true(mf_report_close(self->report, &error));
    g_assert_no_error(error);

    g_autofree char *json = content_of(self, "a=b.json");
    g_autofree char *junit = content_of(self, "b.xml");
    g_autofree char *tap = content_of(self, "c.tap");
    g_assert_true(g_str_has_prefix(json, "{\n") && g_str_has_suffix(json, "\n}\n"));
    g_assert_true(g_str_has_suffix(junit, "</testsuites>\n"));
    g_assert_true(g_str_has_prefix(tap, "TAP version 13\n"));
}

static void
test_a_report_without_its_end_is_not_written(Fixture *self, gconstpointer data)
{
    g_autofree char *path = path_of(self, "a.json");

    add(self, "json", "a.json");
    mf_report_feed(&g_array_index(self->suite->events, MfEvent, 0), self->report);
    g_clear_pointer(&self->report, mf_report_free);
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
}

/* Its suite was killed: nothing may look like its result. */
static void
test_a_report_of_an_earlier_suite_is_gone_when_the_next_one_starts(Fixture *self,
                                                                   gconstpointer data)
{
    g_autofree char *path = path_of(self, "a.json");

    g_assert_true(g_file_set_contents(path, "of last week", -1, NULL));
    add(self, "json", "a.json");
    g_assert_true(g_file_test(path, G_FILE_TEST_EXISTS));
    mf_report_feed(&g_array_index(self->suite->events, MfEvent, 0), self->report);
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
}

static void
test_a_full_disk_is_told_and_the_others_are_written(Fixture *self, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(mf_report_add(self->report, "json=/dev/full", NULL));
    g_assert_true(mf_report_add(self->report, "tap=/dev/full", NULL));
    add(self, "junit", "b.xml");
    report_fixture_play(self->suite, mf_report_feed, self->report);
    g_assert_false(mf_report_close(self->report, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_HOST);
    g_auto(GStrv) sentences = g_strsplit(error->message, "\n", 0);
    g_assert_cmpuint(g_strv_length(sentences), ==, 2);
    for (char **sentence = sentences; *sentence; sentence++)
        g_assert_true(g_str_has_suffix(*sentence, "No space left on device"));

    g_autofree char *junit = content_of(self, "b.xml");
    g_assert_true(g_str_has_suffix(junit, "</testsuites>\n"));
}

static void
test_bad_specs_are_refused_in_one_sentence(Fixture *self, gconstpointer data)
{
    static const struct {
        const char *spec, *message;
    } cases[] = {
        {"", "'' is no report: it is KIND=FILE, such as 'junit=report.xml'."},
        {"json", "'json' is no report: it is KIND=FILE, such as 'junit=report.xml'."},
        {"json=", "'json=' is no report: it is KIND=FILE, such as 'junit=report.xml'."},
        {"=f", "There is no report of the kind '': it is json, junit, tap, "
               "metrics, grid-json, grid-markdown or grid-html."},
        {"junt=f", "There is no report of the kind 'junt': it is json, junit, tap, "
                   "metrics, grid-json, grid-markdown or grid-html. Did you mean 'junit'?"},
        {"JSON=f", "There is no report of the kind 'JSON': it is json, junit, tap, "
                   "metrics, grid-json, grid-markdown or grid-html."},
        {"json=/no/such/f", "'/no/such/f' cannot be written: there is no directory '/no/such'."},
        {"tap=/", "'/' cannot be written: it is a directory."},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_false(mf_report_add(self->report, cases[i].spec, &error));
        g_assert_nonnull(error);
        g_assert_cmpstr(error->message, ==, cases[i].message);
    }
}

static void
test_one_report_goes_to_the_standard_output(Fixture *self, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(mf_report_takes_stdout(self->report));
    g_assert_true(mf_report_add(self->report, "tap=-", &error));
    g_assert_true(mf_report_takes_stdout(self->report));
    g_assert_false(mf_report_add(self->report, "json=-", &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    g_assert_cmpstr(error->message, ==,
                    "Only one report can go to the standard output, and 'json=-' is another one.");
}

static void
test_each_kept_directory_gets_its_result(Fixture *self, gconstpointer data)
{
    MfOutcomeReport *outcome = g_ptr_array_index(self->suite->outcomes, 1);
    g_autoptr(GError) error = NULL;

    for (guint i = 0; i < self->suite->outcomes->len - 1; i++) {
        MfOutcomeReport *other = g_ptr_array_index(self->suite->outcomes, i);

        g_clear_pointer(&other->run_dir, g_free);
    }
    outcome->run_dir = g_strdup(self->directory);
    mf_report_add_run_dirs(self->report);
    report_fixture_play(self->suite, mf_report_feed, self->report);
    g_assert_true(mf_report_close(self->report, &error));
    g_assert_no_error(error);
    g_autofree char *result = content_of(self, "result.json");
    g_assert_nonnull(strstr(result, "\"name\": \"exits with 3\""));
    g_assert_nonnull(strstr(result, "\"kind\": \"case\""));
    g_autofree char *picture = content_of(self, "timeline.svg");
    g_assert_true(g_str_has_suffix(picture, "</svg>\n"));
}

static void
test_a_directory_that_is_gone_is_told(Fixture *self, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    mf_report_add_run_dirs(self->report);
    report_fixture_play(self->suite, mf_report_feed, self->report);
    g_assert_false(mf_report_close(self->report, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_HOST);
}

static void
test_a_github_job_gets_log_and_summary(Fixture *self, gconstpointer data)
{
    g_autofree char *summary = path_of(self, "summary.md");
    g_autofree char *variable = g_strconcat("GITHUB_STEP_SUMMARY=", summary, NULL);
    char *environment[] = {(char *)"GITHUB_ACTIONS=true", variable, NULL};
    mf_autofd fd = report_fixture_open();
    g_autoptr(GError) error = NULL;

    g_file_set_contents(summary, "of the step before\n", -1, &error);
    g_assert_no_error(error);
    mf_report_add_screen(self->report, mf_screen_choose(TRUE, environment), fd,
                         MF_OUTPUT_ON_FAILURE, environment);
    report_fixture_play(self->suite, mf_report_feed, self->report);
    g_assert_true(mf_report_close(self->report, &error));
    g_autofree char *log = report_fixture_read(fd);
    g_autofree char *text = content_of(self, "summary.md");
    g_assert_nonnull(strstr(log, "\n::error file=/src/project/mayfly.toml,line=20,"));
    g_assert_true(g_str_has_prefix(text, "of the step before\n### mayfly\n"));
}

static void
test_the_screen_follows_the_environment(Fixture *self, gconstpointer data)
{
    static const struct {
        const char *environment[3];
        MfScreen on_terminal, elsewhere;
    } cases[] = {
        {{"TERM=xterm"}, MF_SCREEN_TTY_COLOURED, MF_SCREEN_PLAIN},
        {{"TERM=xterm", "NO_COLOR=1"}, MF_SCREEN_TTY, MF_SCREEN_PLAIN},
        {{"TERM=xterm", "NO_COLOR="}, MF_SCREEN_TTY_COLOURED, MF_SCREEN_PLAIN},
        {{"TERM=dumb"}, MF_SCREEN_PLAIN, MF_SCREEN_PLAIN},
        {{"TERM="}, MF_SCREEN_PLAIN, MF_SCREEN_PLAIN},
        {{NULL}, MF_SCREEN_PLAIN, MF_SCREEN_PLAIN},
        {{"TERM=xterm", "GITHUB_ACTIONS=true"}, MF_SCREEN_GITHUB, MF_SCREEN_GITHUB},
        {{"TERM=xterm", "GITHUB_ACTIONS=false"}, MF_SCREEN_TTY_COLOURED, MF_SCREEN_PLAIN},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        char **environment = (char **)cases[i].environment;

        g_assert_cmpint(mf_screen_choose(TRUE, environment), ==, cases[i].on_terminal);
        g_assert_cmpint(mf_screen_choose(FALSE, environment), ==, cases[i].elsewhere);
    }
}

static void
test_output_policies_are_read_by_name(Fixture *self, gconstpointer data)
{
    MfOutputPolicy policy = MF_OUTPUT_NEVER;
    g_autoptr(GError) error = NULL;

    g_assert_true(mf_output_policy_parse("live", &policy, NULL));
    g_assert_cmpint(policy, ==, MF_OUTPUT_LIVE);
    g_assert_true(mf_output_policy_parse("on-failure", &policy, NULL));
    g_assert_cmpint(policy, ==, MF_OUTPUT_ON_FAILURE);
    g_assert_true(mf_output_policy_parse("never", &policy, NULL));
    g_assert_cmpint(policy, ==, MF_OUTPUT_NEVER);
    g_assert_false(mf_output_policy_parse("always", &policy, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    g_assert_cmpstr(error->message, ==,
                    "'always' is not a time to show output: expected on-failure, live or never.");
}

int
main(int argc, char **argv)
{
#define TEST(name, func) g_test_add(name, Fixture, NULL, set_up, func, tear_down)
    g_test_init(&argc, &argv, NULL);
    TEST("/report/all-reports-are-written", test_all_reports_are_written);
    TEST("/report/a-report-without-its-end-is-not-written",
         test_a_report_without_its_end_is_not_written);
    TEST("/report/a-report-of-an-earlier-suite-is-gone-when-the-next-one-starts",
         test_a_report_of_an_earlier_suite_is_gone_when_the_next_one_starts);
    TEST("/report/a-full-disk-is-told-and-the-others-are-written",
         test_a_full_disk_is_told_and_the_others_are_written);
    TEST("/report/bad-specs-are-refused-in-one-sentence",
         test_bad_specs_are_refused_in_one_sentence);
    TEST("/report/one-report-goes-to-the-standard-output",
         test_one_report_goes_to_the_standard_output);
    TEST("/report/each-kept-directory-gets-its-result", test_each_kept_directory_gets_its_result);
    TEST("/report/a-directory-that-is-gone-is-told", test_a_directory_that_is_gone_is_told);
    TEST("/report/a-github-job-gets-log-and-summary", test_a_github_job_gets_log_and_summary);
    TEST("/report/the-screen-follows-the-environment", test_the_screen_follows_the_environment);
    TEST("/report/output-policies-are-read-by-name", test_output_policies_are_read_by_name);
    return g_test_run();
#undef TEST
}
