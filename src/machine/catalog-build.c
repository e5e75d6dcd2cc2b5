/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/catalog-build.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/tempdir.h"
#include "machine/layer.h"
#include "machine/package.h"
#include "machine/tool.h"

#define PROGRESS_INTERVAL_US (G_USEC_PER_SEC / 10)

/* A layer of a container image. */
typedef struct {
    char *path;  /* owned */
    char *shown; /* owned */
} Layer;

struct MfCatalogBuild {
    MfCatalogDraft *draft; /* owned */
    GPtrArray *packages;   /* owned; of MfPackage */
    GPtrArray *labels;     /* owned; what is done with each package */
    guint next;            /* the package being unpacked */
    GQueue layers;         /* owned; of Layer, to be unpacked when there are no more packages */
    MfPackage *layer;      /* owned; the one being unpacked */
    char *layer_directory; /* owned; where to */
    MfPackageLimits left;  /* of what layers may unpack to */
    MfTreeCopy *copy;      /* owned; NULL when packages are unpacked */
    char *scratch;         /* owned; NULL for none */
    MfCatalogProgressFunc progress;
    gpointer progress_data;
    gint64 told; /* when progress was called last */

    char *name, *prefix, *source, *version; /* owned */
    char *indexing;                         /* owned; the release depmod works on */
};

MfCatalogBuild *
mf_catalog_build_new(MfCatalogDraft *draft, MfCatalogProgressFunc progress, gpointer progress_data)
{
    MfCatalogBuild *self = g_new0(MfCatalogBuild, 1);

    self->draft = draft;
    self->packages = g_ptr_array_new_with_free_func((GDestroyNotify)mf_package_free);
    self->labels = g_ptr_array_new_with_free_func(g_free);
    self->left = (MfPackageLimits){MF_PACKAGE_BYTES_MAX, MF_PACKAGE_ENTRIES_MAX};
    self->progress = progress;
    self->progress_data = progress_data;
    return self;
}

static void
layer_free(Layer *self)
{
    g_free(self->path);
    g_free(self->shown);
    g_free(self);
}

void
mf_catalog_build_free(MfCatalogBuild *self)
{
    if (!self)
        return;
    g_ptr_array_unref(self->packages);
    g_ptr_array_unref(self->labels);
    g_queue_clear_full(&self->layers, (GDestroyNotify)layer_free);
    mf_package_free(self->layer);
    g_free(self->layer_directory);
    mf_tree_copy_free(self->copy);
    mf_catalog_draft_free(self->draft);
    g_free(self->scratch);
    g_free(self->name);
    g_free(self->prefix);
    g_free(self->source);
    g_free(self->version);
    g_free(self->indexing);
    g_free(self);
}

gboolean
mf_catalog_build_add_package(MfCatalogBuild *self, const char *path, GError **error)
{
    MfPackage *package = mf_package_open(path, mf_catalog_draft_get_path(self->draft), NULL, error);
    g_autofree char *base = g_path_get_basename(path);
    g_autofree char *shown = g_filename_display_name(base);

    if (!package)
        return FALSE;
    g_ptr_array_add(self->packages, package);
    g_ptr_array_add(self->labels, g_strdup_printf("Unpacking %s", shown));
    return TRUE;
}

void
mf_catalog_build_add_layer(MfCatalogBuild *self, const char *path, const char *shown)
{
    Layer *layer = g_new0(Layer, 1);

    layer->path = g_strdup(path);
    layer->shown = g_strdup(shown);
    g_queue_push_tail(&self->layers, layer);
}

void
mf_catalog_build_add_copy(MfCatalogBuild *self, MfTreeCopy *copy)
{
    self->copy = copy;
}

char *
mf_catalog_build_make_scratch(MfCatalogBuild *self, GError **error)
{
    g_autofree char *path =
        g_build_filename(mf_catalog_draft_get_path(self->draft), "download", NULL);

    if (g_mkdir_with_parents(path, 0755) < 0) {
        mf_error_set_errno(error, MF_ERROR_HOST, errno, "The directory '%s' cannot be made", path);
        return NULL;
    }
    self->scratch = g_strdup(path);
    return g_steal_pointer(&path);
}

