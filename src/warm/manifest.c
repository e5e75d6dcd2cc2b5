/* SPDX-License-Identifier: Apache-2.0 */
#include "warm/manifest.h"

#include <json.h>
#include <string.h>

#include "base/fd.h"
#include "warm/store.h"
#include "wire/json.h"

#define MANIFEST_MAX 65536
#define VERSION      2
#define BOOT_ID      "/proc/sys/kernel/random/boot_id"
#define BOOT_ID_MAX  64

/* The texts of a manifest, and the sums. */
static const struct {
    const char *name;
    gsize offset;
} texts[] =
    {
        {"key", G_STRUCT_OFFSET(MfWarmManifest, key)},
        {"label", G_STRUCT_OFFSET(MfWarmManifest, label)},
        {"host-boot", G_STRUCT_OFFSET(MfWarmManifest, host_boot)},
        {"qemu-version", G_STRUCT_OFFSET(MfWarmManifest, qemu_version)},
        {"ram", G_STRUCT_OFFSET(MfWarmManifest, ram)},
        {"overlay", G_STRUCT_OFFSET(MfWarmManifest, overlay)},
},
  sums[] = {
      {"state", G_STRUCT_OFFSET(MfWarmManifest, state)},
      {"console", G_STRUCT_OFFSET(MfWarmManifest, console)},
      {"stream", G_STRUCT_OFFSET(MfWarmManifest, stream)},
};

static char **
text_at(const MfWarmManifest *self, gsize i)
{
    return G_STRUCT_MEMBER_P(self, texts[i].offset);
}

static MfWarmSum *
sum_at(const MfWarmManifest *self, gsize i)
{
    return G_STRUCT_MEMBER_P(self, sums[i].offset);
}

void
mf_warm_manifest_free(MfWarmManifest *self)
{
    if (!self)
        return;
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
        g_free(*text_at(self, i));
    for (gsize i = 0; i < G_N_ELEMENTS(sums); i++)
        g_free(sum_at(self, i)->sha256);
    g_free(self);
}

void
mf_warm_sum_make(MfWarmSum *ret_sum, GBytes *bytes)
{
    ret_sum->size = g_bytes_get_size(bytes);
    ret_sum->sha256 = g_compute_checksum_for_bytes(G_CHECKSUM_SHA256, bytes);
}

gboolean
mf_warm_sum_matches(const MfWarmSum *self, GBytes *bytes)
{
    if (self->size != g_bytes_get_size(bytes))
        return FALSE;

    g_autofree char *sha256 = g_compute_checksum_for_bytes(G_CHECKSUM_SHA256, bytes);
    return g_str_equal(sha256, self->sha256);
}

static gboolean
read_members(const MfJson *top, MfWarmManifest *self, GError **error)
{
    gint64 version;
    const char *text;

    if (!mf_json_get_int64(top, "version", VERSION, VERSION, &version, error))
        return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        if (!mf_json_get_string(top, texts[i].name, &text, error))
            return FALSE;
        *text_at(self, i) = g_strdup(text);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(sums); i++) {
        MfWarmSum *sum = sum_at(self, i);
        MfJson object;

        if (!mf_json_get_object(top, sums[i].name, &object, error) ||
            !mf_json_get_uint64(&object, "size", 0, G_MAXINT64, &sum->size, error) ||
            !mf_json_get_string(&object, "sha256", &text, error))
            return FALSE;
        sum->sha256 = g_strdup(text);
    }
    return TRUE;
}

MfWarmManifest *
mf_warm_manifest_read(const char *directory, GError **error)
{
    g_autofree char *path = g_build_filename(directory, MF_WARM_MANIFEST, NULL);
    g_autoptr(GBytes) bytes = mf_file_read(path, MANIFEST_MAX, error);
    g_autoptr(MfWarmManifest) self = g_new0(MfWarmManifest, 1);
    g_autoptr(json_object) document = NULL;

    if (!bytes || !mf_json_parse(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes),
                                 MANIFEST_MAX, &document, error))
        return NULL;

    MfJson top = mf_json_top(document, "the manifest of a saved machine");
    return read_members(&top, self, error) ? g_steal_pointer(&self) : NULL;
}

gboolean
mf_warm_manifest_write(const MfWarmManifest *self, const char *directory, GError **error)
{
    g_autofree char *path = g_build_filename(directory, MF_WARM_MANIFEST, NULL);
    g_autoptr(json_object) top = json_object_new_object();

    json_object_object_add(top, "version", json_object_new_int(VERSION));
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
        json_object_object_add(top, texts[i].name, json_object_new_string(*text_at(self, i)));
    for (gsize i = 0; i < G_N_ELEMENTS(sums); i++) {
        const MfWarmSum *sum = sum_at(self, i);
        json_object *object = json_object_new_object();

        json_object_object_add(object, "size", json_object_new_uint64(sum->size));
        json_object_object_add(object, "sha256", json_object_new_string(sum->sha256));
        json_object_object_add(top, sums[i].name, object);
    }

    const char *text = json_object_to_json_string_ext(top, JSON_C_TO_STRING_PRETTY);
    return mf_file_replace(path, text, strlen(text), 0600, error);
}

char *
mf_warm_host_boot(void)
{
    g_autoptr(GBytes) bytes = mf_file_read(BOOT_ID, BOOT_ID_MAX, NULL);

    return bytes ? g_strchomp(g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes)))
                 : g_strdup("");
}
