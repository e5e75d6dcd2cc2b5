/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/kernel-build.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/fd.h"
#include "machine/kernel-config-resources.h"
#include "machine/kernel-config.h"
#include "machine/kernel-fragment.h"
#include "machine/tool.h"

#define RESOURCES    "/mayfly/kernel-config/"
#define SMALL_CONFIG RESOURCES "kernel.config"
#define NEEDS_CONFIG RESOURCES "kernel-needs.config"

/* What is shown of make's complaints: the last lines say what failed. */
#define LINES_SHOWN 6

typedef enum { STEP_BASE, STEP_MERGE, STEP_COMPLETE, STEP_CHECK, STEP_BUILD, STEP_ADD } Step;

typedef struct {
    MfCatalogProgressFunc progress;
    gpointer progress_data;
    char *source;     /* owned; absolute, as are the others */
    char *output;     /* owned */
    char *config;     /* owned; NULL for none */
    char *dot_config; /* owned; .config in the output */
    char *name;       /* owned; NULL for none */
    char *fragment;   /* owned; what is merged */
    gboolean small;   /* there is nothing to start from */
    gboolean configure_only;
    guint jobs;
    Step step;
    MfCatalogEntry *entry; /* owned; the result */
} Build;

static void
build_free(Build *self)
{
    g_free(self->source);
    g_free(self->output);
    g_free(self->config);
    g_free(self->dot_config);
    g_free(self->name);
    g_free(self->fragment);
    mf_catalog_entry_free(self->entry);
    g_free(self);
}

static void proceed(GTask *task);

/* The end of a message of several lines, as part of a sentence. Owned by the caller. */
static char *
end_of(const char *message)
{
    g_auto(GStrv) lines = g_strsplit(message, "\n", -1);
    guint count = g_strv_length(lines);

    return g_strjoinv("; ", lines + (count > LINES_SHOWN ? count - LINES_SHOWN : 0));
}

static void
on_made(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GTask) task = data;
    Build *self = g_task_get_task_data(task);
    GError *error = NULL;
    g_autofree char *output = mf_tool_run_finish(result, &error);

    if (output) {
        self->step++;
        proceed(g_steal_pointer(&task));
        return;
    }
    if (g_error_matches(error, MF_ERROR, MF_ERROR_REMOTE)) {
        g_autofree char *end = end_of(error->message);

        g_task_return_new_error(task, MF_ERROR, MF_ERROR_REMOTE,
                                "The kernel in '%s' could not be %s: %s", self->source,
                                self->step == STEP_BUILD ? "built" : "configured", end);
        g_error_free(error);
        return;
    }
    g_task_return_error(task, error);
}

/* Runs make for 'target', NULL for what it makes by itself. Takes the task. */
static void
make(GTask *task, const char *target, const char *activity)
{
    Build *self = g_task_get_task_data(task);
    g_autoptr(MfArgv) argv = mf_argv_new("make");

    mf_argv_add_many(argv, "-s", "-C", self->source, NULL);
    /* A tree that is told to build in itself would take itself for another. */
    if (!g_str_equal(self->output, self->source))
        mf_argv_addf(argv, "O=%s", self->output);
    mf_argv_addf(argv, "-j%u", self->jobs);
    if (target)
        mf_argv_add(argv, target);
    if (self->progress)
        self->progress(activity, -1, self->progress_data);
    mf_tool_run_async("make", argv, NULL, NULL, g_task_get_cancellable(task), on_made, task);
}

/* The text of a configuration. Owned by the caller. */
static char *
read_config(const char *path, GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autoptr(GBytes) bytes = mf_file_read(path, MF_KERNEL_CONFIG_MAX, &failure);
    gsize size;
    const char *text;

    if (!bytes) {
        mf_error_take_foreign(error, MF_ERROR_CONFIG, g_steal_pointer(&failure),
                              "The configuration '%s' cannot be read", path);
        return NULL;
    }
    text = g_bytes_get_data(bytes, &size);
    return g_strndup(text ? text : "", size);
}

static gboolean
merge(Build *self, GError **error)
{
    const char *from = self->config ? self->config : self->dot_config;
    g_autofree char *base = read_config(from, error);
    g_autofree char *merged = base ? mf_kernel_fragment_merge(base, self->fragment) : NULL;

    return merged && mf_file_replace(self->dot_config, merged, strlen(merged), 0644, error);
}

/* Kconfig drops an option whose dependencies are not there without a word. */
static gboolean
check(Build *self, GError **error)
{
    g_autofree char *config = read_config(self->dot_config, error);
    g_autoptr(GPtrArray) unmet = NULL;
    g_autofree char *names = NULL;

    if (!config)
        return FALSE;
    unmet = mf_kernel_fragment_unmet(self->fragment, config);
    if (unmet->len == 0)
        return TRUE;
    g_ptr_array_add(unmet, NULL);
    names = g_strjoinv(", ", (char **)unmet->pdata);
    g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                "The kernel in '%s' does not take what mayfly needs: %s %s not in '%s' after 'make "
                "olddefconfig', because this tree has no such option or something that it depends "
                "on is off.",
                self->source, names, unmet->len > 2 ? "are" : "is", self->dot_config);
    return FALSE;
}

