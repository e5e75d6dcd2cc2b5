/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/matrix-axis.h"

#include "suite/kernel-pattern.h"
#include "suite/origin.h"
#include "wire/json.h"

static void
axis_free(gpointer data)
{
    MfMatrixAxis *axis = data;

    g_free(axis->path);
    g_strfreev(axis->steps);
    g_ptr_array_unref(axis->values);
    g_free(axis);
}

static void
add_axis(GPtrArray *axes, const GPtrArray *steps, json_object *value)
{
    MfMatrixAxis *axis = g_new0(MfMatrixAxis, 1);

    axis->steps = g_new0(char *, steps->len + 1);
    for (guint i = 0; i < steps->len; i++)
        axis->steps[i] = g_strdup(steps->pdata[i]);
    axis->path = g_strjoinv(".", axis->steps);
    axis->values = g_ptr_array_new_with_free_func((GDestroyNotify)mf_json_unref);
    g_ptr_array_add(axis->values, json_object_get(value));
    g_ptr_array_add(axes, axis);
}

/* Every value of 'table' that is no table itself, with its value as the only one. A dot within a
 * key separates only at the top, where "vm.memory" is a habit; below, it may be a file's. */
static void
flatten(json_object *table, GPtrArray *steps, GPtrArray *axes)
{
    guint depth = steps->len;

    json_object_object_foreach (table, key, value) {
        const char *const whole[] = {key, NULL};
        g_auto(GStrv) parts =
            depth == 0 && *key ? g_strsplit(key, ".", 0) : g_strdupv((char **)whole);

        for (char **part = parts; *part; part++)
            g_ptr_array_add(steps, *part);
        if (json_object_is_type(value, json_type_object) && json_object_object_length(value) > 0)
            flatten(value, steps, axes);
        else
            add_axis(axes, steps, value);
        g_ptr_array_set_size(steps, (gint)depth);
    }
}

/* The file's order; what was not written there comes last, by name. */
static int
compare_places(gconstpointer a, gconstpointer b)
{
    const MfMatrixAxis *left = *(const MfMatrixAxis *const *)a;
    const MfMatrixAxis *right = *(const MfMatrixAxis *const *)b;
    const MfOrigin none = {.line = G_MAXUINT};
    const MfOrigin *one = mf_origin_get(left->values->pdata[0]);
    const MfOrigin *other = mf_origin_get(right->values->pdata[0]);

    one = one && one->line ? one : &none;
    other = other && other->line ? other : &none;
    if (one->line != other->line)
        return one->line < other->line ? -1 : 1;
    if (one->column != other->column)
        return one->column < other->column ? -1 : 1;
    return g_strcmp0(left->path, right->path);
}

/* The keys of a table, in the order of the file, with one value each; and no key twice, as "a.b"
 * and a.b are the same. */
static GPtrArray *
read_keys(json_object *table, GError **error)
{
    g_autoptr(GPtrArray) axes = g_ptr_array_new_with_free_func(axis_free);
    g_autoptr(GPtrArray) steps = g_ptr_array_new();

    flatten(table, steps, axes);
    for (guint i = 0; i < axes->len; i++) {
        const MfMatrixAxis *axis = axes->pdata[i];
        const MfOrigin *origin = mf_origin_get(axis->values->pdata[0]);

        if (g_str_equal(axis->steps[0], "name") || g_str_equal(axis->steps[0], "matrix")) {
            mf_origin_set_error(error, origin, "A matrix cannot have values for '%s'.",
                                axis->steps[0]);
            return NULL;
        }
        if (mf_matrix_axis_find(axes, axis->path) != axis) {
            mf_origin_set_error(error, origin, "The key '%s' is there twice.", axis->path);
            return NULL;
        }
    }
    g_ptr_array_sort(axes, compare_places);
    return g_steal_pointer(&axes);
}

const MfMatrixAxis *
mf_matrix_axis_find(const GPtrArray *axes, const char *path)
{
    for (guint i = 0; i < axes->len; i++) {
        const MfMatrixAxis *axis = axes->pdata[i];

        if (g_str_equal(axis->path, path))
            return axis;
    }
    return NULL;
}

