/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/kernel.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/parse.h"
#include "cli/cli.h"
#include "cli/kernel-info.h"
#include "cli/progress.h"
#include "cli/signals.h"
#include "cli/subverbs.h"
#include "machine/catalog.h"
#include "machine/kernel-build.h"
#include "machine/kernel.h"
#include "wire/json.h"

#define JOBS_MAX 1024

/* Which options a verb has. */
enum {
    HAS_JSON = 1 << 0,
    HAS_NAME = 1 << 1,
    HAS_VERBOSE = 1 << 2,
    HAS_BUILD = 1 << 3,
    HAS_IMAGE = 1 << 4,
};

/* What was given on the command line of one of the verbs. */
typedef struct {
    char **operands; /* owned; NULL for none */
    gboolean json, verbose;
    char *name;            /* owned; of --name */
    char *arch, *release;  /* owned; of pull; or NULL */
    char *output, *config; /* owned; of build */
    int jobs;
    gboolean configure_only;
} Arguments;

static void
arguments_clear(Arguments *self)
{
    g_strfreev(self->operands);
    g_free(self->name);
    g_free(self->arch);
    g_free(self->release);
    g_free(self->output);
    g_free(self->config);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Arguments, arguments_clear)

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

static MfVerbOptions *
make_options(const MfSubverb *verb, Arguments *arguments)
{
    const GOptionEntry json[] = {
        {"json", 0, 0, G_OPTION_ARG_NONE, &arguments->json, "Print JSON instead of text", NULL},
        {NULL}};
    const GOptionEntry name[] = {{"name", 0, 0, G_OPTION_ARG_STRING, &arguments->name,
                                  "Call it NAME, not what it would be called", "NAME"},
                                 {NULL}};
    const GOptionEntry verbose[] = {
        {"verbose", 'v', 0, G_OPTION_ARG_NONE, &arguments->verbose, "Say what is being done", NULL},
        {NULL}};
    const GOptionEntry image[] = {{"arch", 'a', 0, G_OPTION_ARG_STRING, &arguments->arch,
                                   "Of an image for several architectures, take this one "
                                   "(default: the host's)",
                                   "x86_64|aarch64|riscv64|s390x"},
                                  {"release", 0, 0, G_OPTION_ARG_STRING, &arguments->release,
                                   "Of an image with several kernels, take this one", "RELEASE"},
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
    const GOptionEntry *const tables[] = {json, name, image, build, verbose};
    const guint flags[] = {HAS_JSON, HAS_NAME, HAS_IMAGE, HAS_BUILD, HAS_VERBOSE};
    MfVerbOptions *options = mf_subverb_new_options(verb, &arguments->operands);

    for (gsize i = 0; i < G_N_ELEMENTS(tables); i++)
        if (verb->options & flags[i])
            mf_verb_options_add(options, tables[i]);
    return options;
}

/* A wrong use is reported here. */
static gboolean
parse(const MfSubverb *verb, int argc, char **argv, Arguments *arguments)
{
    g_autoptr(MfVerbOptions) options = make_options(verb, arguments);

    return mf_verb_options_parse(options, argc, argv);
}

static void
print_json(json_object *document)
{
    g_autofree char *text = mf_json_to_text(document);

    fputs(text, stdout);
}

static json_object *
entry_to_json(const MfCatalogEntry *entry)
{
    json_object *object = json_object_new_object();
    g_autoptr(GDateTime) added = g_date_time_new_from_unix_utc(entry->added);
    g_autofree char *time = added ? g_date_time_format_iso8601(added) : NULL;
    g_autofree char *image = g_filename_display_name(entry->image);

    json_object_object_add(object, "name", json_object_new_string(entry->name));
    json_object_object_add(object, "release", mf_json_new_text(entry->release));
    json_object_object_add(object, "arch", json_object_new_string(mf_arch_name(entry->arch)));
    json_object_object_add(object, "version", mf_json_new_text(entry->version));
    json_object_object_add(object, "source", json_object_new_string(entry->source));
    json_object_object_add(object, "added", mf_json_new_text(time));
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

        printf("%-*s  %-*s  %-*s  %*s  %s\n", widths[COLUMN_NAME], cells[COLUMN_NAME],
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
run_list(const MfSubverb *verb, int argc, char **argv)
{
    g_auto(Arguments) arguments = {0};
    g_autoptr(GError) error = NULL;

    if (!parse(verb, argc, argv, &arguments))
        return MF_EXIT_USAGE;

    g_autoptr(GPtrArray) entries = mf_catalog_list(&error);

    if (!entries)
        return mf_cli_fail(error, MF_EXIT_USAGE);
    if (arguments.json) {
        g_autoptr(json_object) array = json_object_new_array();

        for (guint i = 0; i < entries->len; i++)
            json_object_array_add(array, entry_to_json(entries->pdata[i]));
        print_json(array);
    } else if (entries->len == 0) {
        mf_cli_complain("There are no kernels yet: 'mayfly kernel pull debian' fetches one.");
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
run_info(const MfSubverb *verb, int argc, char **argv)
{
    g_auto(Arguments) arguments = {0};
    g_autoptr(GError) error = NULL;

    if (!parse(verb, argc, argv, &arguments))
        return MF_EXIT_USAGE;

    g_autoptr(MfKernel) kernel = open_kernel(arguments.operands[0], &error);

    if (!kernel)
        return mf_cli_fail(error, MF_EXIT_USAGE);
    if (arguments.json) {
        g_autoptr(json_object) info = mf_kernel_info_json(kernel);

        print_json(info);
    } else {
        g_autofree char *text = mf_kernel_info_text(kernel);

        fputs(text, stdout);
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
run_remove(const MfSubverb *verb, int argc, char **argv)
{
    g_auto(Arguments) arguments = {0};
    int status = 0;

    if (!parse(verb, argc, argv, &arguments))
        return MF_EXIT_USAGE;
    for (char **name = arguments.operands; *name; name++) {
        g_autoptr(GError) error = NULL;

        if (!was_given_before(arguments.operands, name) && !mf_catalog_remove(*name, &error))
            status = mf_cli_fail(error, MF_EXIT_USAGE);
    }
    return status;
}

/*
 * What takes long
 */

static void
on_progress(const char *activity, double fraction, gpointer data)
{
    Job *job = data;

    mf_progress_update(job->progress, activity, fraction);
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
    g_autoptr(GError) error = NULL;

    g_main_loop_run(job->loop);
    g_source_remove(job->signals);
    mf_progress_free(job->progress);
    g_main_loop_unref(job->loop);
    g_object_unref(job->cancellable);
    entry = job->entry;
    error = job->error;
    if (job->cancel.caught)
        return MF_EXIT_SIGNAL_BASE + job->cancel.caught;
    if (error)
        return mf_cli_fail(error, MF_EXIT_USAGE);
    if (!entry) /* a build that was only to configure */
        return 0;
    if (arguments->verbose)
        mf_cli_complain("The kernel is in '%s'.", entry->image);
    puts(entry->name);
    return 0;
}

static void
on_pulled(GObject *source, GAsyncResult *result, gpointer data)
{
    Job *job = data;

    job->entry = mf_catalog_pull_finish(result, &job->error);
    g_main_loop_quit(job->loop);
}

static int
run_pull(const MfSubverb *verb, int argc, char **argv)
{
    g_auto(Arguments) arguments = {0};
    GError *error = NULL;
    MfCatalogWish wish = {NULL};
    MfArch arch;
    Job job = {0};

    if (!parse(verb, argc, argv, &arguments))
        return MF_EXIT_USAGE;
    if (arguments.arch && !mf_arch_parse(arguments.arch, &arch, &error))
        return mf_cli_fail(error, MF_EXIT_USAGE);
    begin(&job, &arguments);
    wish = (MfCatalogWish){arguments.name, arguments.arch ? &arch : NULL, arguments.release};
    mf_catalog_pull_async(arguments.operands[0], &wish, on_progress, &job, job.cancellable,
                          on_pulled, &job);
    return finish(&job, &arguments);
}

static void
on_added(GObject *source, GAsyncResult *result, gpointer data)
{
    Job *job = data;

    job->entry = mf_catalog_add_finish(result, &job->error);
    g_main_loop_quit(job->loop);
}

static int
run_add(const MfSubverb *verb, int argc, char **argv)
{
    g_auto(Arguments) arguments = {0};
    Job job = {0};

    if (!parse(verb, argc, argv, &arguments))
        return MF_EXIT_USAGE;
    begin(&job, &arguments);
    mf_catalog_add_async((const char *const *)arguments.operands, arguments.name, on_progress, &job,
                         job.cancellable, on_added, &job);
    return finish(&job, &arguments);
}

static void
on_kernel_built(GObject *source, GAsyncResult *result, gpointer data)
{
    Job *job = data;

    mf_kernel_build_finish(result, &job->entry, &job->error);
    g_main_loop_quit(job->loop);
}

static int
run_build(const MfSubverb *verb, int argc, char **argv)
{
    g_auto(Arguments) arguments = {0};
    Job job = {0};

    if (!parse(verb, argc, argv, &arguments))
        return MF_EXIT_USAGE;
    if (arguments.jobs < 0 || arguments.jobs > JOBS_MAX) {
        mf_cli_complain("'--jobs %d' is not a number from 1 to %d.", arguments.jobs, JOBS_MAX);
        return MF_EXIT_USAGE;
    }

    const MfKernelBuildRequest request = {
        .source = arguments.operands[0],
        .output = arguments.output,
        .config = arguments.config,
        .name = arguments.name,
        .jobs = (guint)arguments.jobs,
        .configure_only = arguments.configure_only,
    };

    begin(&job, &arguments);
    mf_kernel_build_async(&request, on_progress, &job, job.cancellable, on_kernel_built, &job);
    return finish(&job, &arguments);
}

static const MfSubverb verbs[] = {
    {.program = "mayfly kernel list",
     .summary = "list the kernels in the catalog",
     .description = "The newest release comes first. Use a name with 'mayfly run -k NAME'.\n\n"
                    "Example:\n  mayfly kernel list",
     .options = HAS_JSON,
     .run = run_list},
    {.program = "mayfly kernel pull",
     .operands = {"debian|ubuntu|ubuntu-mainline[/VERSION]|oci://REGISTRY/NAME[:TAG]",
                  "a distribution, or an image of a registry", 1, 1},
     .summary = "fetch a kernel with its modules",
     .description =
         "A distribution's own package client fetches its package and checks its signature; "
         "nothing is installed, and root is not needed. VERSION is a release, the start of one, or "
         "a flavour; without it, the newest generic kernel is fetched. ubuntu-mainline/vX.Y is "
         "fetched from the URL that MAYFLY_UBUNTU_MAINLINE names. From a registry of container "
         "images comes what NAME:TAG has in boot/ and lib/modules/, each layer checked by its sum; "
         "a registry is asked by https, or by http on this host and with oci+http://, and sent the "
         "credentials that REGISTRY_AUTH_FILE or ~/.docker/config.json has for it. The kernel's "
         "name is printed.\n\n"
         "Examples:\n  mayfly kernel pull debian/6.1\n"
         "  mayfly kernel pull oci://registry.example/kernels:6.6",
     .options = HAS_NAME | HAS_IMAGE | HAS_VERBOSE,
     .run = run_pull},
    {.program = "mayfly kernel add",
     .operands = {"FILE|DIRECTORY...", "a package, an image or a directory", 1, G_MAXUINT},
     .summary = "add a kernel of your own",
     .description =
         "Takes a .deb or .rpm (several, when a kernel is split into several packages), a "
         "directory with an unpacked package, a module directory, a kernel tree that was built, or "
         "an image (bzImage, vmlinux) with the modules that lie beside it. The kernel's name is "
         "printed.\n\n"
         "Example:\n  mayfly kernel add ~/src/linux --name mine",
     .options = HAS_NAME | HAS_VERBOSE,
     .run = run_add},
    {.program = "mayfly kernel build",
     .operands = {"SOURCE", "the directory of a kernel's source", 1, 1},
     .summary = "configure and build a kernel from its source",
     .description =
         "What mayfly needs is merged over FILE of '--config', or the .config that is there; "
         "without either, the kernel becomes a small one with everything that mayfly can use built "
         "in. Options that the tree does not take are named, and nothing is built. The kernel is "
         "added to the catalog and its name is printed.\n\n"
         "Example:\n  mayfly kernel build ~/src/linux -o /var/tmp/linux --name mine",
     .options = HAS_NAME | HAS_VERBOSE | HAS_BUILD,
     .run = run_build},
    {.program = "mayfly kernel info",
     .operands = {"FILE|NAME", "an image, or the name of a kernel", 1, 1},
     .summary = "say what a kernel is, and whether mayfly can run it",
     .description =
         "Lists the options that mayfly has a use for as built-in, module or missing, and ends "
         "with a verdict.\n\n"
         "Example:\n  mayfly kernel info arch/x86/boot/bzImage",
     .options = HAS_JSON,
     .run = run_info},
    {.program = "mayfly kernel remove",
     .operands = {"NAME...", "the name of a kernel", 1, G_MAXUINT},
     .summary = "remove kernels from the catalog",
     .description = "Example:\n  mayfly kernel remove debian/6.1.0-56-amd64",
     .run = run_remove},
    {NULL},
};

void
mf_cli_kernel_describe(GPtrArray *syntax)
{
    for (const MfSubverb *verb = verbs; verb->program; verb++) {
        Arguments arguments = {0};
        g_autoptr(MfVerbOptions) options = make_options(verb, &arguments);

        mf_verb_options_describe(options, syntax);
    }
}

int
mf_cli_kernel(int argc, char **argv)
{
    return mf_subverbs_run(verbs,
                           "Keeps kernels that 'mayfly run -k NAME' can run. To begin with: "
                           "mayfly kernel pull debian",
                           argc, argv);
}
