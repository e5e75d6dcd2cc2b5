/* SPDX-License-Identifier: Apache-2.0 */
#include "run/run.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/run-options.h"
#include "cli/signals.h"
#include "run/plan.h"

typedef struct {
    MfRun *run; /* borrowed */
    GMainLoop *loop;
    MfResult *result; /* owned; when it is over */
    int cancel_signal;
    gboolean forwarded; /* an ending signal has been given to the command */
} RunCli;

static void
on_finished(GObject *source, GAsyncResult *result, gpointer data)
{
    RunCli *self = data;

    self->result = mf_run_start_finish(MF_RUN(source), result);
    g_main_loop_quit(self->loop);
}

static gboolean
is_ending(int signal_number)
{
    return signal_number == SIGINT || signal_number == SIGTERM || signal_number == SIGHUP ||
           signal_number == SIGQUIT;
}

/* The command gets the signal, as it would from a terminal. What would end mayfly ends the run when
 * there is no command to take it, or when the command has been asked before. */
static void
on_signal(int signal_number, gpointer data)
{
    RunCli *self = data;
    gboolean ending = is_ending(signal_number);

    if (!(ending && self->forwarded) && mf_run_forward_signal(self->run, signal_number)) {
        self->forwarded |= ending;
        return;
    }
    if (!ending)
        return;

    g_autofree char *reason =
        g_strdup_printf("Ended by signal %d (%s).", signal_number, strsignal(signal_number));
    self->cancel_signal = signal_number;
    mf_run_cancel(self->run, reason);
}

static void
on_console(MfRun *run, GBytes *bytes, gpointer data)
{
    fwrite(g_bytes_get_data(bytes, NULL), 1, g_bytes_get_size(bytes), stderr);
}

static void
report(const MfResult *result, gboolean console_shown)
{
    if (result->console_tail && *result->console_tail && !console_shown)
        fprintf(stderr, "mayfly: the console's last lines:\n%s\n", result->console_tail);
    if (result->message)
        mf_cli_complain("%s", result->message);
    if (result->output_held)
        mf_cli_complain("Something the command left behind still holds its output open; what it "
                        "writes later is lost.");
    for (MfPhase phase = 0; phase < MF_N_PHASES; phase++)
        g_debug("%-9s %9.3f ms", mf_phase_name(phase), (double)result->phase_us[phase] / 1000);
}

static int
print_qemu(const MfTarget *target)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MfPlan) plan = mf_plan_new(target, mf_cli_get_stdio_open(), &error);

    if (!plan) {
        mf_cli_complain("%s", error->message);
        return MF_EXIT_UNAVAILABLE;
    }

    g_autoptr(MfArgv) argv = mf_spec_to_argv(plan->spec);
    g_autofree char *lines = mf_argv_to_lines(argv);
    puts(lines);
    return 0;
}

int
mf_cli_run(int argc, char **argv)
{
    g_auto(MfRunOptions) options = {0};
    g_autoptr(GError) error = NULL;

    if (!mf_run_options_parse(&options, argc, argv, &error)) {
        mf_cli_complain("%s", error->message);
        return MF_EXIT_USAGE;
    }
    mf_cli_set_verbosity(options.verbosity);
    if (options.print_qemu)
        return print_qemu(options.target);

    g_autoptr(MfStdio) stdio = mf_stdio_new(mf_cli_get_stdio_open());
    g_autoptr(MfRun) run = mf_run_new(options.target, stdio);
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    RunCli self = {.run = run, .loop = loop};

    mf_signals_watch(on_signal, &self);
    if (options.console)
        g_signal_connect(run, "console", G_CALLBACK(on_console), NULL);
    mf_run_start_async(run, on_finished, &self);
    g_main_loop_run(loop);

    report(self.result, options.console);
    int status = mf_cli_exit_status(self.result, self.cancel_signal);
    mf_result_free(self.result);
    return status;
}
