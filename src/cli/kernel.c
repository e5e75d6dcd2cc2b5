/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/kernel.h"

#include <json.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/parse.h"
#include "cli/kernel-info.h"
#include "cli/option-words.h"
#include "cli/progress.h"
#include "cli/signals.h"
#include "cli/syntax.h"
#include "machine/catalog.h"
#include "machine/kernel-build.h"
#include "machine/kernel.h"

#define STATUS_USAGE          2
#define STATUS_INFRASTRUCTURE 69

#define JOBS_MAX 1024

/* What was given on the command line of one of the verbs. */
typedef struct {
    char **operands; /* owned; NULL for none */
    gboolean json, verbose;
    char *name;            /* owned; of --name */
    char *output, *config; /* owned; of build */
    int jobs;
    gboolean configure_only;
} Arguments;

typedef struct {
    const char *name;
    const char *operands; /* for the usage line; NULL for none */
    guint operands_min, operands_max;
    gboolean has_json, has_name, is_long, is_build; /* which options it has */
    const char *summary;
    const char *description;
    int (*run)(const Arguments *arguments);
} Verb;

/* A pull or an add while it runs. */
typedef struct {
    GMainLoop *loop;
    GCancellable *cancellable;
    MfProgress *progress;
    MfCatalogEntry *entry; /* owned; the result */
    GError *error;         /* owned; or why there is none */
    MfSignalCancel cancel;
    guint signals;
} Job;

/* Takes the error. */
static int
fail(GError *error)
{
    g_autoptr(GError) owned = error;

    g_printerr("mayfly: %s\n", owned->message);
    return g_error_matches(owned, MF_ERROR, MF_ERROR_CONFIG) ? STATUS_USAGE : STATUS_INFRASTRUCTURE;
}

static void
print_json(json_object *value)
{
    g_print("%s\n", json_object_to_json_string_ext(value, JSON_C_TO_STRING_PRETTY |
                                                              JSON_C_TO_STRING_SPACED |
                                                              JSON_C_TO_STRING_NOSLASHESCAPE));
}

static json_object *
string_or_null(const char *text)
{
    return text ? json_object_new_string(text) : NULL;
}

static json_object *
entry_to_json(const MfCatalogEntry *entry)
{
    json_object *object = json_object_new_object();
    g_autoptr(GDateTime) added = g_date_time_new_from_unix_utc(entry->added);
    g_autofree char *time = added ? g_date_time_format_iso8601(added) : NULL;
    g_autofree char *image = g_filename_display_name(entry->image);

    json_object_object_add(object, "name", json_object_new_string(entry->name));
    json_object_object_add(object, "release", string_or_null(entry->release));
    json_object_object_add(object, "arch", json_object_new_string(mf_arch_name(entry->arch)));
    json_object_object_add(object, "version", string_or_null(entry->version));
    json_object_object_add(object, "source", json_object_new_string(entry->source));
    json_object_object_add(object, "added", string_or_null(time));
    json_object_object_add(object, "size", json_object_new_uint64(entry->size));
    json_object_object_add(object, "image", json_object_new_string(image));
    return object;
}

enum { COLUMN_NAME, COLUMN_RELEASE, COLUMN_ARCH, COLUMN_SIZE, COLUMN_SOURCE, N_COLUMNS };

static void
add_row(GPtrArray *rows, const char *name, const char *release, const char *arch, const char *size,
        const char *source)
{
    const char *const cells[N_COLUMNS + 1] = {name, release, arch, size, source, NULL};

    g_ptr_array_add(rows, g_strdupv((char **)cells));
}

/* Columns as wide as their widest cell; the last one is not padded. */
static void
print_table(GPtrArray *rows)
{
    int widths[N_COLUMNS] = {0};

    for (guint i = 0; i < rows->len; i++)
        for (guint column = 0; column < N_COLUMNS; column++) {
            char **cells = rows->pdata[i];

            widths[column] = MAX(widths[column], (int)g_utf8_strlen(cells[column], -1));
        }
    for (guint i = 0; i < rows->len; i++) {
        char **cells = rows->pdata[i];

        g_print("%-*s  %-*s  %-*s  %*s  %s\n", widths[COLUMN_NAME], cells[COLUMN_NAME],
                widths[COLUMN_RELEASE], cells[COLUMN_RELEASE], widths[COLUMN_ARCH],
                cells[COLUMN_ARCH], widths[COLUMN_SIZE], cells[COLUMN_SIZE], cells[COLUMN_SOURCE]);
    }
}

