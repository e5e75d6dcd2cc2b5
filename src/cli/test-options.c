/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/test-options.h"

#include "base/error.h"
#include "base/parse.h"
#include "cli/verb-options.h"
#include "suite/shard.h"
#include "wire/json.h"

#define JOBS_MAX    1000
#define RETRIES_MAX 100

static const char description[] =
    "Without --config, mayfly.toml is looked for, else vmtest.toml, from the current directory\n"
    "upwards to the root of the repository.\n"
    "\n"
    "Ctrl-C ends all targets in order and still writes the reports; a second one kills them.\n"
    "\n"
    "Exit status: of one target, its own, as 'mayfly run' gives it; of several, how many did not\n"
    "pass, at most 100. 4 when no target matches, 78 for a bad config file, 77 with "
    "--skip-missing\n"
    "or --grid when all were skipped, 128+N after signal N, 2 for a usage error.\n"
    "\n"
    "Example: mayfly test -f 'net.*' --tag quick --report junit=results.xml";

/* The option values as GOption stores them, before they are understood. */
typedef struct {
    char *jobs, *shard, *retries, *output, *connect;
    char **set, **shared_paths, **rest;
} RawOptions;

static void
raw_clear(RawOptions *raw)
{
    g_free(raw->jobs);
    g_free(raw->shard);
    g_free(raw->retries);
    g_free(raw->output);
    g_free(raw->connect);
    g_strfreev(raw->set);
    g_strfreev(raw->shared_paths);
    g_strfreev(raw->rest);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RawOptions, raw_clear)

/* Which targets, and what they are. */
static void
add_choice_entries(MfVerbOptions *options, MfTestOptions *self, RawOptions *raw)
{
    const GOptionEntry entries[] = {
        {"config", 'c', 0, G_OPTION_ARG_FILENAME, &self->config, "The config file", "FILE"},
        {"profile", 0, 0, G_OPTION_ARG_STRING, &self->profile,
         "Use the keys of [profile.NAME] in place of the targets' own", "NAME"},
        {"set", 0, 0, G_OPTION_ARG_STRING_ARRAY, &raw->set,
         "Set a key of every target, to a value of TOML", "KEY=VALUE"},
        {"filter", 'f', 0, G_OPTION_ARG_STRING, &self->filter,
         "Only targets whose name matches somewhere", "REGEX"},
        {"tag", 0, 0, G_OPTION_ARG_STRING_ARRAY, &self->tags,
         "Only targets with this tag, or with one of several", "TAG"},
        {"failed", 0, 0, G_OPTION_ARG_NONE, &self->failed,
         "Only targets that did not pass when they last ran", NULL},
        {"shard", 0, 0, G_OPTION_ARG_STRING, &raw->shard,
         "Only the I-th of N parts, the same parts everywhere; auto: as the CI system says",
         "I/N|auto"},
        {"durations", 0, 0, G_OPTION_ARG_FILENAME, &self->durations,
         "Make the parts take equally long, by the result of an earlier run (--report json=FILE)",
         "FILE"},
        {"persona", 0, 0, G_OPTION_ARG_STRING_ARRAY, &self->personas,
         "Run the targets on this persona; with --grid, once for each", "ID"},
        {"grid", 0, 0, G_OPTION_ARG_NONE, &self->grid,
         "Run targets tagged 'scenario' on every persona, and show a table of it", NULL},
        {"dry-run", 0, 0, G_OPTION_ARG_NONE, &self->dry_run,
         "With --grid: run none, and show and report which there are", NULL},
        {"list", 0, 0, G_OPTION_ARG_NONE, &self->list, "Show the targets, and run none", NULL},
        {"json", 0, 0, G_OPTION_ARG_NONE, &self->list_json, "With --list: as JSON", NULL},
        {"github", 0, 0, G_OPTION_ARG_NONE, &self->list_github,
         "With --list: as the matrix of a GitHub job", NULL},
        {NULL},
    };

    mf_verb_options_add(options, entries);
}

