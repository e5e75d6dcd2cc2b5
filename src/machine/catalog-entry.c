/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/catalog-entry.h"

#include <json.h>
#include <string.h>

#include "base/cache.h"
#include "base/error.h"
#include "base/fd.h"
#include "wire/json.h"

#define FACTS_FILE   "kernel.json"
#define FACTS_MAX    65536
#define NAME_MAX_LEN 128

void
mf_catalog_entry_free(MfCatalogEntry *self)
{
    if (!self)
        return;
    g_free(self->name);
    g_free(self->release);
    g_free(self->source);
    g_free(self->version);
    g_free(self->image);
    g_free(self);
}

static gboolean
is_word(const char *text, gsize length)
{
    for (gsize i = 0; i < length; i++)
        if (!g_ascii_isalnum(text[i]) && (i == 0 || !strchr(".+~_-", text[i])))
            return FALSE;
    return length > 0;
}

gboolean
mf_catalog_entry_check_name(const char *name, GError **error)
{
    const char *slash = strchr(name, '/');
    gsize first = slash ? (gsize)(slash - name) : strlen(name);

    if (strlen(name) <= NAME_MAX_LEN && is_word(name, first) &&
        (!slash || is_word(slash + 1, strlen(slash + 1))))
        return TRUE;
    g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                "'%s' is not a name for a kernel: expected one or two words of letters, digits and "
                "'.', '+', '~', '_', '-', with a slash between, such as local/6.1-test.",
                name);
    return FALSE;
}

static char *
path_below(const char *section, const char *name)
{
    g_autofree char *directory = g_strdelimit(g_strdup(name), "/", '@');

    return section ? g_build_filename(section, directory, NULL) : NULL;
}

char *
mf_catalog_entry_path(const char *name, GError **error)
{
    g_autofree char *section = NULL;

    if (!mf_catalog_entry_check_name(name, error))
        return NULL;
    section = mf_cache_dir("kernels", error);
    return path_below(section, name);
}

gboolean
mf_catalog_entry_find(const char *name, char **ret_path, GError **error)
{
    g_autofree char *section = NULL;
    g_autofree char *path = NULL;

    if (!mf_catalog_entry_check_name(name, error) || !mf_cache_find_dir("kernels", &section, error))
        return FALSE;
    path = path_below(section, name);
    *ret_path = path && g_file_test(path, G_FILE_TEST_IS_DIR) ? g_steal_pointer(&path) : NULL;
    return TRUE;
}

char *
mf_catalog_entry_find_image(const char *path)
{
    static const char *const images[] = {"vmlinuz", "vmlinux"};

    for (gsize i = 0; i < G_N_ELEMENTS(images); i++) {
        g_autofree char *image = g_build_filename(path, "boot", images[i], NULL);

        if (g_file_test(image, G_FILE_TEST_IS_REGULAR))
            return g_steal_pointer(&image);
    }
    return NULL;
}

/* A member that may be null or missing. */
static char *
optional_string(const MfJson *object, const char *name)
{
    const char *text;

    return mf_json_get_string(object, name, &text, NULL) ? g_strdup(text) : NULL;
}

static gboolean
read_facts(MfCatalogEntry *self, const MfJson *facts)
{
    const char *arch, *source;

    if (!mf_json_get_string(facts, "arch", &arch, NULL) ||
        !mf_json_get_string(facts, "source", &source, NULL) ||
        !mf_json_get_int64(facts, "added", 0, G_MAXINT64, &self->added, NULL) ||
        !mf_json_get_uint64(facts, "size", 0, G_MAXINT64, &self->size, NULL) ||
        !mf_arch_parse(arch, &self->arch, NULL))
        return FALSE;
    self->source = g_strdup(source);
    self->release = optional_string(facts, "release");
    self->version = optional_string(facts, "version");
    return TRUE;
}

MfCatalogEntry *
mf_catalog_entry_read(const char *path)
{
    g_autofree char *file = g_build_filename(path, FACTS_FILE, NULL);
    g_autofree char *directory = g_path_get_basename(path);
    g_autoptr(GBytes) text = mf_file_read(file, FACTS_MAX, NULL);
    g_autoptr(json_object) value = NULL;
    g_autoptr(MfCatalogEntry) self = g_new0(MfCatalogEntry, 1);
    gsize size;

    if (!text)
        return NULL;
    const char *bytes = g_bytes_get_data(text, &size);
    if (!mf_json_parse(bytes, size, FACTS_MAX, &value, NULL))
        return NULL;

    MfJson facts = mf_json_top(value, file);
    if (!read_facts(self, &facts))
        return NULL;

    /* The directory decides, not the file: whoever renames the one has renamed the entry. */
    self->name = g_strdelimit(g_steal_pointer(&directory), "@", '/');
    self->image = mf_catalog_entry_find_image(path);
    if (!self->image || !mf_catalog_entry_check_name(self->name, NULL))
        return NULL;
    return g_steal_pointer(&self);
}

gboolean
mf_catalog_entry_write(const MfCatalogEntry *self, const char *path, GError **error)
{
    g_autofree char *file = g_build_filename(path, FACTS_FILE, NULL);
    g_autoptr(json_object) facts = json_object_new_object();

    json_object_object_add(facts, "name", json_object_new_string(self->name));
    json_object_object_add(facts, "release", mf_json_new_text(self->release));
    json_object_object_add(facts, "arch", json_object_new_string(mf_arch_name(self->arch)));
    json_object_object_add(facts, "source", json_object_new_string(self->source));
    json_object_object_add(facts, "version", mf_json_new_text(self->version));
    json_object_object_add(facts, "added", json_object_new_int64(self->added));
    json_object_object_add(facts, "size", json_object_new_uint64(self->size));

    g_autofree char *text = mf_json_to_text(facts);

    return mf_file_replace(file, text, strlen(text), 0644, error);
}
