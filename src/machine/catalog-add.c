/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"
#include "machine/catalog-build.h"
#include "machine/catalog.h"
#include "machine/kernel-source.h"
#include "machine/package.h"

static gboolean
plan_packages(MfCatalogBuild *build, const char *const *paths, GError **error)
{
    for (; *paths; paths++)
        if (!mf_catalog_build_add_package(build, *paths, error))
            return FALSE;
    return TRUE;
}

static gboolean
plan_copy(MfCatalogBuild *build, MfCatalogDraft *draft, const char *path, GError **error)
{
    g_autoptr(MfKernelSource) source = mf_kernel_source_find(path, error);
    g_autoptr(MfTreeCopy) copy = mf_tree_copy_new(mf_catalog_draft_get_path(draft));

    if (!source || !mf_kernel_source_plan(source, copy, error))
        return FALSE;
    mf_catalog_build_add_copy(build, g_steal_pointer(&copy));
    return TRUE;
}

static MfCatalogBuild *
plan(const char *const *paths, const char *name, MfCatalogProgressFunc progress,
     gpointer progress_data, GError **error)
{
    if (name && !mf_catalog_entry_check_name(name, error))
        return NULL;
    if (paths[1] && !mf_package_recognise(paths[0])) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "'%s' is not a package: only packages can be several files of one kernel; add "
                    "other kernels one at a time.",
                    paths[0]);
        return NULL;
    }

    MfCatalogDraft *draft = mf_catalog_draft_new(error);
    if (!draft)
        return NULL;

    g_autoptr(MfCatalogBuild) build = mf_catalog_build_new(draft, progress, progress_data);
    gboolean planned = mf_package_recognise(paths[0]) ? plan_packages(build, paths, error)
                                                      : plan_copy(build, draft, paths[0], error);
    return planned ? g_steal_pointer(&build) : NULL;
}

void
mf_catalog_add_async(const char *const *paths, const char *name, MfCatalogProgressFunc progress,
                     gpointer progress_data, GCancellable *cancellable,
                     GAsyncReadyCallback callback, gpointer user_data)
{
    g_autoptr(GTask) task = g_task_new(NULL, cancellable, callback, user_data);
    GError *error = NULL;
    MfCatalogBuild *build = plan(paths, name, progress, progress_data, &error);
    g_autofree char *source = g_canonicalize_filename(paths[0], NULL);

    g_task_set_check_cancellable(task, FALSE);
    if (build)
        mf_catalog_build_run_for_task(build, name, "local", source, NULL, g_steal_pointer(&task));
    else
        g_task_return_error(task, error);
}

MfCatalogEntry *
mf_catalog_add_finish(GAsyncResult *result, GError **error)
{
    return g_task_propagate_pointer(G_TASK(result), error);
}