/* How they are run, and what is said of it. */
static void
add_run_entries(MfVerbOptions *options, MfTestOptions *self, RawOptions *raw)
{
    const GOptionEntry entries[] = {
        {"jobs", 'j', 0, G_OPTION_ARG_STRING, &raw->jobs,
         "Targets that run at once (default: by CPUs and memory)", "N"},
        {"retries", 0, 0, G_OPTION_ARG_STRING, &raw->retries,
         "Run a target that fails up to N times again", "N"},
        {"fail-fast", 0, 0, G_OPTION_ARG_NONE, &self->fail_fast,
         "Start no target any more after one that did not pass", NULL},
        {"skip-missing", 0, 0, G_OPTION_ARG_NONE, &self->skip_missing,
         "Skip targets whose kernel, image or QEMU is not here, too", NULL},
        {"connect", 0, 0, G_OPTION_ARG_STRING, &raw->connect,
         "Have the libvirt at URI start the machines, such as qemu:///session", "URI"},
        {"shared-path", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &raw->shared_paths,
         "A directory that is the same on the host that --connect leads to", "DIR"},
        {"output", 0, 0, G_OPTION_ARG_STRING, &raw->output,
         "When to show what commands write (default: on-failure)", "live|on-failure|never"},
        {"report", 0, 0, G_OPTION_ARG_STRING_ARRAY, &self->reports,
         "Write a report; '-' is the standard output",
         "json|junit|tap|metrics|grid-json|grid-markdown|grid-html=FILE"},
        {"run-dir", 0, 0, G_OPTION_ARG_FILENAME, &self->run_dir,
         "Keep each target's console, output, result and QEMU command line in DIR", "DIR"},
        {"keep", 0, 0, G_OPTION_ARG_NONE, &self->keep,
         "The same, in a new directory below that of temporary files", NULL},
        {NULL},
    };

    mf_verb_options_add(options, entries);
}

static MfVerbOptions *
make_options(MfTestOptions *self, RawOptions *raw)
{
    const MfOperands any = {NULL, NULL, 0, G_MAXUINT}; /* check() says why there are none */
    MfVerbOptions *options = mf_verb_options_new(
        "mayfly test", "Runs the targets of a config file, each in a VM.", description);

    add_choice_entries(options, self, raw);
    add_run_entries(options, self, raw);
    mf_verb_options_add_verbose(options, &self->verbosity);
    mf_verb_options_add_operands(options, &any, &raw->rest);
    return options;
}

static void
add_setting(MfTestOptions *self, const char *option, char *setting)
{
    g_ptr_array_add(self->set, g_strdup(option));
    g_ptr_array_add(self->set, setting);
}

/* The targets' own directories give way to these. */
static void
add_shared_paths(MfTestOptions *self, char **paths)
{
    g_autoptr(json_object) list = json_object_new_array();

    for (; paths && *paths; paths++) {
        g_autofree char *path = g_canonicalize_filename(*paths, NULL);

        json_object_array_add(list, json_object_new_string(path));
    }
    /* Such a text is the same in TOML. */
    if (json_object_array_length(list) > 0)
        add_setting(
            self, "--shared-path",
            g_strconcat("shared_paths=",
                        json_object_to_json_string_ext(list, JSON_C_TO_STRING_NOSLASHESCAPE),
                        NULL));
}

static gboolean
read_shard(MfTestOptions *self, const char *text, GError **error)
{
    g_auto(GStrv) environment = g_get_environ();

    if (!text)
        return TRUE;
    return g_str_equal(text, "auto")
               ? mf_shard_read_environment(environment, &self->shard, &self->shards, error)
               : mf_select_parse_shard(text, &self->shard, &self->shards, error);
}