static void
on_added(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GTask) task = data;
    Build *self = g_task_get_task_data(task);
    GError *error = NULL;

    self->entry = mf_catalog_add_finish(result, &error);
    if (self->entry)
        g_task_return_boolean(task, TRUE);
    else
        g_task_return_error(task, error);
}

/* Takes the task. */
static void
add(GTask *task)
{
    Build *self = g_task_get_task_data(task);
    const char *const paths[] = {self->output, NULL};

    mf_catalog_add_async(paths, self->name, self->progress, self->progress_data,
                         g_task_get_cancellable(task), on_added, task);
}

/* A step that is done at once. Takes the task. */
static void
pass(GTask *task, gboolean (*work)(Build *self, GError **error))
{
    g_autoptr(GTask) owned = task;
    Build *self = g_task_get_task_data(task);
    GError *error = NULL;

    if (!work(self, &error)) {
        g_task_return_error(task, error);
    } else {
        self->step++;
        proceed(g_steal_pointer(&owned));
    }
}

/* Takes the task. */
static void
proceed(GTask *task)
{
    Build *self = g_task_get_task_data(task);

    switch (self->step) {
    case STEP_BASE:
        if (self->small) {
            make(task, mf_arch_native() == MF_ARCH_X86_64 ? "tinyconfig" : "defconfig",
                 "Configuring the kernel");
            return;
        }
        self->step++;
        G_GNUC_FALLTHROUGH;
    case STEP_MERGE:
        pass(task, merge);
        return;
    case STEP_COMPLETE:
        make(task, "olddefconfig", "Configuring the kernel");
        return;
    case STEP_CHECK:
        pass(task, check);
        return;
    case STEP_BUILD:
        if (!self->configure_only) {
            make(task, NULL, "Building the kernel");
            return;
        }
        g_task_return_boolean(task, TRUE);
        g_object_unref(task);
        return;
    case STEP_ADD:
        add(task);
    }
}

static gboolean
is_source_tree(const char *path)
{
    static const char *const names[] = {"Makefile", "Kconfig", "scripts/kconfig"};

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *name = g_build_filename(path, names[i], NULL);

        if (!g_file_test(name, G_FILE_TEST_EXISTS))
            return FALSE;
    }
    return TRUE;
}

static gboolean
prepare(Build *self, const MfKernelBuildRequest *request, GError **error)
{
    if (request->name && !mf_catalog_entry_check_name(request->name, error))
        return FALSE;
    if (!is_source_tree(self->source)) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "'%s' is not the source of a kernel: expected a directory with Makefile, "
                    "Kconfig and scripts/kconfig.",
                    self->source);
        return FALSE;
    }
    if (g_mkdir_with_parents(self->output, 0755) < 0) {
        mf_error_set_errno(error, MF_ERROR_HOST, errno, "The directory '%s' cannot be made",
                           self->output);
        return FALSE;
    }
    self->small = !self->config && !g_file_test(self->dot_config, G_FILE_TEST_EXISTS);

    /* The small configuration knows x86-64's options alone. */
    gboolean whole = self->small && mf_arch_native() == MF_ARCH_X86_64;
    g_autoptr(GBytes) text =
        g_resource_lookup_data(mf_kernel_config_get_resource(), whole ? SMALL_CONFIG : NEEDS_CONFIG,
                               G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
    self->fragment = g_strndup(g_bytes_get_data(text, NULL), g_bytes_get_size(text));
    return TRUE;
}

void
mf_kernel_build_async(const MfKernelBuildRequest *request, MfCatalogProgressFunc progress,
                      gpointer progress_data, GCancellable *cancellable,
                      GAsyncReadyCallback callback, gpointer user_data)
{
    g_autoptr(GTask) task = g_task_new(NULL, cancellable, callback, user_data);
    Build *self = g_new0(Build, 1);
    GError *error = NULL;

    self->progress = progress;
    self->progress_data = progress_data;
    self->source = g_canonicalize_filename(request->source, NULL);
    self->output =
        request->output ? g_canonicalize_filename(request->output, NULL) : g_strdup(self->source);
    self->config = request->config ? g_canonicalize_filename(request->config, NULL) : NULL;
    self->dot_config = g_build_filename(self->output, ".config", NULL);
    self->name = g_strdup(request->name);
    self->jobs = request->jobs ? request->jobs : g_get_num_processors();
    self->configure_only = request->configure_only;
    g_task_set_check_cancellable(task, FALSE);
    g_task_set_task_data(task, self, (GDestroyNotify)build_free);
    if (prepare(self, request, &error))
        proceed(g_steal_pointer(&task));
    else
        g_task_return_error(task, error);
}

gboolean
mf_kernel_build_finish(GAsyncResult *result, MfCatalogEntry **ret_entry, GError **error)
{
    Build *self = g_task_get_task_data(G_TASK(result));

    if (!g_task_propagate_boolean(G_TASK(result), error))
        return FALSE;
    *ret_entry = g_steal_pointer(&self->entry);
    return TRUE;
}
