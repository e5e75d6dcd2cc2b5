/* SPDX-License-Identifier: Apache-2.0 */
#include "run/run.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/cli.h"
#include "cli/escape.h"
#include "cli/run-keep.h"
#include "cli/run-options.h"
#include "cli/signals.h"
#include "cli/terminal.h"
#include "machine/machine.h"
#include "report/sink.h"
#include "report/timeline.h"
#include "run/plan.h"
#include "warm/store.h"

/* Beyond this much of it (bytes) that nobody has read, the console is not shown. */
#define CONSOLE_QUEUE_MAX (1u << 20)

/* A reader that takes nothing for so long does without what is left. */
#define READER_PATIENCE_MS 10000

typedef struct {
    MfRun *run; /* borrowed */
    GMainLoop *loop;
    MfResult *result; /* owned; when it is over */
    int cancel_signal;
    MfSignalEcho echo;
    int forwarded;        /* the ending signal that has been given to the command; or 0 */
    MfTerminal *terminal; /* borrowed; NULL without a terminal of the caller's to pass on */
    MfEscape escape;
    MfOutput *console; /* borrowed; where the console is shown; or NULL */
    guint64 left_out;  /* bytes of it */
    gboolean executing;
} RunCli;

static void
on_finished(GObject *source, GAsyncResult *result, gpointer data)
{
    RunCli *self = data;

    self->result = mf_run_start_finish(MF_RUN(source), result);
    g_main_loop_quit(self->loop);
}

static void
pass_window_size(RunCli *self)
{
    guint16 rows, columns;

    if (self->terminal && mf_terminal_get_size(self->terminal, &rows, &columns))
        mf_run_set_window_size(self->run, rows, columns);
}

/* Raw only while the command runs: until then and from then on Ctrl-C is mayfly's. */
static void
attach_terminal(RunCli *self)
{
    if (!self->terminal)
        return;
    if (self->executing)
        mf_terminal_make_raw(self->terminal);
    else
        mf_terminal_restore(self->terminal);
    pass_window_size(self);
}

static void
on_phase_changed(MfRun *run, guint phase, gpointer data)
{
    RunCli *self = data;

    self->executing = phase == MF_PHASE_EXECUTE;
    attach_terminal(self);
}

static void
cancel(RunCli *self, int signal_number, const char *reason)
{
    self->cancel_signal = signal_number;
    mf_run_cancel(self->run, reason);
}

static void
on_typed(MfInput *input, GBytes *bytes, gpointer data)
{
    RunCli *self = data;

    if (mf_escape_feed(&self->escape, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes),
                       g_get_monotonic_time()))
        cancel(self, SIGINT, "Ended by Ctrl-] three times.");
}

/* The signals of job control and of the window are about mayfly's own terminal. Returns FALSE for
 * the others. */
static gboolean
take_terminal_signal(RunCli *self, int signal_number)
{
    if (signal_number == SIGWINCH) {
        pass_window_size(self);
    } else if (signal_number == SIGTSTP) {
        if (self->terminal)
            mf_terminal_restore(self->terminal);
        mf_signals_stop_here();
    } else if (signal_number == SIGCONT) {
        attach_terminal(self);
    } else {
        return FALSE;
    }
    return TRUE;
}

/* The command gets the signal, as it would from a terminal. What would end mayfly ends the run when
 * there is no command to take it, or when the command has been asked before. */
static void
on_signal(int signal_number, gpointer data)
{
    RunCli *self = data;
    gboolean ending = mf_signal_is_ending(signal_number);

    if (take_terminal_signal(self, signal_number))
        return;
    if (ending && mf_signal_echo_is(&self->echo, signal_number, g_get_monotonic_time()))
        return;
    if (!(ending && self->forwarded) && mf_run_forward_signal(self->run, signal_number, ending)) {
        if (ending)
            self->forwarded = signal_number;
        return;
    }
    if (!ending)
        return;

    g_autofree char *reason =
        g_strdup_printf("Ended by signal %d (%s).", signal_number, strsignal(signal_number));
    cancel(self, signal_number, reason);
}

static void
on_console_log(MfRun *run, GBytes *bytes, gpointer sink)
{
    mf_sink_write(sink, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
}

static void
tell_left_out(RunCli *self)
{
    g_autofree char *text =
        g_strdup_printf("mayfly: %" G_GUINT64_FORMAT
                        " bytes of the console are left out here, as nobody read them in time.\n",
                        self->left_out);
    g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));

    if (self->left_out > 0)
        mf_output_write(self->console, bytes);
    self->left_out = 0;
}