static gboolean
read_numbers(MfTestOptions *self, const RawOptions *raw, GError **error)
{
    guint64 jobs = 0, retries = 0;

    if (raw->jobs && !mf_parse_uint(raw->jobs, "number of jobs", 1, JOBS_MAX, &jobs, error))
        return FALSE;
    if (raw->retries &&
        !mf_parse_uint(raw->retries, "number of retries", 0, RETRIES_MAX, &retries, error))
        return FALSE;
    if (!read_shard(self, raw->shard, error))
        return FALSE;
    self->jobs = (guint)jobs;
    if (raw->retries)
        add_setting(self, "--retries", g_strdup_printf("retries=%" G_GUINT64_FORMAT, retries));
    return TRUE;
}

static gboolean
has_grid_report(const MfTestOptions *self)
{
    for (char **spec = self->reports; spec && *spec; spec++)
        if (g_str_has_prefix(*spec, "grid-"))
            return TRUE;
    return FALSE;
}

static gboolean
check(const MfTestOptions *self, const RawOptions *raw, GError **error)
{
    const char *complaint = NULL;

    if (self->list_json && self->list_github)
        complaint = "--json and --github are two forms of one list: leave one of them out.";
    else if ((self->list_json || self->list_github) && !self->list)
        complaint = "--json and --github are forms of --list: give that too.";
    else if (self->durations && !raw->shard)
        complaint = "--durations is about shards: say with --shard which one this is.";
    else if (raw->rest)
        complaint = "'mayfly test' takes no arguments but options: what a target runs is in the "
                    "config file, and -f selects targets.";
    else if (self->dry_run && !self->grid)
        complaint = "--dry-run is about a grid: give --grid too, or --list instead.";
    else if (!self->grid && self->personas && self->personas[1])
        complaint = "Several personas make a grid: give --grid too, or one --persona only.";
    else if (!self->grid && has_grid_report(self))
        complaint = "The reports grid-json, grid-markdown and grid-html are about a grid: give "
                    "--grid too.";
    if (complaint)
        g_set_error_literal(error, MF_ERROR, MF_ERROR_CONFIG, complaint);
    return complaint == NULL;
}

gboolean
mf_test_options_parse(MfTestOptions *self, int argc, char **argv, GError **error)
{
    g_auto(RawOptions) raw = {0};
    g_autoptr(MfVerbOptions) options = make_options(self, &raw);

    self->set = g_ptr_array_new_with_free_func(g_free);
    if (!mf_verb_options_read(options, argc, argv, error) || !check(self, &raw, error) ||
        !read_numbers(self, &raw, error))
        return FALSE;
    if (self->personas && !self->grid)
        add_setting(self, "--persona", g_strconcat("persona=", self->personas[0], NULL));
    /* What a cell lacks on this host says nothing against it. */
    self->skip_missing = self->skip_missing || self->grid;
    if (raw.connect)
        add_setting(self, "--connect", g_strconcat("connect=", raw.connect, NULL));
    add_shared_paths(self, raw.shared_paths);
    for (char **setting = raw.set; setting && *setting; setting++)
        add_setting(self, "--set", g_strdup(*setting));
    g_ptr_array_add(self->set, NULL);
    return !raw.output || mf_output_policy_parse(raw.output, &self->output, error);
}

void
mf_test_options_describe(GPtrArray *verbs)
{
    MfTestOptions self = {0};
    g_auto(RawOptions) raw = {0};
    g_autoptr(MfVerbOptions) options = make_options(&self, &raw);

    mf_verb_options_describe(options, verbs);
}

void
mf_test_options_clear(MfTestOptions *self)
{
    g_free(self->config);
    g_free(self->profile);
    g_free(self->filter);
    g_free(self->run_dir);
    g_free(self->durations);
    g_strfreev(self->tags);
    g_strfreev(self->reports);
    g_strfreev(self->personas);
    g_clear_pointer(&self->set, g_ptr_array_unref);
}
