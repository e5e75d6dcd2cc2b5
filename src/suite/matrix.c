/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/matrix.h"

#include <string.h>

#include "base/suggest.h"
#include "suite/matrix-axis.h"
#include "suite/origin.h"
#include "suite/variables.h"
#include "wire/json.h"

#define VARIABLES_PREFIX "variables."

/* A value that a combination has for a key. */
typedef struct {
    const MfMatrixAxis *axis; /* borrowed; the key */
    json_object *value;       /* owned */
    gboolean shown;           /* in the combination's name */
} Setting;

typedef struct {
    json_object *target; /* borrowed */
    json_object *table;  /* borrowed */
    const MfMatrixSources *sources;
    GPtrArray *axes;         /* owned; of MfMatrixAxis */
    GPtrArray *excludes;     /* owned; of GPtrArray of MfMatrixAxis */
    GPtrArray *includes;     /* owned; likewise */
    GPtrArray *combinations; /* owned; of GArray of Setting */
    guint n_own;             /* how many of them, the first ones, are of the axes */
} Matrix;

static void
matrix_clear(Matrix *self)
{
    g_clear_pointer(&self->axes, g_ptr_array_unref);
    g_clear_pointer(&self->excludes, g_ptr_array_unref);
    g_clear_pointer(&self->includes, g_ptr_array_unref);
    g_clear_pointer(&self->combinations, g_ptr_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Matrix, matrix_clear)

static void
setting_clear(gpointer data)
{
    json_object_put(((Setting *)data)->value);
}

static GArray *
combination_new(void)
{
    GArray *combination = g_array_new(FALSE, FALSE, sizeof(Setting));

    g_array_set_clear_func(combination, setting_clear);
    return combination;
}

static void
combination_add(GArray *combination, const MfMatrixAxis *axis, json_object *value, gboolean shown)
{
    const Setting setting = {axis, json_object_get(value), shown};

    g_array_append_val(combination, setting);
}

static GArray *
combination_copy(const GArray *original)
{
    GArray *copy = combination_new();

    for (guint i = 0; i < original->len; i++) {
        const Setting *setting = &g_array_index(original, Setting, i);

        combination_add(copy, setting->axis, setting->value, setting->shown);
    }
    return copy;
}

static Setting *
combination_find(const GArray *combination, const char *path)
{
    for (guint i = 0; i < combination->len; i++) {
        Setting *setting = &g_array_index(combination, Setting, i);

        if (g_str_equal(setting->axis->path, path))
            return setting;
    }
    return NULL;
}

static gboolean
combination_equal(const GArray *a, const GArray *b)
{
    if (a->len != b->len)
        return FALSE;
    for (guint i = 0; i < a->len; i++) {
        const Setting *one = &g_array_index(a, Setting, i);
        const Setting *other = combination_find(b, one->axis->path);

        if (!other || !json_object_equal(one->value, other->value))
            return FALSE;
    }
    return TRUE;
}

static gboolean
has_values(const MfMatrixAxis *axis)
{
    return axis->values->len > 0;
}

static gboolean
fail_too_many(const Matrix *self, GError **error)
{
    mf_origin_set_error(error, mf_origin_get(self->table),
                        "The matrix makes more than %d combinations of one target.",
                        MF_MATRIX_COMBINATIONS_MAX);
    return FALSE;
}

/* Each of 'combinations' with each of the values: the product, in place of it. */
static gboolean
multiply(const Matrix *self, GPtrArray **combinations, const MfMatrixAxis *axis,
         const GPtrArray *values, gboolean shown, GError **error)
{
    GPtrArray *product = g_ptr_array_new_with_free_func((GDestroyNotify)g_array_unref);

    if ((guint64)(*combinations)->len * values->len > MF_MATRIX_COMBINATIONS_MAX) {
        g_ptr_array_unref(product);
        return fail_too_many(self, error);
    }
    for (guint i = 0; i < (*combinations)->len; i++) {
        for (guint v = 0; v < values->len; v++) {
            GArray *combination = combination_copy((*combinations)->pdata[i]);

            combination_add(combination, axis, values->pdata[v], shown);
            g_ptr_array_add(product, combination);
        }
    }
    g_ptr_array_unref(*combinations);
    *combinations = product;
    return TRUE;
}

/* One combination without a value: what products begin with. */
static GPtrArray *
new_unit(void)
{
    GPtrArray *unit = g_ptr_array_new_with_free_func((GDestroyNotify)g_array_unref);

    g_ptr_array_add(unit, combination_new());
    return unit;
}

static gboolean
combine_axes(Matrix *self, GError **error)
{
    guint n_axes = 0;

    self->combinations = new_unit();
    for (guint i = 0; i < self->axes->len; i++) {
        const MfMatrixAxis *axis = self->axes->pdata[i];

        if (!has_values(axis))
            continue;
        n_axes++;
        if (!multiply(self, &self->combinations, axis, axis->values, TRUE, error))
            return FALSE;
    }
    /* Without axes there is nothing that an 'include' could add to. */
    if (n_axes == 0 && self->includes->len > 0)
        g_ptr_array_set_size(self->combinations, 0);
    return TRUE;
}

/* Whether 'entry', a table of 'include' or 'exclude', is about an axis that this target has not. */
static gboolean
is_about_nothing(const Matrix *self, const GPtrArray *entry)
{
    for (guint i = 0; i < entry->len; i++) {
        const MfMatrixAxis *key = entry->pdata[i];
        const MfMatrixAxis *axis = mf_matrix_axis_find(self->axes, key->path);

        if (axis && !has_values(axis))
            return TRUE;
    }
    return FALSE;
}

/* Whether 'combination' has the values of 'entry' for all keys that are axes. */
static gboolean
agrees(const Matrix *self, const GPtrArray *entry, const GArray *combination)
{
    for (guint i = 0; i < entry->len; i++) {
        const MfMatrixAxis *key = entry->pdata[i];
        const Setting *setting = combination_find(combination, key->path);

        if (mf_matrix_axis_find(self->axes, key->path) &&
            !mf_matrix_axis_matches(key, key->values->pdata[0], setting->value))
            return FALSE;
    }
    return TRUE;
}

static gboolean
check_exclude(const Matrix *self, const GPtrArray *entry, GError **error)
{
    for (guint i = 0; i < entry->len; i++) {
        const MfMatrixAxis *key = entry->pdata[i];
        g_autoptr(GPtrArray) paths = g_ptr_array_new();
        const char *near;

        if (mf_matrix_axis_find(self->axes, key->path))
            continue;
        for (guint a = 0; a < self->axes->len; a++)
            g_ptr_array_add(paths, ((MfMatrixAxis *)self->axes->pdata[a])->path);
        g_ptr_array_add(paths, NULL);
        near = mf_suggest(key->path, (const char *const *)paths->pdata);
        g_autofree char *hint =
            near ? g_strdup_printf(": did you mean '%s'?", near) : g_strdup(".");
        mf_origin_set_error(error, mf_origin_get(key->values->pdata[0]),
                            "The matrix has no '%s' that could be excluded%s", key->path, hint);
        return FALSE;
    }
    return TRUE;
}

static MfMatrixExclusion *
get_exclusion(GArray *exclusions, const MfOrigin *place)
{
    const MfMatrixExclusion added = {.place = *place};

    for (guint i = 0; i < exclusions->len; i++) {
        MfMatrixExclusion *exclusion = &g_array_index(exclusions, MfMatrixExclusion, i);

        if (exclusion->place.line == place->line && exclusion->place.column == place->column)
            return exclusion;
    }
    g_array_append_val(exclusions, added);
    return &g_array_index(exclusions, MfMatrixExclusion, exclusions->len - 1);
}

/* Whether 'entry' is for kernels that may be there or not. */
static gboolean
has_pattern(const GPtrArray *entry)
{
    for (guint i = 0; i < entry->len; i++) {
        const MfMatrixAxis *key = entry->pdata[i];

        if (g_str_equal(key->path, "kernel") &&
            strpbrk(json_object_get_string(key->values->pdata[0]), "*?["))
            return TRUE;
    }
    return FALSE;
}

/* Whether a higher layer than the file has settled an axis of 'entry'. */
static gboolean
is_settled(const Matrix *self, const GPtrArray *entry)
{
    for (guint i = 0; i < entry->len; i++) {
        const MfMatrixAxis *key = entry->pdata[i];

        if (mf_matrix_axis_find(self->axes, key->path)->fixed)
            return TRUE;
    }
    return is_about_nothing(self, entry);
}

/* Before anything is taken away, so that two may be about the same combination. */
static void
note_exclusion(const Matrix *self, const GPtrArray *entry)
{
    const MfOrigin *place = mf_origin_get(((MfMatrixAxis *)entry->pdata[0])->values->pdata[0]);
    MfMatrixExclusion *exclusion;

    if (!self->sources->exclusions || !place || has_pattern(entry))
        return;
    exclusion = get_exclusion(self->sources->exclusions, place);
    exclusion->matched |= is_settled(self, entry);
    for (guint i = 0; i < self->combinations->len; i++)
        exclusion->matched |= agrees(self, entry, self->combinations->pdata[i]);
}

static gboolean
exclude(Matrix *self, GError **error)
{
    for (guint e = 0; e < self->excludes->len; e++) {
        if (!check_exclude(self, self->excludes->pdata[e], error))
            return FALSE;
        note_exclusion(self, self->excludes->pdata[e]);
    }
    for (guint e = 0; e < self->excludes->len; e++) {
        const GPtrArray *entry = self->excludes->pdata[e];

        if (is_about_nothing(self, entry))
            continue;
        for (guint i = self->combinations->len; i > 0; i--)
            if (agrees(self, entry, self->combinations->pdata[i - 1]))
                g_ptr_array_remove_index(self->combinations, i - 1);
    }
    self->n_own = self->combinations->len;
    return TRUE;
}

/* Whether 'entry' has another value than the target insists on. */
static gboolean
is_overruled(const Matrix *self, const GPtrArray *entry)
{
    for (guint i = 0; i < entry->len; i++) {
        const MfMatrixAxis *key = entry->pdata[i];
        const MfMatrixAxis *axis = mf_matrix_axis_find(self->axes, key->path);

        if (axis && axis->fixed &&
            !mf_matrix_axis_matches(key, key->values->pdata[0], axis->values->pdata[0]))
            return TRUE;
    }
    return FALSE;
}

/* Adds the values of 'entry' that are of no axis; a later one replaces an earlier one. */
static void
extend(const Matrix *self, const GPtrArray *entry, GArray *combination)
{
    for (guint i = 0; i < entry->len; i++) {
        const MfMatrixAxis *key = entry->pdata[i];
        json_object *value = key->values->pdata[0];
        Setting *old = combination_find(combination, key->path);

        if (mf_matrix_axis_find(self->axes, key->path) ||
            mf_matrix_axis_outranks(key, self->target, value))
            continue;
        if (old) {
            json_object_put(old->value);
            old->value = json_object_get(value);
        } else {
            combination_add(combination, key, value, FALSE);
        }
    }
}

static gboolean
is_known(const Matrix *self, const GArray *combination)
{
    for (guint i = 0; i < self->combinations->len; i++)
        if (combination_equal(self->combinations->pdata[i], combination))
            return TRUE;
    return FALSE;
}

/* Makes 'entry' combinations of its own: one, or as many as its kernel's pattern matches. */
static gboolean
append(Matrix *self, const GPtrArray *entry, GError **error)
{
    g_autoptr(GPtrArray) added = new_unit();

    for (guint i = 0; i < entry->len; i++) {
        const MfMatrixAxis *key = entry->pdata[i];
        json_object *own = mf_matrix_axis_outranks(key, self->target, key->values->pdata[0]);
        g_autoptr(GPtrArray) values =
            own ? g_ptr_array_new() : mf_matrix_axis_expand(key, self->sources, error);

        if (!values)
            return FALSE;
        if (own)
            g_ptr_array_add(values, own);
        if (!multiply(self, &added, key, values, TRUE, error))
            return FALSE;
    }
    for (guint i = 0; i < added->len; i++)
        if (!is_known(self, added->pdata[i]))
            g_ptr_array_add(self->combinations, g_array_ref(added->pdata[i]));
    return self->combinations->len <= MF_MATRIX_COMBINATIONS_MAX || fail_too_many(self, error);
}

static gboolean
include(Matrix *self, GError **error)
{
    for (guint e = 0; e < self->includes->len; e++) {
        const GPtrArray *entry = self->includes->pdata[e];
        gboolean settled = is_about_nothing(self, entry) || is_overruled(self, entry);

        if (settled)
            continue;
        for (guint i = 0; i < self->n_own; i++) {
            if (!agrees(self, entry, self->combinations->pdata[i]))
                continue;
            extend(self, entry, self->combinations->pdata[i]);
            settled = TRUE;
        }
        if (!settled && !append(self, entry, error))
            return FALSE;
    }
    return TRUE;
}

/* "6.1" as it is; what is no string as JSON. */
static void
append_value(GString *name, json_object *value)
{
    const char *text = json_object_is_type(value, json_type_string)
                           ? json_object_get_string(value)
                           : json_object_to_json_string_ext(
                                 value, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);

    /* A name is one line. */
    for (; *text; text++)
        g_string_append_c(name, g_ascii_iscntrl(*text) ? ' ' : *text);
}

/* The target's name with what is particular to the combination; a text with variables. */
static char *
make_name(const char *name, const GArray *combination)
{
    g_autoptr(GString) full = g_string_new(name);
    const char *separator = " [";

    for (guint i = 0; i < combination->len; i++) {
        const Setting *setting = &g_array_index(combination, Setting, i);
        const char *path = setting->axis->path;
        g_autofree char *shown = mf_variables_escape(
            g_str_has_prefix(path, VARIABLES_PREFIX) ? path + strlen(VARIABLES_PREFIX) : path);

        if (!setting->shown)
            continue;
        g_string_append_printf(full, "%s%s=", separator, shown);
        append_value(full, setting->value);
        separator = ", ";
    }
    g_string_append(full, *separator == ',' ? "]" : "");
    return g_string_free(g_steal_pointer(&full), FALSE);
}

/* Replaces the name of 'tree', with its origin. */
static void
rename_tree(json_object *tree, const GArray *combination)
{
    json_object *name = json_object_object_get(tree, "name"), *renamed;
    const MfOrigin *origin = mf_origin_get(name);

    if (!json_object_is_type(name, json_type_string))
        return;
    g_autofree char *text = make_name(json_object_get_string(name), combination);
    renamed = json_object_new_string(text);
    if (origin)
        mf_origin_set(renamed, origin);
    json_object_object_add(tree, "name", renamed);
}

/* The value as one of the matrix, unless the target has it from elsewhere. */
static json_object *
mark_value(json_object *value)
{
    json_object *copy = mf_origin_copy_tree(value);
    const MfOrigin *origin = mf_origin_get(copy);

    if (origin && origin->kind < MF_ORIGIN_MATRIX) {
        MfOrigin marked = *origin;

        marked.kind = MF_ORIGIN_MATRIX;
        mf_origin_set(copy, &marked);
    }
    return copy;
}

static json_object *
build_tree(json_object *target, const GArray *combination)
{
    json_object *tree = mf_origin_copy_tree(target);

    json_object_object_del(tree, "matrix");
    for (guint i = 0; i < combination->len; i++) {
        const Setting *setting = &g_array_index(combination, Setting, i);

        mf_matrix_axis_put(setting->axis, tree, mark_value(setting->value));
    }
    rename_tree(tree, combination);
    return tree;
}

static gboolean
combine(Matrix *self, GError **error)
{
    if (!mf_matrix_axis_check_table(self->table, error))
        return FALSE;
    self->excludes = mf_matrix_axis_read_tables(self->table, MF_MATRIX_EXCLUDE, error);
    if (!self->excludes)
        return FALSE;
    self->includes = mf_matrix_axis_read_tables(self->table, MF_MATRIX_INCLUDE, error);
    if (!self->includes)
        return FALSE;
    self->axes = mf_matrix_axis_read_all(self->table, self->target, self->sources, error);
    if (!self->axes || !combine_axes(self, error) || !exclude(self, error) || !include(self, error))
        return FALSE;
    if (self->combinations->len == 0) {
        mf_origin_set_error(error, mf_origin_get(self->table),
                            "The matrix leaves nothing of the target: 'exclude' takes every "
                            "combination.");
        return FALSE;
    }
    return TRUE;
}

GPtrArray *
mf_matrix_expand(json_object *target, const MfMatrixSources *sources, GError **error)
{
    g_auto(Matrix) matrix = {
        .target = target, .table = json_object_object_get(target, "matrix"), .sources = sources};
    g_autoptr(GPtrArray) trees = g_ptr_array_new_with_free_func((GDestroyNotify)mf_json_unref);

    if (!matrix.table)
        matrix.combinations = new_unit();
    else if (!combine(&matrix, error))
        return NULL;
    for (guint i = 0; i < matrix.combinations->len; i++)
        g_ptr_array_add(trees, build_tree(target, matrix.combinations->pdata[i]));
    return g_steal_pointer(&trees);
}