static void
tell(MfCatalogBuild *self, const char *activity, double fraction)
{
    gint64 now = g_get_monotonic_time();

    if (!self->progress || (fraction > 0 && now - self->told < PROGRESS_INTERVAL_US))
        return;
    self->told = now;
    self->progress(activity, fraction, self->progress_data);
}

/* Takes the entry, or else the error. */
static void
return_entry(GTask *task, MfCatalogEntry *entry, GError *error)
{
    if (entry)
        g_task_return_pointer(task, entry, (GDestroyNotify)mf_catalog_entry_free);
    else
        g_task_return_error(task, error);
}

static void
publish(GTask *task)
{
    MfCatalogBuild *self = g_task_get_task_data(task);
    GError *error = NULL;
    MfCatalogEntry *entry;

    mf_tempdir_remove(self->scratch);
    entry = mf_catalog_draft_publish(self->draft, self->name, self->prefix, self->source,
                                     self->version, &error);
    return_entry(task, entry, error);
}

static char *
merged_usr_link(MfCatalogBuild *self)
{
    return g_build_filename(mf_catalog_draft_get_path(self->draft), "usr", NULL);
}

static void index_modules(GTask *task);

static void
on_indexed(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GTask) task = data;
    MfCatalogBuild *self = g_task_get_task_data(task);
    g_autofree char *link = merged_usr_link(self);
    GError *error = NULL;
    g_autofree char *output = mf_tool_run_finish(result, &error);
    g_autofree char *left = mf_catalog_draft_unindexed_release(self->draft);

    unlink(link);
    if (output && g_strcmp0(left, self->indexing) == 0)
        error = g_error_new(MF_ERROR, MF_ERROR_REMOTE,
                            "'depmod' reported success but wrote no modules.dep for '%s'.", left);
    if (error)
        g_task_return_error(task, error);
    else
        index_modules(g_steal_pointer(&task));
}

/* Packages of Debian's kind come without modules.dep: their installation would make it. Takes the
 * task. */
static void
index_modules(GTask *task)
{
    g_autoptr(GTask) owned = task;
    MfCatalogBuild *self = g_task_get_task_data(task);
    g_autofree char *release = mf_catalog_draft_unindexed_release(self->draft);
    g_autofree char *depmod = release ? mf_tool_find("depmod") : NULL;
    g_autofree char *link = merged_usr_link(self);

    if (!release) {
        publish(task);
        return;
    }
    if (!depmod) {
        g_task_return_new_error(task, MF_ERROR, MF_ERROR_HOST,
                                "The modules of '%s' cannot be indexed: this host has no depmod; "
                                "install the package 'kmod'.",
                                self->source);
        return;
    }

    /* A depmod that was built for a merged /usr looks below usr/lib, whatever its base is. */
    if (symlink(".", link) < 0) {
        g_task_return_new_error(task, MF_ERROR, MF_ERROR_HOST, "'%s' cannot be made: %s", link,
                                g_strerror(errno));
        return;
    }
    g_autoptr(MfArgv) argv = mf_argv_new(depmod);
    mf_argv_add_many(argv, "-b", mf_catalog_draft_get_path(self->draft), release, NULL);
    g_free(self->indexing);
    self->indexing = g_steal_pointer(&release);
    tell(self, "Indexing the modules", -1);
    mf_tool_run_async("depmod", argv, NULL, NULL, g_task_get_cancellable(task), on_indexed,
                      g_steal_pointer(&owned));
}

/* Starts on the next layer, in a directory of its own. */
static gboolean
open_layer(MfCatalogBuild *self, GError **error)
{
    const Layer *next = g_queue_peek_head(&self->layers);

    if (!self->layer_directory)
        self->layer_directory =
            g_build_filename(mf_catalog_draft_get_path(self->draft), "layer", NULL);
    if (mkdir(self->layer_directory, 0700) < 0) {
        mf_error_set_errno(error, MF_ERROR_HOST, errno, "The directory '%s' cannot be made",
                           self->layer_directory);
        return FALSE;
    }
    self->layer =
        mf_package_open_layer(next->path, next->shown, self->layer_directory, &self->left, error);
    return self->layer != NULL;
}