/* Between what the command writes there, and like that without waiting for the reader: whatever a
 * kernel says, its time is limited and signals end it. */
static void
on_console(MfRun *run, GBytes *bytes, gpointer data)
{
    RunCli *self = data;

    if (mf_output_get_queued(self->console) >= CONSOLE_QUEUE_MAX) {
        self->left_out += g_bytes_get_size(bytes);
        return;
    }
    tell_left_out(self);
    mf_output_write(self->console, bytes);
}

static gboolean
on_patience_over(gpointer data)
{
    *(gboolean *)data = TRUE;
    return G_SOURCE_REMOVE;
}

/* What the guest wrote before its end is its readers' also where that end was a crash, unless they
 * do not want it: but not for somebody who wants the end. */
static void
await_readers(RunCli *self, MfStdio *stdio)
{
    gsize queued, before = G_MAXSIZE;
    gboolean over = FALSE;
    guint patience = 0;

    while ((queued = mf_stdio_get_queued(stdio)) > 0 && !self->cancel_signal && !over) {
        if (queued < before) {
            g_clear_handle_id(&patience, g_source_remove);
            patience = g_timeout_add(READER_PATIENCE_MS, on_patience_over, &over);
        }
        before = queued;
        g_main_context_iteration(NULL, TRUE);
    }
    if (!over)
        g_clear_handle_id(&patience, g_source_remove);
}

/* What failed the run, as the kernel said it, where that is not to be seen already. */
static void
report_splats(const MfResult *result, gboolean console_shown)
{
    for (guint i = 0; i < result->splats->len && !console_shown; i++) {
        const MfSplat *splat = g_ptr_array_index(result->splats, i);

        if (splat->fails && !(result->console_tail && strstr(result->console_tail, splat->title)))
            fprintf(stderr, "%s\n", splat->report);
    }
}

static void
report(const MfResult *result, gboolean console_shown)
{
    if (result->console_tail && *result->console_tail && !console_shown)
        fprintf(stderr, "mayfly: the console's last lines:\n%s\n", result->console_tail);
    report_splats(result, console_shown);
    if (result->message)
        mf_cli_complain("%s", result->message);
    for (guint i = 0; i < result->notes->len; i++)
        mf_cli_complain("%s", (const char *)g_ptr_array_index(result->notes, i));
    for (MfPhase phase = 0; phase < MF_N_PHASES; phase++)
        g_debug("%-9s %9.3f ms", mf_phase_name(phase), (double)result->phase_us[phase] / 1000);
}

static int
print_qemu(const MfTarget *target)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MfPlan) plan = mf_plan_new(target, mf_cli_get_stdio_open(), &error);

    if (!plan)
        return mf_cli_fail(error, MF_EXIT_UNAVAILABLE);

    g_autofree char *text = mf_machine_describe_start(plan->spec);
    fputs(text, stdout);
    return 0;
}

/* Runs to the end; the result stays in 'self'. */
static void
run_to_end(RunCli *self, MfStdio *stdio, gboolean console)
{
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);

    self->loop = loop;
    self->console = console ? stdio->output[2] : NULL;
    mf_signals_watch(on_signal, self);
    if (self->console)
        g_signal_connect(self->run, "console", G_CALLBACK(on_console), self);
    g_signal_connect(self->run, "phase-changed", G_CALLBACK(on_phase_changed), self);
    if (self->terminal)
        g_signal_connect(stdio->input, "received", G_CALLBACK(on_typed), self);
    mf_run_start_async(self->run, on_finished, self);
    g_main_loop_run(loop);
    if (self->console)
        tell_left_out(self);
    await_readers(self, stdio);
}

static char *
describe_command(const MfTarget *target)
{
    if (target->bare)
        return g_strdup("a guest without a command");
    if (target->shell)
        return g_strdup(target->shell);
    return target->argv ? g_strjoinv(" ", target->argv) : g_strdup("a login shell");
}

/* FALSE, and said, when it could not be written. */
static gboolean
write_timeline(MfSink *sink, const MfTarget *target, const MfResult *result)
{
    g_autofree char *title = describe_command(target);
    g_autofree char *picture = mf_timeline_to_svg(title, result);
    g_autoptr(GError) error = NULL;

    mf_sink_write_text(sink, picture);
    if (mf_sink_close(sink, &error))
        return TRUE;
    mf_cli_complain("%s", error->message);
    return FALSE;
}

