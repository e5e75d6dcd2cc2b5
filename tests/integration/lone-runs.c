/* SPDX-License-Identifier: Apache-2.0 */
#include <gio/gio.h>
#include <signal.h>
#include <stdio.h>

#include "run/run.h"

/*
 *     lone-runs QEMU IMAGE RUNS
 *
 * Runs a bare target of the image that many times, one after the other, in this one process: what
 * the machines of a suite cost without the suite. Each guest has to end QEMU with the status 33.
 */
#define RUNS_MAX          100000
#define SUCCESS_EXIT_CODE 33

static void
on_finished(GObject *source, GAsyncResult *result, gpointer data)
{
    *(MfResult **)data = mf_run_start_finish(MF_RUN(source), result);
}

static gboolean
run_once(const char *qemu, const char *image)
{
    const gboolean open[3] = {FALSE, TRUE, TRUE};
    g_autoptr(MfTarget) target = mf_target_new();
    g_autoptr(MfStdio) stdio = mf_stdio_new(open);
    MfResult *finished = NULL;

    target->bare = TRUE;
    target->success_exit_code = SUCCESS_EXIT_CODE;
    target->qemu = g_strdup(qemu);
    mf_target_set_image(target, image, MF_MEDIUM_DISK);

    g_autoptr(MfRun) run = mf_run_new(target, stdio);
    mf_run_start_async(run, on_finished, &finished);
    while (!finished)
        g_main_context_iteration(NULL, TRUE);

    g_autoptr(MfResult) result = finished;
    if (result->passed)
        return TRUE;
    fprintf(stderr, "lone-runs: a run did not pass: %s\n",
            result->message ? result->message : mf_phase_name(result->phase));
    return FALSE;
}

int
main(int argc, char **argv)
{
    guint64 runs;

    if (argc != 4 || !g_ascii_string_to_unsigned(argv[3], 10, 1, RUNS_MAX, &runs, NULL)) {
        fprintf(stderr, "Usage: lone-runs QEMU IMAGE RUNS\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    for (guint64 i = 0; i < runs; i++)
        if (!run_once(argv[1], argv[2]))
            return 1;
    return 0;
}
