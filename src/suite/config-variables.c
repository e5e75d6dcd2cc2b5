/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/config-variables.h"

#include <string.h>

#include "base/cache.h"
#include "machine/arch.h"
#include "suite/case.h"
#include "wire/json.h"

/* Those that a target gives a value to by its keys, and "id". */
static const char *const of_a_target[] = {"name", "id", "kernel", "arch"};

/* With those that are the same for all targets. */
static MfVariables *
new_variables(const MfConfigScope *scope)
{
    MfVariables *variables = mf_variables_new(scope->environment);
    g_autofree char *cache = mf_cache_dir(NULL, NULL);

    mf_variables_set(variables, "config_dir", scope->directory);
    mf_variables_set(variables, "cache_dir", cache);
    mf_variables_set(variables, "host_arch", mf_arch_name(mf_arch_native()));
    return variables;
}

/* Adds the target's own [variables]. */
static gboolean
add_own_variables(MfVariables *variables, json_object *target, GError **error)
{
    json_object *table = json_object_object_get(target, MF_CONFIG_VARIABLES);

    return !table || mf_variables_add_table(variables, table, error);
}

/* The names in the [variables] of 'table', if it has them, get their values later. */
static void
defer_own(MfVariables *variables, json_object *table)
{
    json_object *own = json_object_object_get(table, MF_CONFIG_VARIABLES);
    struct json_object_iterator at, end;

    if (!json_object_is_type(own, json_type_object))
        return;
    end = json_object_iter_end(own);
    for (at = json_object_iter_begin(own); !json_object_iter_equal(&at, &end);
         json_object_iter_next(&at))
        mf_variables_defer(variables, json_object_iter_peek_name(&at));
}

/* The variables that 'table', a matrix or one of its 'include', gives values to have them later. */
static void
defer_axes(MfVariables *variables, json_object *table)
{
    struct json_object_iterator at, end;

    defer_own(variables, table);
    end = json_object_iter_end(table);
    for (at = json_object_iter_begin(table); !json_object_iter_equal(&at, &end);
         json_object_iter_next(&at)) {
        const char *key = json_object_iter_peek_name(&at);

        if (g_str_has_prefix(key, MF_CONFIG_VARIABLES "."))
            mf_variables_defer(variables, key + strlen(MF_CONFIG_VARIABLES "."));
    }
}

static void
defer_target_keys(MfVariables *variables)
{
    for (gsize i = 0; i < G_N_ELEMENTS(of_a_target); i++)
        mf_variables_defer(variables, of_a_target[i]);
}

static void
defer_matrix(MfVariables *variables, json_object *matrix)
{
    json_object *include = json_object_object_get(matrix, "include");

    defer_axes(variables, matrix);
    if (!json_object_is_type(include, json_type_array))
        return;
    for (size_t i = 0; i < json_object_array_length(include); i++) {
        json_object *table = json_object_array_get_idx(include, i);

        if (json_object_is_type(table, json_type_object))
            defer_axes(variables, table);
    }
}

/* Makes 'name' the text that the target has for that key, if it has one. */
static void
set_from_key(MfVariables *variables, const char *name, json_object *target, const char *fallback)
{
    json_object *value = json_object_object_get(target, name);

    if (json_object_is_type(value, json_type_string))
        mf_variables_set_text(variables, name, value);
    else
        mf_variables_set(variables, name, fallback);
}

MfVariables *
mf_config_variables_of_target(const MfConfigScope *scope, json_object *target, GError **error)
{
    g_autoptr(MfVariables) variables = new_variables(scope);
    json_object *own = json_object_object_get(target, MF_CONFIG_VARIABLES);
    json_object *name = json_object_object_get(target, "name");
    g_autofree char *full = NULL;
    g_autofree char *id = NULL;

    set_from_key(variables, "name", target, NULL);
    set_from_key(variables, "kernel", target, NULL);
    set_from_key(variables, "arch", target, mf_arch_name(mf_arch_native()));
    mf_variables_set(variables, "id", NULL);
    if (!add_own_variables(variables, target, error) ||
        (own && !mf_variables_check_cycles(variables, own, error)))
        return NULL;
    if (json_object_is_type(name, json_type_string)) {
        full = mf_variables_expand(variables, "{{name}}", mf_origin_get(name), error);
        if (!full)
            return NULL;
        id = mf_case_make_id(full);
        mf_variables_set(variables, "id", id);
    }
    return g_steal_pointer(&variables);
}

MfVariables *
mf_config_variables_of_matrix(const MfConfigScope *scope, json_object *target, GError **error)
{
    g_autoptr(MfVariables) variables = new_variables(scope);

    if (!add_own_variables(variables, target, error))
        return NULL;
    defer_target_keys(variables);
    defer_matrix(variables, json_object_object_get(target, MF_CONFIG_MATRIX));
    return g_steal_pointer(&variables);
}

/*
 * Profiles
 */

/* What a table that is a layer of targets, and each of its 'target', gives values to. */
static void
defer_layer(MfVariables *variables, json_object *layer)
{
    json_object *matrix = json_object_object_get(layer, MF_CONFIG_MATRIX);
    json_object *targets = json_object_object_get(layer, "target");

    defer_own(variables, layer);
    if (json_object_is_type(matrix, json_type_object))
        defer_matrix(variables, matrix);
    if (!json_object_is_type(targets, json_type_array))
        return;
    for (size_t i = 0; i < json_object_array_length(targets); i++)
        defer_layer(variables, json_object_array_get_idx(targets, i));
}

static gboolean
check_profile(const MfConfigScope *scope, json_object *document, const MfLayers *layers,
              json_object *profile, GError **error)
{
    g_autoptr(MfVariables) variables = new_variables(scope);
    g_autoptr(json_object) expanded = NULL;

    mf_variables_defer_environment(variables);
    defer_target_keys(variables);
    defer_layer(variables, document);
    defer_layer(variables, profile);
    defer_layer(variables, layers->environment);
    defer_layer(variables, layers->options);
    expanded = mf_variables_expand_tree(variables, profile, error);
    return expanded != NULL;
}

gboolean
mf_config_variables_check_profiles(const MfConfigScope *scope, json_object *document,
                                   const MfLayers *layers, GError **error)
{
    json_object *profiles = json_object_object_get(document, "profile");
    struct json_object_iterator at, end;

    if (!profiles)
        return TRUE;
    end = json_object_iter_end(profiles);
    for (at = json_object_iter_begin(profiles); !json_object_iter_equal(&at, &end);
         json_object_iter_next(&at))
        if (!check_profile(scope, document, layers, json_object_iter_peek_value(&at), error))
            return FALSE;
    return TRUE;
}
