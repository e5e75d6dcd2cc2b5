/* SPDX-License-Identifier: Apache-2.0 */
#include "report/config-list.h"

#include <string.h>

#include "base/error.h"
#include "base/suggest.h"
#include "suite/case.h"
#include "suite/origin.h"
#include "wire/json.h"

#define NAME       "name"
#define BARE_KEY   G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_-"
#define JSON_STYLE (JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)

/* A key of a target and its value: what is no table, or an empty one. */
typedef struct {
    char *path;         /* owned; as TOML writes it */
    json_object *value; /* borrowed */
} Row;

static void
row_clear(gpointer data)
{
    g_free(((Row *)data)->path);
}

/* A string in JSON's form, which TOML reads too. */
static void
append_quoted(GString *out, const char *text)
{
    g_autoptr(json_object) string = mf_json_new_text(text);

    g_string_append(out, json_object_to_json_string_ext(string, JSON_STYLE));
}

static void
append_key(GString *out, const char *key)
{
    if (*key && !key[strspn(key, BARE_KEY)])
        g_string_append(out, key);
    else
        append_quoted(out, key);
}

static void
append_value(GString *out, json_object *value)
{
    const char *separator = "";

    switch (json_object_get_type(value)) {
    case json_type_string:
        append_quoted(out, json_object_get_string(value));
        break;
    case json_type_array:
        g_string_append_c(out, '[');
        for (size_t i = 0; i < json_object_array_length(value); i++, separator = ", ") {
            g_string_append(out, separator);
            append_value(out, json_object_array_get_idx(value, i));
        }
        g_string_append_c(out, ']');
        break;
    case json_type_object:
        g_string_append_c(out, '{');
        json_object_object_foreach (value, key, member) {
            g_string_append(out, separator);
            append_key(out, key);
            g_string_append(out, " = ");
            append_value(out, member);
            separator = ", ";
        }
        g_string_append_c(out, '}');
        break;
    default:
        g_string_append(out, json_object_to_json_string_ext(value, JSON_STYLE));
    }
}

static void
add_rows(GArray *rows, json_object *table, const char *prefix)
{
    json_object_object_foreach (table, key, value) {
        g_autoptr(GString) path = g_string_new(prefix);

        append_key(path, key);
        if (json_object_is_type(value, json_type_object) && json_object_object_length(value) > 0) {
            g_string_append_c(path, '.');
            add_rows(rows, value, path->str);
        } else {
            const Row row = {g_string_free(g_steal_pointer(&path), FALSE), value};

            g_array_append_val(rows, row);
        }
    }
}

static int
compare_paths(gconstpointer a, gconstpointer b)
{
    return strcmp(((const Row *)a)->path, ((const Row *)b)->path);
}

/* The keys of a target by their paths; 'has_name' says whether its name is one. Owned by the
 * caller. */
static GArray *
read_rows(json_object *target, gboolean has_name)
{
    GArray *rows = g_array_new(FALSE, FALSE, sizeof(Row));

    g_array_set_clear_func(rows, row_clear);
    add_rows(rows, target, "");
    for (guint i = rows->len; i > 0 && !has_name; i--)
        if (g_str_equal(g_array_index(rows, Row, i - 1).path, NAME))
            g_array_remove_index(rows, i - 1);
    g_array_sort(rows, compare_paths);
    return rows;
}

static const char *
layer_of(const MfOrigin *origin)
{
    static const char *const layers[] = {
        [MF_ORIGIN_DEFAULT] = "default", [MF_ORIGIN_PERSONA] = "persona",
        [MF_ORIGIN_FILE] = "file",       [MF_ORIGIN_PROFILE] = "profile",
        [MF_ORIGIN_MATRIX] = "matrix",   [MF_ORIGIN_ENVIRONMENT] = "environment",
        [MF_ORIGIN_OPTION] = "option",
    };

    return layers[origin ? origin->kind : MF_ORIGIN_DEFAULT];
}

/* Where a value comes from. Owned by the caller. */
static char *
describe(json_object *value)
{
    const MfOrigin *origin = mf_origin_get(value);
    g_autofree char *place = NULL;

    if (!origin || origin->kind == MF_ORIGIN_DEFAULT)
        return g_strdup("default");
    place = mf_origin_describe(origin);
    if (origin->kind == MF_ORIGIN_PERSONA || origin->kind == MF_ORIGIN_PROFILE ||
        origin->kind == MF_ORIGIN_MATRIX)
        return g_strdup_printf("%s (%s)", place, layer_of(origin));
    return g_steal_pointer(&place);
}

static const char *
name_of(json_object *target)
{
    return json_object_get_string(json_object_object_get(target, NAME));
}

/* Pads to 'width' characters, when something follows. */
static void
append_cell(GString *text, const char *cell, glong width, gboolean is_last)
{
    g_string_append(text, cell);
    for (glong i = g_utf8_strlen(cell, -1); !is_last && i < width; i++)
        g_string_append_c(text, ' ');
}

