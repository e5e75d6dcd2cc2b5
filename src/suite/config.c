/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/config.h"

#include <json.h>
#include <string.h>

#include "base/error.h"
#include "machine/catalog.h"
#include "suite/config-file.h"
#include "suite/config-read.h"
#include "suite/config-variables.h"
#include "suite/grid.h"
#include "suite/layers.h"
#include "suite/matrix.h"
#include "suite/origin.h"
#include "suite/persona-store.h"
#include "wire/json.h"

struct _MfConfig {
    MfConfigFile *file; /* owned */
    GPtrArray *targets; /* owned; of json_object, owned */
    GPtrArray *skips;   /* owned; of char *, by the targets' indexes: why one is skipped, or NULL */
    gboolean grid;
    MfConfigScope scope; /* while it is loaded */
    GArray *exclusions;  /* borrowed; likewise */
};

void
mf_config_free(MfConfig *self)
{
    if (!self)
        return;
    mf_config_file_free(self->file);
    g_clear_pointer(&self->targets, g_ptr_array_unref);
    g_clear_pointer(&self->skips, g_ptr_array_unref);
    g_free(self);
}

const char *
mf_config_get_path(const MfConfig *self)
{
    return self->file->path;
}

const GPtrArray *
mf_config_get_targets(const MfConfig *self)
{
    return self->targets;
}

const char *
mf_config_get_skip_reason(const MfConfig *self, guint index)
{
    return self->skips->pdata[index];
}

/*
 * Targets
 */

static char **
list_kernels(gpointer data, GError **error)
{
    g_autoptr(GPtrArray) entries = mf_catalog_list(error);
    g_autoptr(GStrvBuilder) names = g_strv_builder_new();

    if (!entries)
        return NULL;
    for (guint i = 0; i < entries->len; i++)
        g_strv_builder_add(names, ((MfCatalogEntry *)entries->pdata[i])->name);
    return g_strv_builder_end(names);
}

/* The combinations of a target, whose matrix can name variables that all of them share. */
static GPtrArray *
expand_matrix(const MfConfig *self, json_object *target, GError **error)
{
    const MfMatrixSources sources = {.directory = self->file->directory,
                                     .list_kernels = list_kernels,
                                     .exclusions = self->exclusions};
    json_object *matrix = json_object_object_get(target, MF_CONFIG_MATRIX), *expanded;

    if (json_object_is_type(matrix, json_type_object)) {
        g_autoptr(MfVariables) variables =
            mf_config_variables_of_matrix(&self->scope, target, error);

        expanded = variables ? mf_variables_expand_tree(variables, matrix, error) : NULL;
        if (!expanded)
            return NULL;
        json_object_object_add(target, MF_CONFIG_MATRIX, expanded);
    }
    return mf_matrix_expand(target, &sources, error);
}

/* Why the persona leaves the target out of a grid; NULL when it does not. Owned by the caller. */
static char *
find_skip_reason(const MfConfig *self, const MfPersona *persona, json_object *target)
{
    char **skip = persona->config->skip;
    json_object *name = json_object_object_get(target, "name");
    g_autofree char *scenario = NULL;

    if (!self->grid || !skip || !json_object_is_type(name, json_type_string))
        return NULL;
    scenario = mf_case_make_scenario(json_object_get_string(name), persona->config->id);
    return g_strv_contains((const char *const *)skip, scenario)
               ? g_strdup_printf("The persona '%s' is not for it.", persona->config->id)
               : NULL;
}

/* Puts the keys of the target's persona below its own, if it has one. */
static gboolean
put_persona(const MfConfig *self, json_object *target, char **ret_skip, GError **error)
{
    json_object *id = json_object_object_get(target, "persona");
    g_autoptr(MfPersona) persona = NULL;

    /* What is no id at all is refused with the other keys. */
    if (!json_object_is_type(id, json_type_string) || json_object_get_string_len(id) == 0)
        return TRUE;
    persona = mf_persona_store_find(self->file->directory, json_object_get_string(id),
                                    mf_origin_get(id), error);
    if (!persona || !mf_persona_put_below(persona, target, error))
        return FALSE;
    *ret_skip = find_skip_reason(self, persona, target);
    return TRUE;
}