static void
print_entries(GPtrArray *entries)
{
    g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func((GDestroyNotify)g_strfreev);

    add_row(rows, "NAME", "RELEASE", "ARCH", "SIZE", "SOURCE");
    for (guint i = 0; i < entries->len; i++) {
        const MfCatalogEntry *entry = entries->pdata[i];
        g_autofree char *size = mf_format_size(entry->size);

        add_row(rows, entry->name, entry->release ? entry->release : "-", mf_arch_name(entry->arch),
                size, entry->source);
    }
    print_table(rows);
}

static int
run_list(const Arguments *arguments)
{
    GError *error = NULL;
    g_autoptr(GPtrArray) entries = mf_catalog_list(&error);

    if (!entries)
        return fail(error);
    if (arguments->json) {
        json_object *array = json_object_new_array();

        for (guint i = 0; i < entries->len; i++)
            json_object_array_add(array, entry_to_json(entries->pdata[i]));
        print_json(array);
        json_object_put(array);
    } else if (entries->len == 0) {
        g_printerr("mayfly: There are no kernels yet: 'mayfly kernel pull debian' fetches one.\n");
    } else {
        print_entries(entries);
    }
    return 0;
}

/* A file is a file first; what is none can be a name. */
static MfKernel *
open_kernel(const char *operand, GError **error)
{
    g_autofree char *image = NULL;
    g_autoptr(GError) failure = NULL;

    if (!g_file_test(operand, G_FILE_TEST_EXISTS)) {
        image = mf_catalog_find(operand, &failure);
        if (failure) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return NULL;
        }
        if (!image) {
            g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                        "'%s' is neither a file nor a kernel of the catalog, which 'mayfly kernel "
                        "list' shows.",
                        operand);
            return NULL;
        }
    }
    return mf_kernel_open(image ? image : operand, error);
}

static int
run_info(const Arguments *arguments)
{
    GError *error = NULL;
    g_autoptr(MfKernel) kernel = open_kernel(arguments->operands[0], &error);

    if (!kernel)
        return fail(error);
    if (arguments->json) {
        json_object *info = mf_kernel_info_json(kernel);

        print_json(info);
        json_object_put(info);
    } else {
        g_autofree char *text = mf_kernel_info_text(kernel);

        g_print("%s", text);
    }
    return 0;
}

static gboolean
was_given_before(char **operands, char **operand)
{
    for (char **other = operands; other < operand; other++)
        if (g_str_equal(*other, *operand))
            return TRUE;
    return FALSE;
}

static int
run_remove(const Arguments *arguments)
{
    int status = 0;

    for (char **name = arguments->operands; *name; name++) {
        GError *error = NULL;

        if (!was_given_before(arguments->operands, name) && !mf_catalog_remove(*name, &error))
            status = fail(error);
    }
    return status;
}

static void
on_progress(const char *activity, double fraction, gpointer data)
{
    Job *job = data;

    mf_progress_update(job->progress, activity, fraction);
}

static void
on_pulled(GObject *source, GAsyncResult *result, gpointer data)
{
    Job *job = data;

    job->entry = mf_catalog_pull_finish(result, &job->error);
    g_main_loop_quit(job->loop);
}

static void
on_added(GObject *source, GAsyncResult *result, gpointer data)
{
    Job *job = data;

    job->entry = mf_catalog_add_finish(result, &job->error);
    g_main_loop_quit(job->loop);
}

static void
begin(Job *job, const Arguments *arguments)
{
    job->loop = g_main_loop_new(NULL, FALSE);
    job->cancellable = g_cancellable_new();
    job->progress = mf_progress_new(STDERR_FILENO, arguments->verbose);
    job->cancel.cancellable = job->cancellable;
    job->signals = mf_signals_watch_cancel(&job->cancel);
}

/* Waits for the job; its name on standard output is the whole answer. */
static int
finish(Job *job, const Arguments *arguments)
{
    g_autoptr(MfCatalogEntry) entry = NULL;

    g_main_loop_run(job->loop);
    g_source_remove(job->signals);
    mf_progress_free(job->progress);
    g_main_loop_unref(job->loop);
    g_object_unref(job->cancellable);
    entry = job->entry;
    if (job->cancel.caught) {
        g_clear_error(&job->error);
        return 128 + job->cancel.caught;
    }
    if (job->error)
        return fail(job->error);
    if (!entry) /* a build that was only to configure */
        return 0;
    if (arguments->verbose)
        g_printerr("mayfly: The kernel is in '%s'.\n", entry->image);
    g_print("%s\n", entry->name);
    return 0;
}

static int
run_pull(const Arguments *arguments)
{
    Job job = {0};

    begin(&job, arguments);
    mf_catalog_pull_async(arguments->operands[0], arguments->name, on_progress, &job,
                          job.cancellable, on_pulled, &job);
    return finish(&job, arguments);
}