static void
append_heading(GString *text, json_object *target, gboolean sources)
{
    g_autofree char *source = describe(json_object_object_get(target, NAME));

    g_string_append(text, name_of(target));
    if (sources)
        g_string_append_printf(text, "  %s", source);
    g_string_append_c(text, '\n');
}

/* Longer values do not push the sources of the others away. */
#define VALUE_WIDTH_MAX 40

static void
append_target(GString *text, json_object *target, gboolean sources)
{
    g_autoptr(GArray) rows = read_rows(target, FALSE);
    g_autoptr(GPtrArray) values = g_ptr_array_new_with_free_func(g_free);
    glong path_width = 0, value_width = 0;

    for (guint i = 0; i < rows->len; i++) {
        const Row *row = &g_array_index(rows, Row, i);
        g_autoptr(GString) value = g_string_new(NULL);
        glong width;

        append_value(value, row->value);
        width = g_utf8_strlen(value->str, -1);
        path_width = MAX(path_width, g_utf8_strlen(row->path, -1));
        value_width = width <= VALUE_WIDTH_MAX ? MAX(value_width, width) : value_width;
        g_ptr_array_add(values, g_string_free(g_steal_pointer(&value), FALSE));
    }
    append_heading(text, target, sources);
    for (guint i = 0; i < rows->len; i++) {
        const Row *row = &g_array_index(rows, Row, i);
        g_autofree char *source = describe(row->value);

        g_string_append(text, "  ");
        append_cell(text, row->path, path_width, FALSE);
        g_string_append(text, "  ");
        append_cell(text, values->pdata[i], value_width, !sources);
        if (sources)
            g_string_append_printf(text, "  %s", source);
        g_string_append_c(text, '\n');
    }
}

char *
mf_config_list_text(const GPtrArray *targets, gboolean sources)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < targets->len; i++) {
        g_string_append(text, i ? "\n" : "");
        append_target(text, targets->pdata[i], sources);
    }
    return g_string_free(text, FALSE);
}

static json_object *
target_to_json(json_object *target)
{
    json_object *object = json_object_new_object(), *keys = json_object_new_object();
    g_autoptr(GArray) rows = read_rows(target, TRUE);

    json_object_object_add(object, NAME, mf_json_new_text(name_of(target)));
    json_object_object_add(object, "keys", keys);
    for (guint i = 0; i < rows->len; i++) {
        const Row *row = &g_array_index(rows, Row, i);
        json_object *key = json_object_new_object();
        g_autofree char *source = describe(row->value);

        json_object_object_add(key, "value", json_object_get(row->value));
        json_object_object_add(key, "layer",
                               json_object_new_string(layer_of(mf_origin_get(row->value))));
        json_object_object_add(key, "source", mf_json_new_text(source));
        json_object_object_add(keys, row->path, key);
    }
    return object;
}

char *
mf_config_list_json(const GPtrArray *targets, gboolean sources)
{
    g_autoptr(json_object) array = json_object_new_array();

    for (guint i = 0; i < targets->len; i++)
        json_object_array_add(array, sources ? target_to_json(targets->pdata[i])
                                             : json_object_get(targets->pdata[i]));
    return mf_json_to_text(array);
}

/* The targets for which 'name' is the name, or the id; or, of combinations, the name before them.
 */
static GPtrArray *
find(const GPtrArray *targets, const char *name, gboolean combinations)
{
    GPtrArray *found = g_ptr_array_new();
    g_autofree char *prefix = g_strconcat(name, " [", NULL);

    for (guint i = 0; i < targets->len; i++) {
        const char *full = name_of(targets->pdata[i]);
        g_autofree char *id = mf_case_make_id(full);

        if (combinations ? g_str_has_prefix(full, prefix)
                         : g_str_equal(full, name) || g_str_equal(id, name))
            g_ptr_array_add(found, targets->pdata[i]);
    }
    return found;
}

GPtrArray *
mf_config_list_find(const GPtrArray *targets, const char *name, GError **error)
{
    g_autoptr(GPtrArray) found = find(targets, name, FALSE);
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    g_autofree char *hint = NULL;
    const char *near;

    if (found->len == 0) {
        g_ptr_array_unref(found);
        found = find(targets, name, TRUE);
    }
    if (found->len > 0)
        return g_steal_pointer(&found);
    for (guint i = 0; i < targets->len; i++)
        g_ptr_array_add(names, (gpointer)name_of(targets->pdata[i]));
    g_ptr_array_add(names, NULL);
    near = mf_suggest(name, (const char *const *)names->pdata);
    hint = near ? g_strdup_printf(": did you mean '%s'?", near)
                : g_strdup(": 'mayfly config' shows them all.");
    g_set_error(error, MF_ERROR, MF_ERROR_CONFIG, "There is no target '%s'%s", name, hint);
    return NULL;
}
