/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/catalog-oci.h"

#include <string.h>

#include "base/error.h"
#include "machine/catalog-build.h"
#include "machine/oci-registry.h"

/* An index names images, and those have layers. */
#define MANIFESTS_MAX 2

/* "sha256:" and so much of the sum tells layers apart. */
#define DIGEST_SHOWN 19

typedef struct {
    MfCatalogProgressFunc progress;
    gpointer progress_data;
    MfArch arch;
    gboolean arch_given;
    char *release;             /* owned; the one that is meant; or NULL */
    MfOciReference *reference; /* owned */
    MfOciRegistry *registry;   /* owned */
    MfOciManifest *manifest;   /* owned; the last one read */
    guint manifests;           /* read so far */
    GHashTable *downloads;     /* owned; of MfDownload by the digest, which two layers can share */
    guint next;                /* the layer being downloaded */
    guint64 total, before;     /* bytes of all layers, and of those before that one */
    char *shown;               /* owned; what messages call the image */
    char *name;                /* owned; the entry's */
    char *version;             /* owned; the sum of the manifest that has the layers */
    char *activity;            /* owned */
} Pull;

static void
pull_free(Pull *self)
{
    g_hash_table_unref(self->downloads);
    mf_oci_manifest_free(self->manifest);
    mf_oci_registry_free(self->registry);
    mf_oci_reference_free(self->reference);
    g_free(self->release);
    g_free(self->shown);
    g_free(self->name);
    g_free(self->version);
    g_free(self->activity);
    g_free(self);
}

/* Fails; what was fetched stays when another try can go on with it. Takes the error. */
static void
give_up(GTask *task, GError *error)
{
    Pull *self = g_task_get_task_data(task);
    gboolean passing = g_error_matches(error, MF_ERROR, MF_ERROR_LOST) ||
                       g_error_matches(error, MF_ERROR, MF_ERROR_REMOTE) ||
                       g_error_matches(error, MF_ERROR, MF_ERROR_CANCELLED);
    GHashTableIter iter;
    gpointer download;

    g_hash_table_iter_init(&iter, self->downloads);
    while (passing && g_hash_table_iter_next(&iter, NULL, &download))
        mf_download_keep(download);
    g_task_return_error(task, error);
}

static void
on_built(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GTask) task = data;
    GError *error = NULL;
    MfCatalogEntry *entry = mf_catalog_build_run_finish(result, &error);

    if (entry)
        g_task_return_pointer(task, entry, (GDestroyNotify)mf_catalog_entry_free);
    else
        give_up(task, error);
}

static char *
describe_layer(Pull *self, const MfOciLayer *layer)
{
    return g_strdup_printf("layer %.*s of '%s'", DIGEST_SHOWN, layer->digest, self->shown);
}

/* All layers are here. Takes the task. */
static void
unpack(GTask *task)
{
    Pull *self = g_task_get_task_data(task);
    GPtrArray *layers = self->manifest->layers;
    GError *error = NULL;
    MfCatalogDraft *draft = mf_catalog_draft_new(&error);
    MfCatalogBuild *build;

    if (!draft) {
        give_up(task, error);
        g_object_unref(task);
        return;
    }
    if (self->arch_given)
        mf_catalog_draft_require_arch(draft, self->arch);
    mf_catalog_draft_let_choose(draft, self->release);
    build = mf_catalog_build_new(draft, self->progress, self->progress_data);
    for (guint i = 0; i < layers->len; i++) {
        const MfOciLayer *layer = layers->pdata[i];
        MfDownload *download = g_hash_table_lookup(self->downloads, layer->digest);
        g_autofree char *shown = describe_layer(self, layer);

        mf_catalog_build_add_layer(build, mf_download_get_path(download), shown);
    }
    mf_catalog_build_run_async(build, self->name, NULL, self->shown, self->version,
                               g_task_get_cancellable(task), on_built, task);
}

static void
on_received(guint64 received, gpointer data)
{
    Pull *self = data;

    if (self->progress)
        self->progress(self->activity, (double)(self->before + received) / (double)self->total,
                       self->progress_data);
}

static void download_next(GTask *task);

static void
on_downloaded(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GTask) task = data;
    Pull *self = g_task_get_task_data(task);
    const MfOciLayer *layer = self->manifest->layers->pdata[self->next];
    GError *error = NULL;

    if (!mf_oci_registry_download_finish(result, &error)) {
        give_up(task, error);
        return;
    }
    self->before += layer->size;
    self->next++;
    download_next(g_steal_pointer(&task));
}

/* Takes the task. */
static void
download_next(GTask *task)
{
    g_autoptr(GTask) owned = task;
    Pull *self = g_task_get_task_data(task);
    const MfOciLayer *layer = NULL;
    GError *error = NULL;

    for (; self->next < self->manifest->layers->len; self->next++) {
        layer = self->manifest->layers->pdata[self->next];
        if (!g_hash_table_contains(self->downloads, layer->digest))
            break;
        self->before += layer->size;
    }
    if (self->next == self->manifest->layers->len) {
        unpack(g_steal_pointer(&owned));
        return;
    }

    const char *sum = strchr(layer->digest, ':') + 1;
    g_autofree char *shown = describe_layer(self, layer);
    MfDownload *download = mf_download_new(sum, layer->size, 0, shown, &error);
    if (!download) {
        give_up(task, error);
        return;
    }
    g_hash_table_insert(self->downloads, g_strdup(layer->digest), download);
    mf_oci_registry_download_async(self->registry, download, layer->digest, on_received, self,
                                   g_task_get_cancellable(task), on_downloaded,
                                   g_steal_pointer(&owned));
}