/* Puts the unpacked layer over those before it. */
static gboolean
close_layer(MfCatalogBuild *self, GError **error)
{
    MfPackageLimits met;

    mf_package_get_met(self->layer, &met);
    self->left.bytes -= met.bytes;
    self->left.entries -= met.entries;
    if (!mf_layer_apply(self->layer_directory, mf_package_get_whiteouts(self->layer),
                        mf_catalog_draft_get_path(self->draft), error))
        return FALSE;
    mf_tempdir_remove(self->layer_directory);
    g_clear_pointer(&self->layer, mf_package_free);
    layer_free(g_queue_pop_head(&self->layers));
    return TRUE;
}

static gboolean
step_layer(MfCatalogBuild *self, GError **error)
{
    gboolean done = FALSE;

    if (!self->layer && !open_layer(self, error))
        return FALSE;
    tell(self, "Unpacking the image", mf_package_get_fraction(self->layer));
    if (!mf_package_step(self->layer, &done, error))
        return FALSE;
    return !done || close_layer(self, error);
}

/* One piece of work; *ret_done when all is in the draft. */
static gboolean
step(MfCatalogBuild *self, gboolean *ret_done, GError **error)
{
    gboolean done = FALSE;

    if (self->copy) {
        tell(self, "Copying the kernel", mf_tree_copy_get_fraction(self->copy));
        return mf_tree_copy_step(self->copy, ret_done, error);
    }
    if (self->next == self->packages->len && !g_queue_is_empty(&self->layers)) {
        *ret_done = FALSE;
        return step_layer(self, error);
    }
    if (self->next == self->packages->len) {
        *ret_done = TRUE;
        return mf_catalog_draft_arrange(self->draft, self->source, error);
    }

    MfPackage *package = self->packages->pdata[self->next];
    tell(self, self->labels->pdata[self->next], mf_package_get_fraction(package));
    if (!mf_package_step(package, &done, error))
        return FALSE;
    if (done) {
        self->next++;
        if (!self->version)
            self->version = g_strdup(mf_package_get_version(package));
    }
    *ret_done = FALSE;
    return TRUE;
}

static gboolean
on_step(gpointer data)
{
    GTask *task = data;
    MfCatalogBuild *self = g_task_get_task_data(task);
    GError *error = NULL;
    gboolean done = FALSE;

    if (g_cancellable_is_cancelled(g_task_get_cancellable(task))) {
        g_task_return_new_error(task, MF_ERROR, MF_ERROR_CANCELLED,
                                "The kernel of '%s' was not added: cancelled.", self->source);
        return G_SOURCE_REMOVE;
    }
    if (!step(self, &done, &error)) {
        g_task_return_error(task, error);
        return G_SOURCE_REMOVE;
    }
    if (!done)
        return G_SOURCE_CONTINUE;
    index_modules(g_object_ref(task));
    return G_SOURCE_REMOVE;
}

void
mf_catalog_build_run_async(MfCatalogBuild *self, const char *name, const char *prefix,
                           const char *source, const char *version, GCancellable *cancellable,
                           GAsyncReadyCallback callback, gpointer user_data)
{
    GTask *task = g_task_new(NULL, cancellable, callback, user_data);

    self->name = g_strdup(name);
    self->prefix = g_strdup(prefix);
    self->source = g_strdup(source);
    if (version)
        self->version = g_strdup(version);
    g_task_set_check_cancellable(task, FALSE);
    g_task_set_task_data(task, self, (GDestroyNotify)mf_catalog_build_free);
    g_idle_add_full(G_PRIORITY_DEFAULT_IDLE, on_step, task, g_object_unref);
}

MfCatalogEntry *
mf_catalog_build_run_finish(GAsyncResult *result, GError **error)
{
    return g_task_propagate_pointer(G_TASK(result), error);
}

static void
on_run(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GTask) task = data;
    GError *error = NULL;
    MfCatalogEntry *entry = mf_catalog_build_run_finish(result, &error);

    return_entry(task, entry, error);
}

void
mf_catalog_build_run_for_task(MfCatalogBuild *self, const char *name, const char *prefix,
                              const char *source, const char *version, GTask *task)
{
    mf_catalog_build_run_async(self, name, prefix, source, version, g_task_get_cancellable(task),
                               on_run, task);
}
