/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/persona-store.h"

#include <string.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/suggest.h"
#include "suite/persona-resources.h"
#include "suite/persona-yaml.h"
#include "suite/toml.h"

#define DIRECTORY     "personas"
#define SHIPPED       "/mayfly/personas"
#define SUFFIX        ".toml"
#define DIRECTORY_MAX 10000 /* entries that are looked at in one directory */

/* What a file may be written in; the first of several with one id has its say. */
static const struct {
    const char *suffix;
    json_object *(*read)(const char *text, gsize size, const char *file, GError **error);
} forms[] = {
    {SUFFIX, mf_toml_parse},
#ifdef MF_HAVE_YAML
    {".yaml", mf_persona_yaml_read},
#endif
};

static void
entry_free(gpointer data)
{
    MfPersonaEntry *entry = data;

    g_free(entry->id);
    g_free(entry->path);
    g_free(entry);
}

static int
compare_ids(gconstpointer a, gconstpointer b)
{
    const MfPersonaEntry *left = *(const MfPersonaEntry *const *)a;
    const MfPersonaEntry *right = *(const MfPersonaEntry *const *)b;

    return strcmp(left->id, right->id);
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The id that a file's name says; NULL when it is no persona's. Owned by the caller. */
static char *
id_of(const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(forms); i++)
        if (g_str_has_suffix(name, forms[i].suffix))
            return g_strndup(name, strlen(name) - strlen(forms[i].suffix));
    return NULL;
}

static const MfPersonaEntry *
find_entry(const GPtrArray *entries, const char *id)
{
    for (guint i = 0; i < entries->len; i++) {
        const MfPersonaEntry *entry = entries->pdata[i];

        if (g_str_equal(entry->id, id))
            return entry;
    }
    return NULL;
}

/* Adds what no place before this one has. */
static void
add_entry(GPtrArray *entries, const char *directory, const char *name)
{
    g_autofree char *id = id_of(name);
    MfPersonaEntry *entry;

    if (!id || find_entry(entries, id))
        return;
    entry = g_new0(MfPersonaEntry, 1);
    entry->id = g_steal_pointer(&id);
    entry->path = directory ? g_build_filename(directory, name, NULL) : NULL;
    g_ptr_array_add(entries, entry);
}

/* In the order of the names, in which ID.toml is before ID.yaml. */
static void
add_directory(GPtrArray *entries, const char *directory)
{
    g_autoptr(GDir) files = g_dir_open(directory, 0, NULL);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    const char *name;

    while (files && names->len < DIRECTORY_MAX && (name = g_dir_read_name(files)))
        g_ptr_array_add(names, g_strdup(name));
    g_ptr_array_sort(names, compare_names);
    for (guint i = 0; i < names->len; i++)
        add_entry(entries, directory, names->pdata[i]);
}

static void
add_shipped(GPtrArray *entries)
{
    g_auto(GStrv) names = g_resource_enumerate_children(mayfly_personas_get_resource(), SHIPPED,
                                                        G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);

    for (char **name = names; name && *name; name++)
        add_entry(entries, NULL, *name);
}

GPtrArray *
mf_persona_store_list(const char *directory)
{
    GPtrArray *entries = g_ptr_array_new_with_free_func(entry_free);
    g_autofree char *own = g_build_filename(g_get_user_config_dir(), "mayfly", DIRECTORY, NULL);

    if (directory) {
        g_autofree char *beside = g_build_filename(directory, DIRECTORY, NULL);

        add_directory(entries, beside);
    }
    add_directory(entries, own);
    add_shipped(entries);
    g_ptr_array_sort(entries, compare_ids);
    return entries;
}

/* The file's text; 'path' is NULL for one of mayfly's own. */
static GBytes *
read_text(const char *id, const char *path, GError **error)
{
    g_autofree char *name = g_strconcat(SHIPPED "/", id, SUFFIX, NULL);
    g_autoptr(GError) cause = NULL;
    GBytes *text;

    text = path ? mf_file_read(path, MF_PERSONA_SIZE_MAX, &cause)
                : g_resource_lookup_data(mayfly_personas_get_resource(), name,
                                         G_RESOURCE_LOOKUP_FLAGS_NONE, &cause);
    if (!text)
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG, "The persona '%s' cannot be read: %s", id,
                    cause->message);
    return text;
}

MfPersona *
mf_persona_store_load(const MfPersonaEntry *entry, GError **error)
{
    g_autoptr(GBytes) text = read_text(entry->id, entry->path, error);
    g_autofree char *file =
        entry->path ? g_strdup(entry->path) : g_strconcat(entry->id, SUFFIX, NULL);
    json_object *tree = NULL;
    gsize size;

    if (!text)
        return NULL;

    const char *data = g_bytes_get_data(text, &size);
    for (gsize i = 0; i < G_N_ELEMENTS(forms); i++)
        if (g_str_has_suffix(file, forms[i].suffix))
            tree = forms[i].read(data, size, file, error);
    return tree ? mf_persona_new(tree, entry->id, entry->path, error) : NULL;
}

MfPersona *
mf_persona_store_find(const char *directory, const char *id, const MfOrigin *origin, GError **error)
{
    g_autoptr(GPtrArray) entries = mf_persona_store_list(directory);
    const MfPersonaEntry *entry = find_entry(entries, id);
    g_autoptr(GPtrArray) ids = g_ptr_array_new();
    const char *near;

    if (entry)
        return mf_persona_store_load(entry, error);
    for (guint i = 0; i < entries->len; i++)
        g_ptr_array_add(ids, ((MfPersonaEntry *)entries->pdata[i])->id);
    g_ptr_array_add(ids, NULL);
    near = mf_suggest(id, (const char *const *)ids->pdata);
    if (near)
        mf_origin_set_error(error, origin, "There is no persona '%s': did you mean '%s'?", id,
                            near);
    else
        mf_origin_set_error(error, origin,
                            "There is no persona '%s': 'mayfly persona list' shows them all.", id);
    return NULL;
}

MfPersona *
mf_persona_store_load_file(const char *path, GError **error)
{
    g_autofree char *absolute = g_canonicalize_filename(path, NULL);
    g_autofree char *name = g_path_get_basename(absolute);
    g_autofree char *id = id_of(name);
    const MfPersonaEntry entry = {id, absolute};

    if (id)
        return mf_persona_store_load(&entry, error);
    g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                "'%s' is not the file of a persona: it is called ID.toml, or "
                "ID.yaml where mayfly was built with libyaml.",
                path);
    return NULL;
}