/* The value of 'tree' at 'axis', or NULL. Borrowed. */
static json_object *
get_value(const MfMatrixAxis *axis, json_object *tree)
{
    for (char **step = axis->steps; *step && tree; step++)
        tree = json_object_is_type(tree, json_type_object) ? json_object_object_get(tree, *step)
                                                           : NULL;
    return tree;
}

void
mf_matrix_axis_put(const MfMatrixAxis *axis, json_object *tree, json_object *value)
{
    char **step = axis->steps;

    for (; step[1]; step++) {
        json_object *next = json_object_object_get(tree, *step);

        if (!json_object_is_type(next, json_type_object)) {
            next = json_object_new_object();
            json_object_object_add(tree, *step, next);
        }
        tree = next;
    }
    json_object_object_add(tree, *step, value);
}

json_object *
mf_matrix_axis_outranks(const MfMatrixAxis *axis, json_object *target, json_object *value)
{
    json_object *own = get_value(axis, target);
    const MfOrigin *higher = mf_origin_get(own), *lower = mf_origin_get(value);

    return higher && lower && higher->kind > lower->kind ? own : NULL;
}

gboolean
mf_matrix_axis_matches(const MfMatrixAxis *axis, json_object *wanted, json_object *value)
{
    if (json_object_equal(wanted, value))
        return TRUE;
    return g_str_equal(axis->path, "kernel") && json_object_is_type(wanted, json_type_string) &&
           json_object_is_type(value, json_type_string) &&
           mf_kernel_pattern_match(json_object_get_string(wanted), json_object_get_string(value));
}

static void
add_once(GPtrArray *values, json_object *value)
{
    for (guint i = 0; i < values->len; i++)
        if (json_object_equal(values->pdata[i], value))
            return;
    g_ptr_array_add(values, json_object_get(value));
}

GPtrArray *
mf_matrix_axis_expand(const MfMatrixAxis *axis, const MfMatrixSources *sources, GError **error)
{
    g_autoptr(GPtrArray) values = g_ptr_array_new_with_free_func((GDestroyNotify)mf_json_unref);
    gboolean patterns = g_str_equal(axis->path, "kernel") && !axis->fixed;

    for (guint i = 0; i < axis->values->len; i++) {
        json_object *value = axis->values->pdata[i];
        g_autoptr(GPtrArray) kernels = NULL;

        if (!patterns || !json_object_is_type(value, json_type_string)) {
            add_once(values, value);
            continue;
        }
        kernels = mf_kernel_pattern_expand(value, sources, error);
        if (!kernels)
            return NULL;
        for (guint k = 0; k < kernels->len; k++)
            add_once(values, kernels->pdata[k]);
    }
    return g_steal_pointer(&values);
}

static gboolean
is_about_combinations(const MfMatrixAxis *axis)
{
    return g_str_equal(axis->path, MF_MATRIX_INCLUDE) || g_str_equal(axis->path, MF_MATRIX_EXCLUDE);
}

/* The array that a key of the matrix has for its value; NULL with an error. Borrowed. */
static json_object *
get_array(const MfMatrixAxis *axis, GError **error)
{
    json_object *array = axis->values->pdata[0];

    if (json_object_is_type(array, json_type_array))
        return array;
    mf_origin_set_error(error, mf_origin_get(array),
                        "The matrix needs an array of values for '%s'.", axis->path);
    return NULL;
}

/* Makes an axis of a key whose one value is the array of its values. */
static gboolean
open_axis(MfMatrixAxis *axis, json_object *target, const MfMatrixSources *sources, GError **error)
{
    g_autoptr(json_object) array = json_object_get(get_array(axis, error));
    json_object *own = array ? mf_matrix_axis_outranks(axis, target, array) : NULL;
    size_t count;

    if (!array)
        return FALSE;
    count = json_object_array_length(array);
    g_ptr_array_set_size(axis->values, 0);
    axis->fixed = own && count > 0;
    if (axis->fixed) {
        g_ptr_array_add(axis->values, json_object_get(own));
        return TRUE;
    }
    for (size_t i = 0; i < count; i++)
        g_ptr_array_add(axis->values, json_object_get(json_object_array_get_idx(array, i)));

    GPtrArray *values = mf_matrix_axis_expand(axis, sources, error);
    if (!values)
        return FALSE;
    g_ptr_array_unref(axis->values);
    axis->values = values;
    return TRUE;
}

