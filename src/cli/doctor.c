/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/doctor.h"

#include <stdio.h>

#include "cli/cli.h"
#include "cli/verb-options.h"
#include "machine/doctor-facts.h"
#include "report/doctor.h"
#include "run/target.h"
#include "suite/jobs.h"
#include "warm/store.h"

static const char description[] =
    "PASS: it is there. WARN: mayfly works, but not all of it, or slowly. FAIL: nothing can be "
    "run.\n"
    "Below what is wrong is what to do about it.\n"
    "\n"
    "Exit status: 1 when something failed, 2 for a usage error, else 0.\n"
    "\n"
    "Example: mayfly doctor";

typedef struct {
    GMainLoop *loop;      /* borrowed */
    MfDoctorFacts *facts; /* owned; the result */
} Visit;

typedef struct {
    char *root; /* owned; or NULL */
    gboolean json;
} Arguments;

static void
arguments_clear(Arguments *self)
{
    g_free(self->root);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Arguments, arguments_clear)

static MfVerbOptions *
make_options(Arguments *arguments)
{
    const GOptionEntry entries[] = {
        {"json", 0, 0, G_OPTION_ARG_NONE, &arguments->json, "Print JSON instead of text", NULL},
        {"root", 0, 0, G_OPTION_ARG_FILENAME, &arguments->root,
         "Look for the distribution, its kernels and firmware below DIR (default: /)", "DIR"},
        {NULL}};
    MfVerbOptions *options = mf_verb_options_new(
        "mayfly doctor", "Looks whether this host can run VMs, and what it lacks.", description);

    mf_verb_options_add(options, entries);
    return options;
}

static void
on_gathered(GObject *source, GAsyncResult *result, gpointer data)
{
    Visit *visit = data;

    visit->facts = mf_doctor_facts_gather_finish(result);
    g_main_loop_quit(visit->loop);
}

/* What the layers above the machine know. */
static void
complete(MfDoctorFacts *facts, guint64 warm_max)
{
    g_autoptr(MfTarget) target = mf_target_new();
    g_autoptr(GPtrArray) machines = mf_warm_store_list(NULL);
    MfCapacity capacity;

    mf_capacity_probe(&capacity);
    facts->memory = capacity.memory;
    facts->guest_memory = target->memory;
    for (guint i = 0; machines && i < machines->len; i++)
        facts->warm_size += ((const MfWarmItem *)machines->pdata[i])->size;
    facts->warm_max = warm_max;
}

static MfDoctorFacts *
gather(const char *root, guint64 warm_max)
{
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    Visit visit = {.loop = loop};

    mf_doctor_facts_gather_async(root, on_gathered, &visit);
    g_main_loop_run(loop);
    complete(visit.facts, warm_max);
    return visit.facts;
}

void
mf_cli_doctor_describe(GPtrArray *verbs)
{
    Arguments arguments = {0};
    g_autoptr(MfVerbOptions) options = make_options(&arguments);

    mf_verb_options_describe(options, verbs);
}

int
mf_cli_doctor(int argc, char **argv)
{
    g_auto(Arguments) arguments = {0};
    g_autoptr(MfVerbOptions) options = make_options(&arguments);
    g_autoptr(GError) error = NULL;
    guint64 warm_max;

    if (!mf_verb_options_parse(options, argc, argv))
        return MF_EXIT_USAGE;
    if (arguments.root && !g_file_test(arguments.root, G_FILE_TEST_IS_DIR)) {
        mf_cli_complain("There is no directory '%s' to look below.", arguments.root);
        return MF_EXIT_USAGE;
    }
    if (!mf_warm_store_get_max(&warm_max, &error))
        return mf_cli_fail(error, MF_EXIT_USAGE);

    g_autoptr(MfDoctorFacts) facts = gather(arguments.root ? arguments.root : "/", warm_max);
    g_autoptr(GPtrArray) checks = mf_doctor_examine(facts);
    g_autofree char *text = arguments.json ? mf_report_doctor_json(checks, facts->distro)
                                           : mf_report_doctor_text(checks);

    fputs(text, stdout);
    return mf_doctor_judge(checks) == MF_DOCTOR_FAIL ? MF_EXIT_UNMET : 0;
}