static int
run_add(const Arguments *arguments)
{
    Job job = {0};

    begin(&job, arguments);
    mf_catalog_add_async((const char *const *)arguments->operands, arguments->name, on_progress,
                         &job, job.cancellable, on_added, &job);
    return finish(&job, arguments);
}

static void
on_kernel_built(GObject *source, GAsyncResult *result, gpointer data)
{
    Job *job = data;

    mf_kernel_build_finish(result, &job->entry, &job->error);
    g_main_loop_quit(job->loop);
}

static int
run_build(const Arguments *arguments)
{
    const MfKernelBuildRequest request = {
        .source = arguments->operands[0],
        .output = arguments->output,
        .config = arguments->config,
        .name = arguments->name,
        .jobs = (guint)arguments->jobs,
        .configure_only = arguments->configure_only,
    };
    Job job = {0};

    if (arguments->jobs < 0 || arguments->jobs > JOBS_MAX) {
        g_printerr("mayfly: '--jobs %d' is not a number from 1 to %d.\n", arguments->jobs,
                   JOBS_MAX);
        return STATUS_USAGE;
    }
    begin(&job, arguments);
    mf_kernel_build_async(&request, on_progress, &job, job.cancellable, on_kernel_built, &job);
    return finish(&job, arguments);
}

static const Verb verbs[] = {
    {"list", NULL, 0, 0, TRUE, FALSE, FALSE, FALSE, "List the kernels in the catalog.",
     "The newest release comes first. Use a name with 'mayfly run -k NAME'.\n\n"
     "Example:\n  mayfly kernel list",
     run_list},
    {"pull", "DISTRIBUTION[/VERSION]|oci://REGISTRY/NAME[:TAG]", 1, 1, FALSE, TRUE, TRUE, FALSE,
     "Fetch a kernel with its modules.",
     "A distribution's own package client fetches its package and checks its signature; nothing "
     "is installed, and root is not needed. VERSION is a release, the start of one, or a flavour; "
     "without it, the newest generic kernel is fetched. ubuntu-mainline/vX.Y is fetched from the "
     "URL that MAYFLY_UBUNTU_MAINLINE names. From a registry of container images comes "
     "what NAME:TAG has in boot/ and lib/modules/, each layer checked by its sum; a registry is "
     "asked by https, or by http on this host and with oci+http://. The kernel's name is "
     "printed.\n\n"
     "Examples:\n  mayfly kernel pull debian/6.1\n"
     "  mayfly kernel pull oci://registry.example/kernels:6.6",
     run_pull},
    {"add", "FILE|DIRECTORY...", 1, G_MAXUINT, FALSE, TRUE, TRUE, FALSE,
     "Add a kernel of your own.",
     "Takes a .deb or .rpm (several, when a kernel is split into several packages), a directory "
     "with an unpacked package, a module directory, a kernel tree that was built, or an image "
     "(bzImage, vmlinux) with the modules that lie beside it. The kernel's name is printed.\n\n"
     "Example:\n  mayfly kernel add ~/src/linux --name mine",
     run_add},
    {"build", "SOURCE", 1, 1, FALSE, TRUE, TRUE, TRUE,
     "Configure and build a kernel from its source.",
     "What mayfly needs is merged over FILE of '--config', or the .config that is there; without "
     "either, the kernel becomes a small one with everything that mayfly can use built in. "
     "Options that the tree does not take are named, and nothing is built. The kernel is added to "
     "the catalog and its name is printed.\n\n"
     "Example:\n  mayfly kernel build ~/src/linux -o /var/tmp/linux --name mine",
     run_build},
    {"info", "FILE|NAME", 1, 1, TRUE, FALSE, FALSE, FALSE,
     "Say what a kernel is, and whether mayfly can run it.",
     "Lists the options that mayfly has a use for as built-in, module or missing, and ends with a "
     "verdict.\n\n"
     "Example:\n  mayfly kernel info arch/x86/boot/bzImage",
     run_info},
    {"remove", "NAME...", 1, G_MAXUINT, FALSE, FALSE, FALSE, FALSE,
     "Remove kernels from the catalog.", "Example:\n  mayfly kernel remove debian/6.1.0-56-amd64",
     run_remove},
};

static void
print_usage(void (*print)(const char *format, ...) G_GNUC_PRINTF(1, 2))
{
    print("Usage:\n  mayfly kernel VERB [OPTION...]\n\nKeeps kernels that 'mayfly run -k NAME' can "
          "run.\n\nVerbs:\n");
    for (gsize i = 0; i < G_N_ELEMENTS(verbs); i++)
        print("  %-8s %s\n", verbs[i].name, verbs[i].summary);
    print("\nExample:\n  mayfly kernel pull debian\n\n'mayfly kernel VERB --help' tells more.\n");
}

