/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/catalog-mainline.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/parse.h"
#include "machine/catalog-build.h"
#include "machine/download.h"
#include "machine/mainline-list.h"

#define SOURCE       "ubuntu-mainline"
#define BASE_NAME    "MAYFLY_UBUNTU_MAINLINE"
#define LIST_NAME    "CHECKSUMS"
#define LIST_MAX     (1U << 20)
#define PACKAGE_MAX  (2 * MF_GIB)
#define VERSION_FORM "^v[0-9]+(\\.[0-9]+){1,3}(-rc[0-9]+)?$"

typedef struct {
    MfCatalogProgressFunc progress;
    gpointer progress_data;
    MfHttp *http;         /* owned */
    char *version;        /* owned; "v6.6" */
    char *name;           /* owned; the entry's */
    char *directory;      /* owned; the URL of the list's directory, with a slash at its end */
    char *url;            /* owned; what is being fetched */
    const char *arch;     /* static; this host's, as packages have it */
    gboolean in_arch;     /* the list is in a directory of that name */
    MfMainlineList *list; /* owned; once fetched */
    GPtrArray *downloads; /* owned; of MfDownload, as far as begun */
    char *activity;       /* owned */
} Pull;

static void
pull_free(Pull *self)
{
    g_ptr_array_unref(self->downloads);
    mf_mainline_list_free(self->list);
    mf_http_free(self->http);
    g_free(self->version);
    g_free(self->name);
    g_free(self->directory);
    g_free(self->url);
    g_free(self->activity);
    g_free(self);
}

gboolean
mf_catalog_mainline_recognise(const char *what)
{
    return g_str_equal(what, SOURCE) || g_str_has_prefix(what, SOURCE "/");
}

/* Plans to unpack what was downloaded, under the names that it has at its source. */
static gboolean
add_packages(Pull *self, MfCatalogBuild *build, GError **error)
{
    g_autofree char *scratch = mf_catalog_build_make_scratch(build, error);

    for (guint i = 0; scratch && i < self->list->files->len; i++) {
        const MfMainlineFile *file = self->list->files->pdata[i];
        const char *from = mf_download_get_path(self->downloads->pdata[i]);
        g_autofree char *path = g_build_filename(scratch, file->name, NULL);

        if (link(from, path) < 0) {
            mf_error_set_errno(error, MF_ERROR_HOST, errno, "'%s' cannot be made", path);
            return FALSE;
        }
        if (!mf_catalog_build_add_package(build, path, error))
            return FALSE;
    }
    return scratch != NULL;
}

/* Takes the task. */
static void
unpack(GTask *task)
{
    g_autoptr(GTask) owned = task;
    Pull *self = g_task_get_task_data(task);
    GError *error = NULL;
    MfCatalogDraft *draft = mf_catalog_draft_new(&error);
    g_autoptr(MfCatalogBuild) build =
        draft ? mf_catalog_build_new(draft, self->progress, self->progress_data) : NULL;

    if (!build || !add_packages(self, build, &error)) {
        g_task_return_error(task, error);
        return;
    }
    mf_catalog_build_run_for_task(g_steal_pointer(&build), self->name, NULL, SOURCE,
                                  self->list->version, g_steal_pointer(&owned));
}

static void
on_received(guint64 received, gpointer data)
{
    Pull *self = data;

    /* The list does not say how large the packages are. */
    if (self->progress)
        self->progress(self->activity, -1, self->progress_data);
}

static void download_next(GTask *task);

static void
on_downloaded(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GTask) task = data;
    Pull *self = g_task_get_task_data(task);
    GError *error = NULL;
    guint status;

    if (mf_download_run_finish(result, &status, &error)) {
        download_next(g_steal_pointer(&task));
        return;
    }
    if (!g_error_matches(error, MF_ERROR, MF_ERROR_PROTOCOL))
        g_ptr_array_foreach(self->downloads, (GFunc)(void (*)(void))mf_download_keep, NULL);
    g_task_return_error(task, error);
}

/* Takes the task. */
static void
download_next(GTask *task)
{
    g_autoptr(GTask) owned = task;
    Pull *self = g_task_get_task_data(task);
    const MfMainlineFile *file;
    MfDownload *download;
    GError *error = NULL;

    if (self->downloads->len == self->list->files->len) {
        unpack(g_steal_pointer(&owned));
        return;
    }
    file = self->list->files->pdata[self->downloads->len];
    g_autofree char *shown = g_strdup_printf("package '%s'", file->name);
    download = mf_download_new(file->sha256, 0, PACKAGE_MAX, shown, &error);
    if (!download) {
        g_task_return_error(task, error);
        return;
    }
    g_ptr_array_add(self->downloads, download);
    g_free(self->activity);
    self->activity = g_strdup_printf("Downloading %s", file->name);
    g_free(self->url);
    self->url = g_strconcat(self->directory, file->path, NULL);
    mf_download_run_async(download, self->http, self->url, NULL, on_received, self,
                          g_task_get_cancellable(task), on_downloaded, g_steal_pointer(&owned));
}