/* The entry that was made of the same image before, if there is one. */
static MfCatalogEntry *
find_present(Pull *self)
{
    g_autoptr(MfCatalogEntry) entry = mf_catalog_lookup_version(self->name, self->version);

    if (entry && (!self->arch_given || entry->arch == self->arch) &&
        (!self->release || g_strcmp0(entry->release, self->release) == 0))
        return g_steal_pointer(&entry);
    return NULL;
}

static void ask_manifest(GTask *task, const char *wanted);

/* Goes on with what the document says. Takes the task. */
static void
follow(GTask *task)
{
    g_autoptr(GTask) owned = task;
    Pull *self = g_task_get_task_data(task);

    if (self->manifest->layers) {
        for (guint i = 0; i < self->manifest->layers->len; i++) {
            const MfOciLayer *layer = self->manifest->layers->pdata[i];

            self->total += layer->size;
        }
        download_next(g_steal_pointer(&owned));
    } else if (self->manifests == MANIFESTS_MAX) {
        give_up(task, g_error_new(MF_ERROR, MF_ERROR_PROTOCOL,
                                  "'%s' is refused: its index names an index, where images are "
                                  "expected.",
                                  self->shown));
    } else {
        ask_manifest(g_steal_pointer(&owned), self->manifest->image);
    }
}

static void
on_manifest(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GTask) task = data;
    Pull *self = g_task_get_task_data(task);
    GError *error = NULL;
    g_autoptr(GBytes) document = mf_oci_registry_get_manifest_finish(result, &error);

    g_clear_pointer(&self->manifest, mf_oci_manifest_free);
    if (document)
        self->manifest = mf_oci_manifest_parse(document, self->arch, self->shown, &error);
    if (!self->manifest) {
        give_up(task, error);
        return;
    }
    self->manifests++;
    if (self->manifest->layers) {
        g_autofree char *sum = g_compute_checksum_for_bytes(G_CHECKSUM_SHA256, document);
        MfCatalogEntry *present;

        self->version = g_strconcat("sha256:", sum, NULL);
        present = find_present(self);
        if (present) {
            g_task_return_pointer(task, present, (GDestroyNotify)mf_catalog_entry_free);
            return;
        }
    }
    follow(g_steal_pointer(&task));
}

/* Takes the task. */
static void
ask_manifest(GTask *task, const char *wanted)
{
    Pull *self = g_task_get_task_data(task);
    g_autofree char *copy = g_strdup(wanted);

    mf_oci_registry_get_manifest_async(self->registry, copy, g_task_get_cancellable(task),
                                       on_manifest, task);
}

/* One that was chosen of several kernels, and one for another host's architecture, are beside the
 * others. */
static char *
make_name(Pull *self)
{
    g_autofree char *name = mf_oci_reference_entry_name(self->reference);
    gboolean is_foreign = self->arch != mf_arch_native();

    return g_strconcat(name, self->release ? "-" : "", self->release ? self->release : "",
                       is_foreign ? "-" : "", is_foreign ? mf_arch_name(self->arch) : "", NULL);
}

static gboolean
prepare(Pull *self, const char *what, const char *name, GError **error)
{
    if (name && !mf_catalog_entry_check_name(name, error))
        return FALSE;
    self->shown = g_strdup(what);
    self->activity = g_strdup_printf("Downloading %s", what);
    self->reference = mf_oci_reference_parse(what, error);
    if (!self->reference)
        return FALSE;
    self->name = name ? g_strdup(name) : make_name(self);
    if (!mf_catalog_entry_check_name(self->name, error))
        return FALSE;
    self->registry = mf_oci_registry_new(self->reference, what, error);
    return self->registry != NULL;
}

void
mf_catalog_oci_pull_async(const char *what, const MfCatalogWish *wish,
                          MfCatalogProgressFunc progress, gpointer progress_data,
                          GCancellable *cancellable, GAsyncReadyCallback callback,
                          gpointer user_data)
{
    g_autoptr(GTask) task = g_task_new(NULL, cancellable, callback, user_data);
    Pull *self = g_new0(Pull, 1);
    GError *error = NULL;

    self->progress = progress;
    self->progress_data = progress_data;
    self->arch_given = wish->arch != NULL;
    self->arch = wish->arch ? *wish->arch : mf_arch_native();
    self->release = g_strdup(wish->release);
    self->downloads =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)mf_download_free);
    g_task_set_check_cancellable(task, FALSE); /* each step says it, in our words */
    g_task_set_task_data(task, self, (GDestroyNotify)pull_free);
    if (!prepare(self, what, wish->name, &error)) {
        g_task_return_error(task, error);
        return;
    }
    if (progress)
        progress("Asking the registry", -1, progress_data);
    ask_manifest(g_steal_pointer(&task),
                 self->reference->digest ? self->reference->digest : self->reference->tag);
}
