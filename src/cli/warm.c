/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/warm.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/parse.h"
#include "cli/cli.h"
#include "cli/run-options.h"
#include "cli/signals.h"
#include "cli/syntax.h"
#include "run/boot.h"
#include "run/plan.h"
#include "warm/key.h"
#include "warm/store.h"

#define ID_SHOWN 12

typedef struct {
    GMainLoop *loop;
    GError *error; /* owned */
} Job;

static int
fail(const GError *error)
{
    mf_cli_complain("%s", error->message);
    return g_error_matches(error, MF_ERROR, MF_ERROR_CONFIG) ? MF_EXIT_USAGE : MF_EXIT_UNAVAILABLE;
}

static int
list(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) items = mf_warm_store_list(&error);

    if (!items)
        return fail(error);
    for (guint i = 0; i < items->len; i++) {
        const MfWarmItem *item = g_ptr_array_index(items, i);
        g_autofree char *size = mf_format_size(item->size);
        g_autoptr(GDateTime) used = g_date_time_new_from_unix_local(item->used / G_USEC_PER_SEC);
        g_autofree char *when = used ? g_date_time_format(used, "%F %T") : g_strdup("-");
        const char *label = item->label ? item->label : "";

        printf("%.*s  %10s  %s  %s%s\n", ID_SHOWN, item->id, size, when,
               item->busy     ? "(is being saved) "
               : item->broken ? "(unfinished) "
                              : "",
               label);
    }
    return 0;
}

static int
prune(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    guint64 max = 0;

    /* Whatever is left over, and what is beyond the bound; with a size, beyond that. */
    if (argc > 1 ? !mf_parse_size(argv[1], MF_MIB, &max, &error)
                 : !mf_warm_store_get_max(&max, &error))
        return fail(error);
    mf_warm_store_prune(max, NULL);
    return 0;
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
        *ret_status = fail(error);
    return plan;
}

static int
key(int argc, char **argv)
{
    static const MfRunOptionsUse use = {
        "mayfly warm key", "Shows what the machine that these options make is known by."};
    g_auto(MfRunOptions) options = {.use = &use};
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
        return fail(error);

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
build(int argc, char **argv)
{
    static const MfRunOptionsUse use = {
        "mayfly warm build", "Saves the machine that 'mayfly run' with these options restores."};
    g_auto(MfRunOptions) options = {.use = &use};
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
    status = fail(error);
    return cancel.caught ? MF_EXIT_SIGNAL_BASE + cancel.caught : status;
}

static const struct {
    const char *name;
    const char *operands;
    const char *summary;
    int operands_max; /* -1 for a verb with the options of 'mayfly run', which parses them itself */
    int (*run)(int argc, char **argv);
} verbs[] = {
    {"list", "", "show the saved machines, the one used last first", 0, list},
    {"build", " [RUN-OPTION]...", "save the machine that 'mayfly run' with these options restores",
     -1, build},
    {"key", " [RUN-OPTION]...", "show what that machine is known by", -1, key},
    {"prune", " [SIZE]", "remove what is left over, and machines beyond SIZE (0: all)", 1, prune},
};

static void
print_verb_help(gsize verb)
{
    printf("Usage: mayfly warm %s%s\n\n%c%s.\n", verbs[verb].name, verbs[verb].operands,
           g_ascii_toupper(verbs[verb].summary[0]), verbs[verb].summary + 1);
}

static void
print_help(FILE *to)
{
    fputs("Usage: mayfly warm VERB [ARGUMENT]...\n\nVerbs:\n", to);
    for (gsize i = 0; i < G_N_ELEMENTS(verbs); i++) {
        g_autofree char *usage = g_strconcat(verbs[i].name, verbs[i].operands, NULL);

        fprintf(to, "  %-24s %s\n", usage, verbs[i].summary);
    }
    fputs("\nA machine is saved by the first run that needs it, and restored by the later ones.\n"
          "The cache holds at most $MAYFLY_WARM_MAX of them (default: 4G); the one used longest\n"
          "ago goes first.\n\n'mayfly warm VERB --help' tells more.\n",
          to);
}

static gboolean
is_help(const char *word)
{
    return g_strcmp0(word, "-h") == 0 || g_strcmp0(word, "--help") == 0;
}

/* Runs the verb argv[0] of 'mayfly warm'. */
static int
run_verb(gsize verb, int argc, char **argv)
{
    int max = verbs[verb].operands_max;

    if (max >= 0 && argc > 1 && is_help(argv[1])) {
        print_verb_help(verb);
        return 0;
    }
    if (max >= 0 && argc - 1 > max) {
        mf_cli_complain("'mayfly warm %s' does not know what to do with '%s'; 'mayfly warm %s "
                        "--help' tells more.",
                        argv[0], argv[max + 1], argv[0]);
        return MF_EXIT_USAGE;
    }
    return verbs[verb].run(argc, argv);
}

void
mf_cli_warm_describe(GPtrArray *syntax)
{
    for (gsize i = 0; i < G_N_ELEMENTS(verbs); i++) {
        g_autofree char *name = g_strconcat("warm ", verbs[i].name, NULL);
        g_autofree char *summary = g_strconcat(verbs[i].summary, ".", NULL);

        summary[0] = g_ascii_toupper(summary[0]);
        if (verbs[i].operands_max < 0)
            mf_run_options_describe(syntax, name, "", summary);
        else
            mf_syntax_add(syntax, name, *verbs[i].operands ? verbs[i].operands + 1 : "", summary,
                          NULL, NULL);
    }
}

int
mf_cli_warm(int argc, char **argv)
{
    if (argc > 1 && is_help(argv[1])) {
        print_help(stdout);
        return 0;
    }
    for (gsize i = 0; argc > 1 && i < G_N_ELEMENTS(verbs); i++)
        if (g_str_equal(argv[1], verbs[i].name))
            return run_verb(i, argc - 1, argv + 1);
    if (argc > 1)
        mf_cli_complain("'%s' is not something 'mayfly warm' can do.", argv[1]);
    print_help(stderr);
    return MF_EXIT_USAGE;
}