static void ask_list(GTask *task);

static void
on_list(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GTask) task = data;
    Pull *self = g_task_get_task_data(task);
    GError *error = NULL;
    g_autoptr(MfHttpResponse) response = mf_http_get_finish(result, &error);
    g_autofree char *text = NULL;
    MfCatalogEntry *present;

    if (!response) {
        g_task_return_error(task, error);
        return;
    }
    if (response->status == 404 && self->in_arch) {
        /* Kernels of before 2022 have the packages of all architectures in one directory. */
        self->in_arch = FALSE;
        ask_list(g_steal_pointer(&task));
        return;
    }
    text = g_strndup(g_bytes_get_data(response->body, NULL), g_bytes_get_size(response->body));
    if (response->status == 200)
        self->list = mf_mainline_list_parse(text, self->arch);
    if (!self->list) {
        g_task_return_new_error(task, MF_ERROR, MF_ERROR_CONFIG,
                                "There is no generic kernel %s for %s at '%s' (status %u).",
                                self->version, self->arch, self->url, response->status);
        return;
    }
    present = mf_catalog_lookup_version(self->name, self->list->version);
    if (present)
        g_task_return_pointer(task, present, (GDestroyNotify)mf_catalog_entry_free);
    else
        download_next(g_steal_pointer(&task));
}

/* Takes the task. */
static void
ask_list(GTask *task)
{
    Pull *self = g_task_get_task_data(task);
    const char *base = g_getenv(BASE_NAME);
    g_autofree char *below = self->in_arch ? g_strconcat(self->arch, "/", NULL) : g_strdup("");

    g_free(self->directory);
    self->directory =
        g_strconcat(base, g_str_has_suffix(base, "/") ? "" : "/", self->version, "/", below, NULL);
    g_free(self->url);
    self->url = g_strconcat(self->directory, LIST_NAME, NULL);

    const MfHttpRequest request = {.url = self->url, .max = LIST_MAX};
    mf_http_get_async(self->http, &request, g_task_get_cancellable(task), on_list, task);
}

static gboolean
check_base(const char *what, GError **error)
{
    const char *base = g_getenv(BASE_NAME);
    g_autoptr(GUri) uri = base ? g_uri_parse(base, G_URI_FLAGS_NONE, NULL) : NULL;
    const char *scheme = uri ? g_uri_get_scheme(uri) : "";
    const char *host = uri ? g_uri_get_host(uri) : NULL;

    if (!base || !*base)
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "'%s' is fetched by URL, and nothing says from where: set " BASE_NAME
                    " to the URL of the directory that has the versions (v6.6/) in it.",
                    what);
    else if (!host || !(g_str_equal(scheme, "https") ||
                        (g_str_equal(scheme, "http") && mf_http_is_loopback(host))))
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    BASE_NAME "='%s' is no https:// URL, which it has to be: it is the way that "
                              "the sums of the packages come by.",
                    base);
    else
        return TRUE;
    return FALSE;
}

static gboolean
prepare(Pull *self, const char *what, const char *name, GError **error)
{
    const char *version = what + strlen(SOURCE) + (what[strlen(SOURCE)] == '/');

    if (name && !mf_catalog_entry_check_name(name, error))
        return FALSE;
    if (!g_regex_match_simple(VERSION_FORM, version, G_REGEX_DOLLAR_ENDONLY, 0)) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "'%s' names no version: expected " SOURCE "/vX.Y, such as " SOURCE "/v6.6.",
                    what);
        return FALSE;
    }
    if (!check_base(what, error))
        return FALSE;
    self->version = g_strdup(version);
    self->name = g_strdup(name ? name : what);
    self->arch = mf_arch_package_name(mf_arch_native());
    self->in_arch = TRUE;
    self->http = mf_http_new(error);
    return self->http != NULL;
}

void
mf_catalog_mainline_pull_async(const char *what, const MfCatalogWish *wish,
                               MfCatalogProgressFunc progress, gpointer progress_data,
                               GCancellable *cancellable, GAsyncReadyCallback callback,
                               gpointer user_data)
{
    g_autoptr(GTask) task = g_task_new(NULL, cancellable, callback, user_data);
    Pull *self = g_new0(Pull, 1);
    GError *error = NULL;

    self->progress = progress;
    self->progress_data = progress_data;
    self->downloads = g_ptr_array_new_with_free_func((GDestroyNotify)mf_download_free);
    g_task_set_check_cancellable(task, FALSE); /* each step says it, in our words */
    g_task_set_task_data(task, self, (GDestroyNotify)pull_free);
    if (!prepare(self, what, wish->name, &error)) {
        g_task_return_error(task, error);
        return;
    }
    if (progress)
        progress("Asking for the list of packages", -1, progress_data);
    ask_list(g_steal_pointer(&task));
}
