/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/cli.h"
#include "cli/signals.h"
#include "cli/test-status.h"
#include "report/list.h"
#include "report/report.h"
#include "suite/case-build.h"
#include "suite/config.h"
#include "suite/grid.h"
#include "suite/jobs.h"
#include "suite/scheduler.h"
#include "warm/store.h"

/* Why a cell of a grid that is only shown was not run. */
#define DRY_RUN "dry-run"

/* No exit status yet. */
#define GO_ON (-1)

typedef struct {
    const MfTestOptions *options; /* borrowed */
    MfConfig *config;             /* owned */
    GPtrArray *all;               /* owned; of MfCase: those of the file */
    GPtrArray *cases;             /* owned; of borrowed MfCase: those that were chosen */
    MfShard shard;                /* that these are */
    char *suite;                  /* owned; of the shard; or NULL */
    MfRunDir *run_dir;            /* owned; or NULL */
    MfReport *report;             /* owned */
    MfScheduler *scheduler;       /* owned */
    GMainLoop *loop;              /* borrowed; while it runs */
    GPtrArray *outcomes;          /* owned; when it is over */
    int screen_fd;
    int cancel_signal;
    MfSignalEcho echo;
} TestCli;

static void
test_cli_clear(TestCli *self)
{
    g_clear_object(&self->scheduler);
    g_clear_pointer(&self->outcomes, g_ptr_array_unref);
    g_clear_pointer(&self->report, mf_report_free);
    g_clear_pointer(&self->run_dir, mf_run_dir_free);
    g_clear_pointer(&self->suite, g_free);
    g_clear_pointer(&self->cases, g_ptr_array_unref);
    g_clear_pointer(&self->all, g_ptr_array_unref);
    g_clear_pointer(&self->config, mf_config_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(TestCli, test_cli_clear)

/* What a persona is not for is not run; in a dry run nothing is. */
static void
note_skip(const TestCli *self, MfCase *the_case, guint index)
{
    const char *reason =
        self->options->dry_run ? DRY_RUN : mf_config_get_skip_reason(self->config, index);

    if (!reason)
        return;
    g_free(the_case->skip_reason);
    the_case->skip_reason = g_strdup(reason);
}

static gboolean
load(TestCli *self, GError **error)
{
    g_auto(GStrv) environment = g_get_environ();
    const MfConfigSources sources = {
        .path = self->options->config,
        .profile = self->options->profile,
        .environment = environment,
        .set = (const char *const *)self->options->set->pdata,
        .grid = self->options->grid,
        .personas = (const char *const *)self->options->personas,
    };
    MfCaseBuildOptions build = {.environment = environment,
                                .skip_missing = self->options->skip_missing};

    guint64 warm_max;

    /* What is saved for later runs is about every target: it is told before any of them runs. */
    if (!mf_warm_store_get_max(&warm_max, error))
        return FALSE;
    self->config = mf_config_load(&sources, error);
    if (!self->config)
        return FALSE;
    build.file = mf_config_get_path(self->config);
    self->all = mf_case_build_all(mf_config_get_targets(self->config), &build, error);
    if (!self->all)
        return FALSE;
    for (guint i = 0; i < self->all->len; i++)
        note_skip(self, self->all->pdata[i], i);
    return TRUE;
}

/* The exit status of one who has nothing to do; the message says why. */
static int
complain_of_nothing(const TestCli *self, const char *reason)
{
    mf_cli_complain("None of the %u targets of '%s' is to be run: %s", self->all->len,
                    mf_config_get_path(self->config), reason);
    return self->options->nothing_is_fine ? 0 : MF_EXIT_NO_MATCH;
}

static int
complain_of_no_match(const TestCli *self, const MfSelection *selection)
{
    g_autofree char *reason = mf_select_explain_none(self->all, selection);

    return complain_of_nothing(self, reason);
}

/* What the last run left to do, for --failed. Returns GO_ON or an exit status. */
static int
recall_failed(const TestCli *self, char ***ret_failed)
{
    g_autoptr(GError) error = NULL;

    if (!self->options->failed)
        return GO_ON;
    *ret_failed = mf_select_load_failed(mf_config_get_path(self->config), &error);
    if (*ret_failed)
        return GO_ON;
    if (!error)
        return complain_of_nothing(self, "none has been run yet, so none has failed.");
    return mf_cli_fail(error, MF_EXIT_UNAVAILABLE);
}

/* A shard without cases, where there are fewer of those, is no mistake; reports of it are wanted
 * nevertheless, for its result is a part of the whole. Returns GO_ON or an exit status. */
static int
take_shard(TestCli *self)
{
    const MfTestOptions *options = self->options;
    MfSelection selection = {.shard = options->shard, .shards = options->shards};
    g_autoptr(MfDurations) durations = NULL;
    g_autoptr(GError) error = NULL;
    GPtrArray *part;

    if (options->shards == 0)
        return GO_ON;
    if (options->durations) {
        selection.durations = durations = mf_durations_load(options->durations, &error);
        if (!durations)
            return mf_cli_fail(error, MF_EXIT_USAGE);
    }
    self->suite = mf_shard_identify_suite(self->cases);
    self->shard = (MfShard){options->shard, options->shards, self->cases->len, self->suite};
    part = mf_select_cases(self->cases, &selection, NULL);
    g_ptr_array_unref(self->cases);
    self->cases = part;
    if (part->len > 0 || options->list)
        return GO_ON;
    mf_cli_complain("Shard %u of %u has no targets.", options->shard, options->shards);
    return options->reports ? GO_ON : 0;
}

/* Chooses the cases. Returns GO_ON or an exit status. */
static int
choose(TestCli *self)
{
    g_auto(GStrv) failed = NULL;
    g_autoptr(GError) error = NULL;
    int status = recall_failed(self, &failed);

    if (status != GO_ON)
        return status;

    const MfSelection selection = {
        .filter = self->options->filter,
        .tags = (const char *const *)self->options->tags,
        .failed = (const char *const *)failed,
    };
    self->cases = mf_select_cases(self->all, &selection, &error);
    if (!self->cases)
        return mf_cli_fail(error, MF_EXIT_USAGE);
    if (self->options->grid && self->all->len == 0)
        return complain_of_nothing(self, "a grid is made of those tagged '" MF_GRID_TAG "'.");
    if (self->cases->len == 0)
        return complain_of_no_match(self, &selection);
    return take_shard(self);
}

static int
print_list(const TestCli *self)
{
    g_autofree char *text = self->options->list_json     ? mf_list_json(self->cases)
                            : self->options->list_github ? mf_list_github(self->cases)
                                                         : mf_list_text(self->cases);

    fputs(text, stdout);
    return 0;
}

/* Artifacts, snapshots, and what is left of a crash, are asked for to be had afterwards. */
static gboolean
wants_run_dir(const TestCli *self)
{
    if (self->options->run_dir || self->options->keep)
        return TRUE;
    for (guint i = 0; i < self->cases->len; i++) {
        const MfTarget *target = ((const MfCase *)self->cases->pdata[i])->target;

        if (target->artifacts || target->on_crash || target->snapshots)
            return TRUE;
    }
    return FALSE;
}

static gboolean
prepare_reports(TestCli *self, GError **error)
{
    g_auto(GStrv) environment = g_get_environ();
    MfScreen screen;

    self->report = mf_report_new();
    for (char **spec = self->options->reports; spec && *spec; spec++)
        if (!mf_report_add(self->report, *spec, error))
            return FALSE;
    self->screen_fd = mf_report_takes_stdout(self->report) ? STDERR_FILENO : STDOUT_FILENO;
    screen = self->options->plain ? MF_SCREEN_PLAIN
                                  : mf_screen_choose(isatty(self->screen_fd), environment);
    mf_report_add_screen(self->report, screen, self->screen_fd, self->options->output, environment);
    if (self->options->grid)
        mf_report_add_grid(self->report, self->screen_fd);
    mf_report_add_run_dirs(self->report);
    return TRUE;
}

static void
prepare_scheduler(TestCli *self)
{
    MfSchedulerOptions options = {
        .jobs = self->options->jobs,
        .fail_fast = self->options->fail_fast,
        .shard = self->shard,
        .run_dir = self->run_dir,
    };

    if (options.jobs == 0) {
        MfCapacity capacity;

        mf_capacity_probe(&capacity);
        options.jobs = mf_jobs_choose(&capacity, mf_jobs_cost(self->cases), self->cases->len);
    }
    self->scheduler = mf_scheduler_new(self->cases, &options);
    mf_scheduler_add_reader(self->scheduler, mf_report_feed, self->report);
}

static void
pass_size(const TestCli *self)
{
    struct winsize size;

    if (ioctl(self->screen_fd, TIOCGWINSZ, &size) == 0)
        mf_report_set_size(self->report, size.ws_row, size.ws_col);
}

/* Once ends everything in order, twice at once. */
static void
end_everything(TestCli *self, int signal_number)
{
    gboolean again = self->cancel_signal != 0;

    if (mf_signal_echo_is(&self->echo, signal_number, g_get_monotonic_time()))
        return;
    self->cancel_signal = signal_number;
    if (again) {
        mf_scheduler_kill(self->scheduler);
        g_main_loop_quit(self->loop);
    } else {
        g_autofree char *reason =
            g_strdup_printf("Ended by signal %d (%s).", signal_number, strsignal(signal_number));

        mf_scheduler_interrupt(self->scheduler, reason);
    }
}

static void
on_signal(int signal_number, gpointer data)
{
    TestCli *self = data;

    if (signal_number == SIGWINCH)
        pass_size(self);
    else if (signal_number == SIGTSTP)
        mf_signals_stop_here();
    else if (mf_signal_is_ending(signal_number))
        end_everything(self, signal_number);
}

static void
on_finished(GObject *source, GAsyncResult *result, gpointer data)
{
    TestCli *self = data;

    self->outcomes = mf_scheduler_run_finish(MF_SCHEDULER(source), result);
    g_main_loop_quit(self->loop);
}

/* For --failed: what did not pass, and what was not reached. */
static void
remember_failed(const TestCli *self)
{
    g_autoptr(GPtrArray) ids = g_ptr_array_new(), ran = g_ptr_array_new();
    gboolean partial = self->cases->len < self->all->len;
    g_autoptr(GError) error = NULL;

    for (guint i = 0; i < self->cases->len; i++) {
        const MfOutcomeReport *outcome = self->outcomes->pdata[i];

        g_ptr_array_add(ran, ((MfCase *)self->cases->pdata[i])->id);
        if (!outcome || outcome->outcome == MF_OUTCOME_FAIL || outcome->outcome == MF_OUTCOME_ERROR)
            g_ptr_array_add(ids, ((MfCase *)self->cases->pdata[i])->id);
    }
    g_ptr_array_add(ids, NULL);
    g_ptr_array_add(ran, NULL);
    if (!mf_select_save_failed(mf_config_get_path(self->config), (const char *const *)ids->pdata,
                               partial ? (const char *const *)ran->pdata : NULL, &error))
        g_info("What failed cannot be remembered for --failed: %s", error->message);
}

/* After the last event. */
static int
conclude(TestCli *self)
{
    gboolean skips_count = self->options->skip_missing && !self->options->dry_run;
    int status = mf_test_exit_status(self->outcomes, skips_count, self->cancel_signal);
    g_autoptr(GError) error = NULL;

    if (!mf_report_close(self->report, &error)) {
        mf_cli_complain("%s", error->message);
        status = status ? status : MF_EXIT_UNAVAILABLE;
    }
    if (!self->options->dry_run)
        remember_failed(self);
    if (self->run_dir && (status != 0 || !self->options->run_dir))
        mf_cli_complain("The targets' consoles, outputs and results are in '%s'.",
                        mf_run_dir_get_path(self->run_dir));
    return status;
}

static int
run_cases(TestCli *self)
{
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    g_autoptr(GError) error = NULL;
    guint signals;

    /* The directory last: it is there from then on. */
    if (prepare_reports(self, &error) && wants_run_dir(self))
        self->run_dir = mf_run_dir_new(self->options->run_dir, &error);
    if (error)
        return mf_cli_fail(error, MF_EXIT_USAGE);
    prepare_scheduler(self);
    self->loop = loop;
    signals = mf_signals_watch(on_signal, self);
    mf_scheduler_run_async(self->scheduler, on_finished, self);
    g_main_loop_run(loop);
    g_source_remove(signals);
    if (self->outcomes)
        return conclude(self);
    /* Killed: what is pending in the scheduler has no end to wait for. */
    mf_cli_complain("Killed; no report is complete.");
    exit(MF_EXIT_SIGNAL_BASE + self->cancel_signal);
}

int
mf_test_run(const MfTestOptions *options)
{
    g_auto(TestCli) self = {.options = options};
    g_autoptr(GError) error = NULL;
    int status;

    if (!load(&self, &error))
        return mf_cli_fail(error, MF_EXIT_BAD_CONFIG);
    status = choose(&self);
    if (status != GO_ON)
        return status;
    return options->list ? print_list(&self) : run_cases(&self);
}

int
mf_cli_test(int argc, char **argv)
{
    g_auto(MfTestOptions) options = {0};
    g_autoptr(GError) error = NULL;

    if (!mf_test_options_parse(&options, argc, argv, &error))
        return mf_cli_fail(error, MF_EXIT_USAGE);
    mf_cli_set_verbosity(options.verbosity);
    return mf_test_run(&options);
}
