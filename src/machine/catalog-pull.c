/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"
#include "machine/apt.h"
#include "machine/catalog-build.h"
#include "machine/catalog-mainline.h"
#include "machine/catalog-oci.h"
#include "machine/catalog.h"
#include "machine/oci-reference.h"

typedef struct {
    MfCatalogProgressFunc progress;
    gpointer progress_data;
    MfAptKernel *kernel;   /* owned; once resolved */
    MfCatalogBuild *build; /* owned; while downloading */
    char *name;            /* owned; the entry's */
    char *activity;        /* owned */
} Pull;

static void
pull_free(Pull *self)
{
    mf_catalog_build_free(self->build);
    mf_apt_kernel_free(self->kernel);
    g_free(self->name);
    g_free(self->activity);
    g_free(self);
}

static void
on_downloaded(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GTask) task = data;
    Pull *self = g_task_get_task_data(task);
    GError *error = NULL;
    g_autoptr(GPtrArray) files = mf_apt_download_finish(result, &error);

    for (guint i = 0; files && i < files->len; i++)
        if (!mf_catalog_build_add_package(self->build, files->pdata[i], &error))
            break;
    if (error) {
        g_task_return_error(task, error);
        return;
    }
    mf_catalog_build_run_for_task(g_steal_pointer(&self->build), self->name, NULL,
                                  self->kernel->distribution, self->kernel->version,
                                  g_steal_pointer(&task));
}

static void
on_progress(double fraction, gpointer data)
{
    Pull *self = data;

    self->progress(self->activity, fraction, self->progress_data);
}

static gboolean
prepare(Pull *self, char **ret_directory, GError **error)
{
    MfCatalogDraft *draft = mf_catalog_draft_new(error);

    if (!draft)
        return FALSE;
    self->build = mf_catalog_build_new(draft, self->progress, self->progress_data);
    *ret_directory = mf_catalog_build_make_scratch(self->build, error);
    return *ret_directory != NULL;
}

static void
on_resolved(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GTask) task = data;
    GCancellable *cancellable = g_task_get_cancellable(task);
    Pull *self = g_task_get_task_data(task);
    GError *error = NULL;
    g_autofree char *directory = NULL;
    MfCatalogEntry *present;

    self->kernel = mf_apt_resolve_finish(result, &error);
    if (!self->kernel) {
        g_task_return_error(task, error);
        return;
    }
    if (!self->name)
        self->name = g_build_path("/", self->kernel->distribution, self->kernel->release, NULL);
    present = mf_catalog_lookup_version(self->name, self->kernel->version);
    if (present) {
        g_task_return_pointer(task, present, (GDestroyNotify)mf_catalog_entry_free);
        return;
    }
    if (!prepare(self, &directory, &error)) {
        g_task_return_error(task, error);
        return;
    }
    self->activity = g_strdup_printf("Downloading %s", self->kernel->packages[0]);
    mf_apt_download_async(self->kernel, directory, self->progress ? on_progress : NULL, self,
                          cancellable, on_downloaded, g_steal_pointer(&task));
}

/* A package of a distribution. */
static void
pull_package(const char *what, const MfCatalogWish *wish, MfCatalogProgressFunc progress,
             gpointer progress_data, GCancellable *cancellable, GAsyncReadyCallback callback,
             gpointer user_data)
{
    g_autoptr(GTask) task = g_task_new(NULL, cancellable, callback, user_data);
    Pull *self = g_new0(Pull, 1);
    GError *error = NULL;

    self->progress = progress;
    self->progress_data = progress_data;
    self->name = g_strdup(wish->name);
    g_task_set_check_cancellable(task, FALSE); /* each step says it, in our words */
    g_task_set_task_data(task, self, (GDestroyNotify)pull_free);
    if (self->name && !mf_catalog_entry_check_name(self->name, &error)) {
        g_task_return_error(task, error);
        return;
    }
    if (progress)
        progress("Asking apt", -1, progress_data);
    mf_apt_resolve_async(what, cancellable, on_resolved, g_steal_pointer(&task));
}

/* What names packages names one kernel, for this host. */
static gboolean
check_wish(const char *what, const MfCatalogWish *wish, GError **error)
{
    if (wish->arch && *wish->arch != mf_arch_native())
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "'%s' names packages for this host's architecture, %s: only images of a "
                    "registry (oci://...) can be pulled for %s.",
                    what, mf_arch_name(mf_arch_native()), mf_arch_name(*wish->arch));
    else if (wish->release)
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "'%s' names one kernel: only of an image of a registry (oci://...) one can be "
                    "chosen by its release.",
                    what);
    else
        return TRUE;
    return FALSE;
}

void
mf_catalog_pull_async(const char *what, const MfCatalogWish *wish, MfCatalogProgressFunc progress,
                      gpointer progress_data, GCancellable *cancellable,
                      GAsyncReadyCallback callback, gpointer user_data)
{
    GError *error = NULL;

    if (mf_oci_reference_recognise(what))
        mf_catalog_oci_pull_async(what, wish, progress, progress_data, cancellable, callback,
                                  user_data);
    else if (!check_wish(what, wish, &error))
        g_task_report_error(NULL, callback, user_data, NULL, error);
    else if (mf_catalog_mainline_recognise(what))
        mf_catalog_mainline_pull_async(what, wish, progress, progress_data, cancellable, callback,
                                       user_data);
    else
        pull_package(what, wish, progress, progress_data, cancellable, callback, user_data);
}

MfCatalogEntry *
mf_catalog_pull_finish(GAsyncResult *result, GError **error)
{
    return g_task_propagate_pointer(G_TASK(result), error);
}