gboolean
mf_matrix_axis_check_table(json_object *matrix, GError **error)
{
    if (json_object_is_type(matrix, json_type_object))
        return TRUE;
    mf_origin_set_error(error, mf_origin_get(matrix),
                        "The matrix is not a table of arrays: write [matrix].");
    return FALSE;
}

GPtrArray *
mf_matrix_axis_read_all(json_object *matrix, json_object *target, const MfMatrixSources *sources,
                        GError **error)
{
    g_autoptr(GPtrArray) axes = read_keys(matrix, error);

    for (guint i = axes ? axes->len : 0; i > 0; i--) {
        if (is_about_combinations(axes->pdata[i - 1]))
            g_ptr_array_remove_index(axes, i - 1);
    }
    for (guint i = 0; axes && i < axes->len; i++)
        if (!open_axis(axes->pdata[i], target, sources, error))
            return NULL;
    return g_steal_pointer(&axes);
}

static gboolean
read_table(json_object *table, const char *key, GPtrArray *tables, GError **error)
{
    if (!json_object_is_type(table, json_type_object) || json_object_object_length(table) == 0) {
        mf_origin_set_error(error, mf_origin_get(table),
                            "The matrix's '%s' needs tables with at least one key: "
                            "write [[matrix.%s]].",
                            key, key);
        return FALSE;
    }

    GPtrArray *keys = read_keys(table, error);
    if (keys)
        g_ptr_array_add(tables, keys);
    return keys != NULL;
}

GPtrArray *
mf_matrix_axis_read_tables(json_object *matrix, const char *key, GError **error)
{
    g_autoptr(GPtrArray) tables = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
    json_object *array = json_object_object_get(matrix, key);

    if (!array)
        return g_steal_pointer(&tables);
    if (!json_object_is_type(array, json_type_array)) {
        mf_origin_set_error(error, mf_origin_get(array),
                            "The matrix's '%s' is not an array of tables: write [[matrix.%s]].",
                            key, key);
        return NULL;
    }
    for (size_t i = 0; i < json_object_array_length(array); i++)
        if (!read_table(json_object_array_get_idx(array, i), key, tables, error))
            return NULL;
    return g_steal_pointer(&tables);
}

static void
add_setting(GPtrArray *settings, const MfMatrixAxis *axis, json_object *value)
{
    json_object *tree = json_object_new_object();

    mf_matrix_axis_put(axis, tree, json_object_get(value));
    g_ptr_array_add(settings, tree);
}

static gboolean
add_settings_of_axes(GPtrArray *settings, json_object *matrix, GError **error)
{
    g_autoptr(GPtrArray) axes = read_keys(matrix, error);

    for (guint i = 0; axes && i < axes->len; i++) {
        const MfMatrixAxis *axis = axes->pdata[i];
        json_object *array = is_about_combinations(axis) ? NULL : get_array(axis, error);

        if (is_about_combinations(axis))
            continue;
        if (!array)
            return FALSE;
        for (size_t v = 0; v < json_object_array_length(array); v++)
            add_setting(settings, axis, json_object_array_get_idx(array, v));
    }
    return axes != NULL;
}

static gboolean
add_settings_of_tables(GPtrArray *settings, json_object *matrix, const char *key, GError **error)
{
    g_autoptr(GPtrArray) tables = mf_matrix_axis_read_tables(matrix, key, error);

    for (guint i = 0; tables && i < tables->len; i++) {
        const GPtrArray *table = tables->pdata[i];

        for (guint k = 0; k < table->len; k++) {
            const MfMatrixAxis *axis = table->pdata[k];

            add_setting(settings, axis, axis->values->pdata[0]);
        }
    }
    return tables != NULL;
}

GPtrArray *
mf_matrix_axis_list_settings(json_object *matrix, GError **error)
{
    g_autoptr(GPtrArray) settings = g_ptr_array_new_with_free_func((GDestroyNotify)mf_json_unref);

    if (!mf_matrix_axis_check_table(matrix, error) ||
        !add_settings_of_axes(settings, matrix, error) ||
        !add_settings_of_tables(settings, matrix, MF_MATRIX_INCLUDE, error) ||
        !add_settings_of_tables(settings, matrix, MF_MATRIX_EXCLUDE, error))
        return NULL;
    return g_steal_pointer(&settings);
}
