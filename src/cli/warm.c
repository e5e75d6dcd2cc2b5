/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/warm.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/parse.h"
#include "cli/cli.h"
#include "cli/run-options.h"
#include "cli/signals.h"
#include "report/text.h"
#include "run/boot.h"
#include "run/plan.h"
#include "warm/key.h"
#include "warm/store.h"

#define ID_SHOWN 12

static const char run_options[] = "Its options are those of 'mayfly run'.";

typedef struct {
    GMainLoop *loop;
    GError *error; /* owned */
} Job;

static int
list(const MfSubverb *verb, int argc, char **argv)
{
    g_autoptr(MfVerbOptions) options = mf_subverb_new_options(verb, NULL);
    g_autoptr(GError) error = NULL;

    if (!mf_verb_options_parse(options, argc, argv))
        return MF_EXIT_USAGE;

    g_autoptr(GPtrArray) items = mf_warm_store_list(&error);

    if (!items)
        return mf_cli_fail(error, MF_EXIT_USAGE);
    for (guint i = 0; i < items->len; i++) {
        const MfWarmItem *item = g_ptr_array_index(items, i);
        g_autofree char *size = mf_format_size(item->size);
        g_autoptr(GDateTime) used = g_date_time_new_from_unix_local(item->used / G_USEC_PER_SEC);
        g_autofree char *when = used ? g_date_time_format(used, "%F %T") : g_strdup("-");
        /* A name of a file, which may have anything in it. */
        g_autofree char *label = item->label ? mf_text_clean_line(item->label) : g_strdup("");

        printf("%.*s  %10s  %s  %s%s\n", ID_SHOWN, item->id, size, when,
               item->busy     ? "(is being saved) "
               : item->broken ? "(unfinished) "
                              : "",
               label);
    }
    return 0;
}

static int
prune(const MfSubverb *verb, int argc, char **argv)
{
    g_auto(GStrv) size = NULL;
    g_autoptr(MfVerbOptions) options = mf_subverb_new_options(verb, &size);
    g_autoptr(GError) error = NULL;
    guint64 max = 0;

    if (!mf_verb_options_parse(options, argc, argv))
        return MF_EXIT_USAGE;

    /* Whatever is left over, and what is beyond the bound; with a size, beyond that. */
    if (size ? !mf_parse_size(size[0], MF_MIB, &max, &error) : !mf_warm_store_get_max(&max, &error))
        return mf_cli_fail(error, MF_EXIT_USAGE);
    return mf_warm_store_prune(max, NULL, &error) ? 0 : mf_cli_fail(error, MF_EXIT_USAGE);
}

/* The plan of a run with these options, which are those of 'mayfly run' without a command. */
static MfPlan *
make_plan(MfRunOptions *options, int argc, char **argv, int *ret_status)
{
    g_autoptr(GError) error = NULL;
    MfPlan *plan = NULL;

    if (!mf_run_options_parse(options, argc, argv, &error)) {
        mf_cli_complain("%s", error->message);
        *ret_status = MF_EXIT_USAGE;
        return NULL;
    }
    mf_cli_set_verbosity(options->verbosity);
    plan = mf_plan_new(options->target, mf_cli_get_stdio_open(), &error);
    if (!plan)
        *ret_status = mf_cli_fail(error, MF_EXIT_USAGE);
    return plan;
}

static int
key(const MfSubverb *verb, int argc, char **argv)
{
    g_auto(MfRunOptions) options = {.verb = verb};
    int status = 0;
    g_autoptr(MfPlan) plan = make_plan(&options, argc, argv, &status);
    g_auto(MfWarmFacts) facts = {0};
    g_autoptr(GError) error = NULL;

    if (!plan)
        return status;

    const char *why_not = mf_warm_why_not(plan->spec);
    if (why_not) {
        mf_cli_complain("This machine cannot be saved: %s.", why_not);
        return MF_EXIT_UNAVAILABLE;
    }
    if (!mf_warm_facts_gather(plan->spec, &facts, &error))
        return mf_cli_fail(error, MF_EXIT_USAGE);

    g_autoptr(MfWarmKey) made = mf_warm_key_new(plan->spec, &facts);
    printf("%s\n\n%s", made->id, made->text);
    return 0;
}

static void
on_saved(GObject *source, GAsyncResult *result, gpointer data)
{
    Job *job = data;

    mf_boot_save_finish(MF_BOOT(source), result, &job->error);
    g_main_loop_quit(job->loop);
}

static int
build(const MfSubverb *verb, int argc, char **argv)
{
    g_auto(MfRunOptions) options = {.verb = verb};
    int status = 0;
    g_autoptr(MfPlan) plan = make_plan(&options, argc, argv, &status);

    if (!plan)
        return status;

    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    MfSignalCancel cancel = {.cancellable = cancellable};
    Job job = {.loop = loop};
    {
        g_autoptr(MfBoot) boot = mf_boot_new(plan, options.target);
        guint signals = mf_signals_watch_cancel(&cancel);

        mf_boot_save_async(boot, cancellable, on_saved, &job);
        g_main_loop_run(loop);
        g_source_remove(signals);
    }
    if (!job.error)
        return 0;

    g_autoptr(GError) error = job.error;
    status = mf_cli_fail(error, MF_EXIT_USAGE);
    return cancel.caught ? MF_EXIT_SIGNAL_BASE + cancel.caught : status;
}

/* Those with HAS_RUN_OPTIONS have the options of 'mayfly run', which reads them. */
enum { HAS_RUN_OPTIONS = 1 };

static const MfSubverb verbs[] = {
    {.program = "mayfly warm list",
     .summary = "show the saved machines, the one used last first",
     .run = list},
    {.program = "mayfly warm build",
     .summary = "save the machine that 'mayfly run' with these options restores",
     .description = run_options,
     .options = HAS_RUN_OPTIONS,
     .run = build},
    {.program = "mayfly warm key",
     .summary = "show what the machine that these options make is known by",
     .description = run_options,
     .options = HAS_RUN_OPTIONS,
     .run = key},
    {.program = "mayfly warm prune",
     .operands = {"[SIZE]", NULL, 0, 1},
     .summary = "remove what is left over, and machines beyond SIZE (0: all)",
     .run = prune},
    {NULL},
};

void
mf_cli_warm_describe(GPtrArray *syntax)
{
    for (const MfSubverb *verb = verbs; verb->program; verb++) {
        g_autoptr(MfVerbOptions) options = NULL;

        if (verb->options & HAS_RUN_OPTIONS) {
            mf_run_options_describe(syntax, verb);
            continue;
        }
        options = mf_subverb_new_options(verb, NULL);
        mf_verb_options_describe(options, syntax);
    }
}

int
mf_cli_warm(int argc, char **argv)
{
    return mf_subverbs_run(
        verbs,
        "A machine is saved by the first run that needs it, and restored by the "
        "later ones.\nThe cache holds at most $MAYFLY_WARM_MAX of them (default: "
        "4G); the one used longest\nago goes first.",
        argc, argv);
}