/* Adds one combination, complete and checked. */
static gboolean
add_target(MfConfig *self, json_object *combination, GError **error)
{
    g_autoptr(MfVariables) variables =
        mf_config_variables_of_target(&self->scope, combination, error);
    g_autoptr(json_object) target = NULL;
    g_autofree char *skip = NULL;
    MfConfigTarget *checked;

    if (!variables)
        return FALSE;
    json_object_object_del(combination, MF_CONFIG_VARIABLES);
    target = mf_variables_expand_tree(variables, combination, error);
    if (!target)
        return FALSE;
    if (!put_persona(self, target, &skip, error))
        return FALSE;
    checked = mf_config_read_target(target, self->file->directory, error);
    if (!checked)
        return FALSE;
    mf_config_target_free(checked);
    mf_config_add_defaults(target);
    g_ptr_array_add(self->targets, g_steal_pointer(&target));
    g_ptr_array_add(self->skips, g_steal_pointer(&skip));
    return TRUE;
}

static gboolean
add_combinations(MfConfig *self, json_object *target, GError **error)
{
    g_autoptr(GPtrArray) combinations = expand_matrix(self, target, error);

    if (!combinations)
        return FALSE;
    for (guint i = 0; i < combinations->len; i++)
        if (!add_target(self, combinations->pdata[i], error))
            return FALSE;
    return TRUE;
}

/* Names select and ids are files: both have to be unique. */
static gboolean
check_names(const MfConfig *self, GError **error)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (guint i = 0; i < self->targets->len; i++) {
        json_object *name = json_object_object_get(self->targets->pdata[i], "name");
        char *id = mf_case_make_id(json_object_get_string(name));
        json_object *other = g_hash_table_lookup(seen, id);

        if (other) {
            g_autofree char *place = mf_origin_describe(mf_origin_get(other));

            mf_origin_set_error(error, mf_origin_get(name),
                                "The target '%s' is listed twice: the other one is '%s' at %s.",
                                json_object_get_string(name), json_object_get_string(other), place);
            g_free(id);
            return FALSE;
        }
        g_hash_table_insert(seen, id, name);
    }
    return TRUE;
}

/* What is left out of a matrix in vain is a mistake, but no harm. */
static void
warn_of_exclusions(const GArray *exclusions)
{
    for (guint i = 0; i < exclusions->len; i++) {
        const MfMatrixExclusion *exclusion = &g_array_index(exclusions, MfMatrixExclusion, i);
        g_autofree char *place = mf_origin_describe(&exclusion->place);

        if (!exclusion->matched)
            g_message("%s: No target's matrix has a combination for this table of 'exclude', so it "
                      "leaves out nothing.",
                      place);
    }
}

static gboolean
add_targets(MfConfig *self, const GPtrArray *targets, GError **error)
{
    g_autoptr(GArray) exclusions = g_array_new(FALSE, FALSE, sizeof(MfMatrixExclusion));
    gboolean good = TRUE;

    self->exclusions = exclusions;
    for (guint i = 0; i < targets->len && good; i++)
        good = add_combinations(self, targets->pdata[i], error);
    self->exclusions = NULL;
    if (good)
        warn_of_exclusions(exclusions);
    return good;
}

static gboolean
load_targets(MfConfig *self, const MfConfigSources *sources, const char *directory, GError **error)
{
    g_autoptr(json_object) environment =
        mf_layers_read_environment(sources->environment, directory);
    g_autoptr(json_object) options = mf_layers_read_options(sources->set, directory, error);
    g_autofree char *name = g_path_get_basename(self->file->path);
    const MfLayers layers = {sources->profile, environment, options};
    g_autoptr(GPtrArray) targets =
        options ? mf_layers_apply(self->file->tree, name, &layers, error) : NULL;

    if (!targets)
        return FALSE;
    if (targets->len == 0) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "There is no target in '%s': write a table [[target]] with a name, a kernel "
                    "and a command.",
                    self->file->path);
        return FALSE;
    }
    if (self->grid)
        mf_grid_prepare(targets, self->file->directory, sources->personas);
    return add_targets(self, targets, error) &&
           mf_config_variables_check_profiles(&self->scope, self->file->tree, &layers, error) &&
           check_names(self, error);
}

MfConfig *
mf_config_load(const MfConfigSources *sources, GError **error)
{
    g_autofree char *directory = g_get_current_dir();
    g_autofree char *found = sources->path ? NULL : mf_config_file_find(directory, error);
    const char *path = sources->path ? sources->path : found;
    g_autoptr(MfConfig) self = g_new0(MfConfig, 1);

    self->file = path ? mf_config_file_load(path, error) : NULL;
    if (!self->file)
        return NULL;
    self->targets = g_ptr_array_new_with_free_func((GDestroyNotify)mf_json_unref);
    self->skips = g_ptr_array_new_with_free_func(g_free);
    self->grid = sources->grid;
    self->scope = (MfConfigScope){self->file->directory, sources->environment};
    if (!load_targets(self, sources, directory, error))
        return NULL;
    self->scope = (MfConfigScope){NULL, NULL};
    return g_steal_pointer(&self);
}