/* What there is to be written while it runs and when it is over; all may be NULL. */
typedef struct {
    MfSink *console_log; /* owned */
    MfSink *timeline;    /* owned */
    MfRunKeep *keep;     /* owned */
} Records;

static void
records_clear(Records *self)
{
    g_clear_pointer(&self->console_log, mf_sink_free);
    g_clear_pointer(&self->timeline, mf_sink_free);
    g_clear_pointer(&self->keep, mf_run_keep_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Records, records_clear)

/* A log's directory is made for it. */
static MfSink *
open_console_log(const char *path, GError **error)
{
    g_autofree char *directory = g_path_get_dirname(path);

    /* Where it cannot be made the file cannot be either, which is told. */
    g_mkdir_with_parents(directory, 0755);
    return mf_sink_open(path, MF_SINK_LIVE, error);
}

/* Before anything runs, so that what cannot be written is told before. */
static gboolean
open_records(const MfRunOptions *options, Records *records, GError **error)
{
    if (options->console_log) {
        records->console_log = open_console_log(options->console_log, error);
        if (!records->console_log)
            return FALSE;
    }
    if (options->timeline) {
        records->timeline = mf_sink_open(options->timeline, MF_SINK_WHOLE, error);
        if (!records->timeline)
            return FALSE;
    }
    if (mf_run_keep_is_wanted(options))
        records->keep = mf_run_keep_new(options, error);
    return records->keep || !mf_run_keep_is_wanted(options);
}

/* FALSE, and said, when something could not be written. */
static gboolean
write_records(const Records *records, MfTarget *target, MfResult *result, gboolean tell)
{
    g_autofree char *name = describe_command(target);
    g_autoptr(GError) error = NULL;
    gboolean good = !records->timeline || write_timeline(records->timeline, target, result);

    if (records->console_log && !mf_sink_close(records->console_log, &error)) {
        mf_cli_complain("%s", error->message);
        g_clear_error(&error);
        good = FALSE;
    }
    if (!records->keep)
        return good;
    if (!mf_run_keep_finish(records->keep, name, target, result, &error)) {
        mf_cli_complain("%s", error->message);
        return FALSE;
    }
    if (tell && mf_run_keep_get_path(records->keep))
        mf_cli_complain("The run's console, output and result are in '%s'.",
                        mf_run_keep_get_path(records->keep));
    return good;
}

static int
run_target(const MfRunOptions *options, const Records *records)
{
    MfTarget *target = options->target;
    g_autoptr(MfTerminal) terminal = target->tty ? mf_terminal_new(STDIN_FILENO) : NULL;
    g_autoptr(MfStdio) stdio = mf_stdio_new(mf_cli_get_stdio_open());
    RunCli self = {.terminal = terminal};

    if (terminal)
        mf_terminal_get_size(terminal, &target->rows, &target->columns);
    g_autoptr(MfRun) run = self.run = mf_run_new(target, stdio);
    if (records->console_log)
        g_signal_connect(run, "console", G_CALLBACK(on_console_log), records->console_log);
    if (records->keep)
        mf_run_keep_follow(records->keep, run, stdio);
    run_to_end(&self, stdio, options->console);
    /* A bare guest's console is the standard output. */
    report(self.result, options->console || target->bare);
    int status =
        mf_cli_exit_status(self.result, self.cancel_signal ? self.cancel_signal : self.forwarded);
    if (!write_records(records, target, self.result, !options->run_dir) && status == 0)
        status = MF_EXIT_UNAVAILABLE;
    mf_result_free(self.result);
    return status;
}

void
mf_cli_run_describe(GPtrArray *verbs)
{
    mf_run_options_describe(verbs, NULL);
}

int
mf_cli_run(int argc, char **argv)
{
    g_auto(MfRunOptions) options = {0};
    g_autoptr(GError) error = NULL;

    if (!mf_run_options_parse(&options, argc, argv, &error))
        return mf_cli_fail(error, MF_EXIT_USAGE);
    mf_cli_set_verbosity(options.verbosity);
    if (options.print_qemu)
        return print_qemu(options.target);

    guint64 warm_max;
    if (!mf_warm_store_get_max(&warm_max, &error))
        return mf_cli_fail(error, MF_EXIT_USAGE);

    g_auto(Records) records = {0};
    if (!open_records(&options, &records, &error))
        return mf_cli_fail(error, MF_EXIT_USAGE);
    return run_target(&options, &records);
}
