/* SPDX-License-Identifier: Apache-2.0 */
#include <gio/gio.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "run/run.h"

/*
 *     soak-runs KERNEL [RUNS]
 *
 * Runs 'true' in that many virtual machines (20), one after the other in this one process, and
 * fails when a run fails, or when the process has more descriptors open or clearly more memory
 * resident after the last run than after the first few. Built with -Db_sanitize=address it also
 * looks for leaks.
 */
#define RUNS_DEFAULT 20
#define RUNS_MAX     100000

/* Runs until caches are warm and the allocator has its pools; and what it may still take then. */
#define WARM_UP_RUNS  3
#define GROWTH_MAX_KB 1024

#ifdef __SANITIZE_ADDRESS__
/* What is freed stays resident for a while under AddressSanitizer: for a short one. */
const char *__asan_default_options(void);

const char *
__asan_default_options(void)
{
    return "quarantine_size_mb=1:thread_local_quarantine_size_kb=64";
}
#endif

static guint
count_descriptors(void)
{
    g_autoptr(GDir) dir = g_dir_open("/proc/self/fd", 0, NULL);
    guint count = 0;

    while (dir && g_dir_read_name(dir))
        count++;
    return count;
}

static guint64
get_resident_kb(void)
{
    g_autofree char *status = NULL;

    if (!g_file_get_contents("/proc/self/status", &status, NULL, NULL))
        return 0;
    const char *line = strstr(status, "VmRSS:");
    return line ? g_ascii_strtoull(line + strlen("VmRSS:"), NULL, 10) : 0;
}

static void
on_finished(GObject *source, GAsyncResult *result, gpointer data)
{
    *(MfResult **)data = mf_run_start_finish(MF_RUN(source), result);
}

static gboolean
run_once(const char *kernel)
{
    static const char *const words[] = {"true", NULL};
    const gboolean open[3] = {FALSE, TRUE, TRUE};
    g_autoptr(MfTarget) target = mf_target_new();
    g_autoptr(MfStdio) stdio = mf_stdio_new(open);
    MfResult *finished = NULL;

    target->kernel = g_strdup(kernel);
    target->argv = g_strdupv((char **)words);
    MfRun *run = mf_run_new(target, stdio);
    mf_run_start_async(run, on_finished, &finished);
    while (!finished)
        g_main_context_iteration(NULL, TRUE);
    while (g_main_context_iteration(NULL, FALSE))
        ;
    g_assert_finalize_object(run);

    g_autoptr(MfResult) result = finished;
    if (result->verdict == MF_VERDICT_EXITED && result->status == 0)
        return TRUE;
    fprintf(stderr, "soak-runs: a run of 'true' failed while it was in %s: %s\n",
            mf_phase_name(result->phase), result->message ? result->message : "a bad exit status");
    return FALSE;
}

int
main(int argc, char **argv)
{
    guint64 runs = RUNS_DEFAULT, resident_kb = 0;
    guint descriptors = 0;

    if (argc < 2 || argc > 3 ||
        (argc == 3 && !g_ascii_string_to_unsigned(argv[2], 10, 1, RUNS_MAX, &runs, NULL))) {
        fprintf(stderr, "Usage: soak-runs KERNEL [RUNS]\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    for (guint64 i = 1; i <= runs; i++) {
        if (!run_once(argv[1]))
            return 1;
        printf("run %" G_GUINT64_FORMAT ": %u descriptors, %" G_GUINT64_FORMAT " KiB resident\n", i,
               count_descriptors(), get_resident_kb());
        fflush(stdout);
        if (i <= WARM_UP_RUNS) {
            descriptors = count_descriptors();
            resident_kb = get_resident_kb();
        }
    }
    if (count_descriptors() > descriptors || get_resident_kb() > resident_kb + GROWTH_MAX_KB) {
        fprintf(stderr,
                "soak-runs: the process grew from %u descriptors and %" G_GUINT64_FORMAT
                " KiB to %u and %" G_GUINT64_FORMAT ".\n",
                descriptors, resident_kb, count_descriptors(), get_resident_kb());
        return 1;
    }
    return 0;
}
