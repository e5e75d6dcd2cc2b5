/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/oci-manifest.h"

#include <string.h>

#include "base/error.h"
#include "base/parse.h"
#include "machine/oci-reference.h"
#include "wire/json.h"

/* So many platforms are named when the wanted one is not there. */
#define OFFERED_MAX 12

static void
layer_free(gpointer data)
{
    MfOciLayer *self = data;

    g_free(self->digest);
    g_free(self);
}

void
mf_oci_manifest_free(MfOciManifest *self)
{
    if (!self)
        return;
    g_free(self->image);
    g_clear_pointer(&self->layers, g_ptr_array_unref);
    g_free(self);
}

static gboolean
get_digest(const MfJson *descriptor, const char **ret_digest, GError **error)
{
    const char *digest;
    MfJson member;

    if (!mf_json_get(descriptor, "digest", &member, error) ||
        !mf_json_as_string(&member, &digest, error))
        return FALSE;
    if (!mf_oci_digest_is_valid(digest))
        return mf_json_refuse(&member, "a SHA-256 sum", error);
    *ret_digest = digest;
    return TRUE;
}

/* The system and the architecture of an index's entry; an entry that is no image has none. */
static gboolean
find_platform(const MfJson *entry, const char **ret_system, const char **ret_architecture)
{
    MfJson platform;

    return mf_json_find(entry, "platform", &platform) &&
           mf_json_get_string(&platform, "os", ret_system, NULL) &&
           mf_json_get_string(&platform, "architecture", ret_architecture, NULL);
}

static gboolean
set_no_platform(const MfJson *entries, gsize count, MfArch arch, const char *shown, GError **error)
{
    g_autoptr(GString) offered = g_string_new(NULL);
    guint named = 0;

    for (gsize i = 0; i < count && named < OFFERED_MAX; i++) {
        MfJson entry = mf_json_element(entries, i);
        const char *system, *architecture;

        if (find_platform(&entry, &system, &architecture))
            g_string_append_printf(offered, "%s%s/%s", named++ ? ", " : "", system, architecture);
    }

    g_autofree char *clean = g_strescape(offered->str, NULL);
    g_set_error(error, MF_ERROR, MF_ERROR_CONFIG, "'%s' has no image for linux/%s: it has %s.",
                shown, mf_arch_package_name(arch), *clean ? clean : "none for any platform");
    return FALSE;
}

static gboolean
read_index(MfOciManifest *self, const MfJson *top, MfArch arch, const char *shown, GError **error)
{
    MfJson entries;
    gsize count;

    if (!mf_json_get_array(top, "manifests", &entries, &count, error))
        return FALSE;
    for (gsize i = 0; i < count; i++) {
        MfJson entry = mf_json_element(&entries, i);
        const char *system, *architecture, *digest;

        if (!find_platform(&entry, &system, &architecture) || !g_str_equal(system, "linux") ||
            !g_str_equal(architecture, mf_arch_package_name(arch)))
            continue;
        if (!get_digest(&entry, &digest, error))
            return FALSE;
        self->image = g_strdup(digest);
        return TRUE;
    }
    return set_no_platform(&entries, count, arch, shown, error);
}

/* A tar archive that is not compressed, or with what libarchive has a library for. */
static gboolean
is_layer_type(const char *type)
{
    static const char *const endings[] = {".tar", ".tar+gzip", ".tar+zstd", ".tar.gzip",
                                          ".tar.zstd"};

    for (gsize i = 0; i < G_N_ELEMENTS(endings); i++)
        if (g_str_has_suffix(type, endings[i]))
            return TRUE;
    return FALSE;
}

static MfOciLayer *
read_layer(const MfJson *entry, const char *shown, GError **error)
{
    const char *type, *digest;
    guint64 size;
    MfOciLayer *layer;

    if (!mf_json_get_string(entry, "mediaType", &type, error) ||
        !get_digest(entry, &digest, error) ||
        !mf_json_get_uint64(entry, "size", 1, G_MAXINT64, &size, error))
        return NULL;
    if (!is_layer_type(type)) {
        g_autofree char *clean = g_strescape(type, NULL);

        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "'%s' cannot be unpacked: it has a layer of the type '%s', which is no tar "
                    "archive.",
                    shown, clean);
        return NULL;
    }
    layer = g_new0(MfOciLayer, 1);
    layer->digest = g_strdup(digest);
    layer->size = size;
    return layer;
}

static gboolean
check_caps(gsize count, const char *shown, GError **error)
{
    if (count >= 1 && count <= MF_OCI_LAYERS_MAX)
        return TRUE;
    g_set_error(error, MF_ERROR, MF_ERROR_PROTOCOL,
                "'%s' is refused: it has %" G_GSIZE_FORMAT " layers, where 1 to %d are expected.",
                shown, count, MF_OCI_LAYERS_MAX);
    return FALSE;
}

static gboolean
read_layers(MfOciManifest *self, const MfJson *top, const char *shown, GError **error)
{
    MfJson entries;
    gsize count;
    guint64 total = 0;

    if (!mf_json_get_array(top, "layers", &entries, &count, error) ||
        !check_caps(count, shown, error))
        return FALSE;
    self->layers = g_ptr_array_new_with_free_func(layer_free);
    for (gsize i = 0; i < count; i++) {
        MfJson entry = mf_json_element(&entries, i);
        MfOciLayer *layer = read_layer(&entry, shown, error);

        if (!layer)
            return FALSE;
        g_ptr_array_add(self->layers, layer);
        if (!g_uint64_checked_add(&total, total, layer->size) || total > MF_OCI_LAYERS_BYTES_MAX) {
            g_autofree char *limit = mf_format_size(MF_OCI_LAYERS_BYTES_MAX);

            g_set_error(error, MF_ERROR, MF_ERROR_PROTOCOL,
                        "'%s' is refused: its layers are more than %s, which no kernel is.", shown,
                        limit);
            return FALSE;
        }
    }
    return TRUE;
}

MfOciManifest *
mf_oci_manifest_parse(GBytes *document, MfArch arch, const char *shown, GError **error)
{
    g_autoptr(MfOciManifest) self = g_new0(MfOciManifest, 1);
    g_autoptr(json_object) value = NULL;
    g_autoptr(GError) failure = NULL;
    g_autofree char *what = g_strdup_printf("the manifest of '%s'", shown);
    gsize size;
    const char *text = g_bytes_get_data(document, &size);

    if (!mf_json_parse(text ? text : "", size, MF_OCI_MANIFEST_MAX, &value, &failure)) {
        mf_error_take_foreign(error, MF_ERROR_PROTOCOL, g_steal_pointer(&failure),
                              "The manifest of '%s' cannot be read", shown);
        return NULL;
    }

    MfJson top = mf_json_top(value, what), member;
    gboolean is_index = mf_json_find(&top, "manifests", &member);
    if (is_index ? !read_index(self, &top, arch, shown, error)
                 : !read_layers(self, &top, shown, error))
        return NULL;
    return g_steal_pointer(&self);
}
