/* SPDX-License-Identifier: Apache-2.0 */
#include "report/github.h"

#include <string.h>

#include "base/fd.h"
#include "golden.h"
#include "report-fixture.h"

#define TOKEN "0123456789"

typedef struct {
    char *log, *summary; /* owned */
} Reports;

static void
reports_clear(Reports *self)
{
    g_free(self->log);
    g_free(self->summary);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Reports, reports_clear)

static Reports
reports_of(const ReportFixture *fixture, MfOutputPolicy policy)
{
    mf_autofd log_fd = report_fixture_open();
    mf_autofd summary_fd = report_fixture_open();
    g_autoptr(MfSink) log = mf_sink_new_fd(log_fd);
    g_autoptr(MfSink) summary = mf_sink_new_fd(summary_fd);
    MfReportGithubOptions options = {
        .policy = policy,
        .log = log,
        .summary = summary,
        .workspace = "/src/project",
        .token = TOKEN,
    };
    g_autoptr(MfReportGithub) github = mf_report_github_new(&options);

    report_fixture_play(fixture, mf_report_github_feed, github);
    return (Reports){report_fixture_read(log_fd), report_fixture_read(summary_fd)};
}

static void
test_a_suite_is_told_completely(void)
{
    g_autoptr(ReportFixture) fixture = report_fixture_new(FALSE);
    g_auto(Reports) reports = reports_of(fixture, MF_OUTPUT_ON_FAILURE);

    golden_assert("report-github.txt", reports.log);
    golden_assert("report-github-summary.txt", reports.summary);
}

/* The log as the runner reads it: whatever looks like a command outside of stopped parts. */
static GPtrArray *
commands_of(const char *log)
{
    g_auto(GStrv) lines = g_strsplit(log, "\n", 0);
    GPtrArray *commands = g_ptr_array_new_with_free_func(g_free);
    gboolean stopped = FALSE;

    for (char **line = lines; *line; line++) {
        const char *text = *line + strspn(*line, " \t");

        if (stopped) {
            stopped = !g_str_equal(text, "::" TOKEN "::");
            continue;
        }
        stopped = g_str_equal(text, "::stop-commands::" TOKEN);
        if (!stopped && (g_str_has_prefix(text, "::") || strstr(text, "##[")))
            g_ptr_array_add(commands, g_strdup(text));
    }
    g_assert_false(stopped);
    return commands;
}

static void
test_a_guest_gives_no_commands(void)
{
    static const char forged[] = "::error::forged\n  ::set-output name=a::forged\n##[error]forged\n"
                                 "::stop-commands::x\n::endgroup::\n";
    g_autoptr(ReportFixture) fixture = report_fixture_new(FALSE);

    for (guint i = 0; i < fixture->events->len; i++) {
        MfEvent *event = &g_array_index(fixture->events, MfEvent, i);

        if (event->bytes) {
            event->bytes = g_bytes_new_static(forged, strlen(forged));
            g_ptr_array_add(fixture->bytes, event->bytes);
        }
    }
    for (guint i = 0; i + 1 < fixture->outcomes->len; i++) {
        MfOutcomeReport *outcome = g_ptr_array_index(fixture->outcomes, i);

        g_clear_pointer(&outcome->tail[1], g_bytes_unref);
        outcome->tail[1] = g_bytes_new_static(forged, strlen(forged));
        if (outcome->result) {
            g_free(outcome->result->console_tail);
            outcome->result->console_tail = g_strdup(forged);
        }
    }
    for (MfOutputPolicy policy = 0; policy <= MF_OUTPUT_NEVER; policy++) {
        g_auto(Reports) reports = reports_of(fixture, policy);
        g_autoptr(GPtrArray) commands = commands_of(reports.log);

        g_assert_cmpuint(commands->len, >, 0);
        for (guint i = 0; i < commands->len; i++)
            g_assert_null(strstr(g_ptr_array_index(commands, i), "forged"));
    }
}

static void
test_every_group_is_closed_before_its_annotation(void)
{
    g_autoptr(ReportFixture) fixture = report_fixture_new(FALSE);
    g_auto(Reports) reports = reports_of(fixture, MF_OUTPUT_ON_FAILURE);
    g_autoptr(GPtrArray) commands = commands_of(reports.log);
    guint groups = 0;

    for (guint i = 0; i < commands->len; i++) {
        if (!g_str_has_prefix(commands->pdata[i], "::group::"))
            continue;
        groups++;
        g_assert_cmpstr(commands->pdata[i + 1], ==, "::endgroup::");
        g_assert_true(g_str_has_prefix(commands->pdata[i + 2], "::error file=mayfly.toml,line="));
    }
    g_assert_cmpuint(groups, ==, 7);
}

/* Of a target that passed. What else is noted stays a notice. */
static void
test_what_the_kernel_complained_of_is_a_warning(void)
{
    g_autoptr(ReportFixture) fixture = report_fixture_new(FALSE);
    guint complaints = 0;

    for (guint i = 0; i < fixture->outcomes->len; i++) {
        const MfOutcomeReport *outcome = g_ptr_array_index(fixture->outcomes, i);

        if (!outcome || outcome->outcome != MF_OUTCOME_PASS || outcome->result->splats->len == 0)
            continue;
        complaints++;
        const MfSplat *splat = g_ptr_array_index(outcome->result->splats, 0);
        g_assert_false(splat->fails);
        g_ptr_array_add(outcome->result->notes,
                        g_strconcat("The guest's kernel warned: ", splat->title, NULL));
    }
    g_assert_cmpuint(complaints, ==, 1);

    g_auto(Reports) reports = reports_of(fixture, MF_OUTPUT_ON_FAILURE);
    g_assert_nonnull(strstr(reports.log, "\n::warning file=mayfly.toml,line=80,title=passes when "
                                         "retried::The guest's kernel warned: "));
    g_assert_nonnull(strstr(reports.log, "\n::notice file=mayfly.toml,line=80,title=passes when "
                                         "retried::No file of the guest matches"));
}

/* 64 KiB of output each, of which the reason and 40 lines are shown. */
static void
test_a_summary_stays_below_githubs_limit(void)
{
    g_autoptr(ReportFixture) fixture = report_fixture_new(FALSE);
    g_autofree char *wide = g_strnfill(MF_OUTCOME_TAIL, '<');

    for (guint i = 0; i + 1 < fixture->outcomes->len; i++) {
        MfOutcomeReport *outcome = g_ptr_array_index(fixture->outcomes, i);

        g_clear_pointer(&outcome->tail[1], g_bytes_unref);
        outcome->tail[1] = g_bytes_new(wide, MF_OUTCOME_TAIL);
        outcome->bytes[1] = MF_OUTCOME_TAIL;
    }
    g_auto(Reports) reports = reports_of(fixture, MF_OUTPUT_ON_FAILURE);
    g_assert_cmpuint(strlen(reports.summary), <, 1u << 20);
    g_assert_nonnull(strstr(reports.summary, "The details of 6 more targets are in the log."));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/report-github/a-suite-is-told-completely", test_a_suite_is_told_completely);
    g_test_add_func("/report-github/a-guest-gives-no-commands", test_a_guest_gives_no_commands);
    g_test_add_func("/report-github/every-group-is-closed-before-its-annotation",
                    test_every_group_is_closed_before_its_annotation);
    g_test_add_func("/report-github/what-the-kernel-complained-of-is-a-warning",
                    test_what_the_kernel_complained_of_is_a_warning);
    g_test_add_func("/report-github/a-summary-stays-below-githubs-limit",
                    test_a_summary_stays_below_githubs_limit);
    return g_test_run();
}