/* 'known' is filled with the options. */
static GOptionContext *
context_for(const Verb *verb, Arguments *arguments, GArray *known)
{
    GOptionContext *context = g_option_context_new(verb->operands);
    GOptionGroup *group = g_option_group_new("kernel", "", "", NULL, NULL);
    const GOptionEntry json[] = {
        {"json", 0, 0, G_OPTION_ARG_NONE, &arguments->json, "Print JSON instead of text", NULL},
        {NULL}};
    const GOptionEntry name[] = {{"name", 0, 0, G_OPTION_ARG_STRING, &arguments->name,
                                  "Call it NAME, not what it would be called", "NAME"},
                                 {NULL}};
    const GOptionEntry verbose[] = {
        {"verbose", 'v', 0, G_OPTION_ARG_NONE, &arguments->verbose, "Say what is being done", NULL},
        {NULL}};
    const GOptionEntry build[] = {{"output", 'o', 0, G_OPTION_ARG_FILENAME, &arguments->output,
                                   "Build there, not in the source tree", "DIR"},
                                  {"config", 0, 0, G_OPTION_ARG_FILENAME, &arguments->config,
                                   "Start from this configuration", "FILE"},
                                  {"jobs", 'j', 0, G_OPTION_ARG_INT, &arguments->jobs,
                                   "Run so many compilers at once (default: as many as processors)",
                                   "N"},
                                  {"configure", 0, 0, G_OPTION_ARG_NONE, &arguments->configure_only,
                                   "Only configure, and check the configuration", NULL},
                                  {NULL}};
    const GOptionEntry operands[] = {
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &arguments->operands, NULL, NULL},
        {NULL}};

    g_option_context_set_summary(context, verb->summary);
    g_option_context_set_description(context, verb->description);
    if (verb->has_json)
        mf_option_words_add(known, group, json);
    if (verb->has_name)
        mf_option_words_add(known, group, name);
    if (verb->is_build)
        mf_option_words_add(known, group, build);
    if (verb->is_long)
        mf_option_words_add(known, group, verbose);
    mf_option_words_add(known, group, operands);
    g_option_context_set_main_group(context, group);
    return context;
}

/* The words after the verb; a wrong use is reported here. */
static gboolean
parse(const Verb *verb, int argc, char **argv, Arguments *arguments)
{
    g_autoptr(GArray) known = mf_option_words_new();
    g_autoptr(GOptionContext) context = context_for(verb, arguments, known);
    g_auto(GStrv) words = mf_option_words_split(known, argc, argv, FALSE);
    g_autofree char *program = g_strdup_printf("mayfly kernel %s", verb->name);
    g_autoptr(GError) error = NULL;

    g_set_prgname(program);
    if (!g_option_context_parse_strv(context, &words, &error)) {
        g_printerr("mayfly: %s; '%s --help' tells more.\n", error->message, program);
        return FALSE;
    }

    guint count = arguments->operands ? g_strv_length(arguments->operands) : 0;
    if (count < verb->operands_min || count > verb->operands_max) {
        g_printerr("mayfly: '%s' takes %s, but got %u; '%s --help' tells more.\n", program,
                   verb->operands ? verb->operands : "no arguments", count, program);
        return FALSE;
    }
    return TRUE;
}

void
mf_cli_kernel_describe(GPtrArray *syntax)
{
    for (gsize i = 0; i < G_N_ELEMENTS(verbs); i++) {
        const Verb *verb = &verbs[i];
        Arguments arguments = {0};
        g_autoptr(GArray) known = mf_option_words_new();
        g_autoptr(GOptionContext) context = context_for(verb, &arguments, known);
        g_autofree char *name = g_strconcat("kernel ", verb->name, NULL);

        mf_syntax_add_context(syntax, name, verb->operands ? verb->operands : "", context, known);
    }
}

int
mf_cli_kernel(int argc, char **argv)
{
    Arguments arguments = {0};
    const Verb *verb = NULL;
    int status = STATUS_USAGE;

    if (argc < 2) {
        print_usage(g_printerr);
        return STATUS_USAGE;
    }
    if (g_str_equal(argv[1], "--help") || g_str_equal(argv[1], "-h")) {
        print_usage(g_print);
        return 0;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(verbs); i++)
        if (g_str_equal(argv[1], verbs[i].name))
            verb = &verbs[i];
    if (!verb) {
        g_printerr("mayfly: 'mayfly kernel' has no verb '%s': expected list, pull, add, build, "
                   "info or remove.\n",
                   argv[1]);
        return STATUS_USAGE;
    }
    if (parse(verb, argc - 1, argv + 1, &arguments))
        status = verb->run(&arguments);
    g_strfreev(arguments.operands);
    g_free(arguments.name);
    g_free(arguments.output);
    g_free(arguments.config);
    return status;
}
