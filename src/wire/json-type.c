/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/json-type.h"

#include "base/error.h"

const MfJsonType mf_json_type_bool = {.kind = MF_JSON_BOOL, .size = sizeof(gboolean)};
const MfJsonType mf_json_type_int64 = {.kind = MF_JSON_INT64, .size = sizeof(gint64)};
const MfJsonType mf_json_type_uint64 = {.kind = MF_JSON_UINT64, .size = sizeof(guint64)};
const MfJsonType mf_json_type_number = {.kind = MF_JSON_NUMBER, .size = sizeof(double)};
const MfJsonType mf_json_type_string = {
    .kind = MF_JSON_STRING,
    .size = sizeof(char *),
    .free_func = g_free,
};
const MfJsonType mf_json_type_any = {
    .kind = MF_JSON_ANY,
    .size = sizeof(json_object *),
    .free_func = (GDestroyNotify)mf_json_unref,
};
const MfJsonType mf_json_type_word = {
    .kind = MF_JSON_STRING,
    .size = sizeof(char *),
    .free_func = g_free,
    .format = MF_JSON_FORMAT_WORD,
};
const MfJsonType mf_json_type_path = {
    .kind = MF_JSON_STRING,
    .size = sizeof(char *),
    .free_func = g_free,
    .format = MF_JSON_FORMAT_PATH,
};
const MfJsonType mf_json_type_regex = {
    .kind = MF_JSON_STRING,
    .size = sizeof(char *),
    .free_func = g_free,
    .format = MF_JSON_FORMAT_REGEX,
};
const MfJsonType mf_json_type_bytes = {
    .kind = MF_JSON_UINT64,
    .size = sizeof(guint64),
    .format = MF_JSON_FORMAT_BYTES,
};
const MfJsonType mf_json_type_duration = {
    .kind = MF_JSON_INT64,
    .size = sizeof(gint64),
    .format = MF_JSON_FORMAT_DURATION,
};
const MfJsonType mf_json_type_signal = {
    .kind = MF_JSON_INT64,
    .size = sizeof(gint64),
    .format = MF_JSON_FORMAT_SIGNAL,
};

static gboolean
is_pointer(const MfJsonMember *member)
{
    return (member->form & MF_JSON_ARRAY) || member->type->free_func;
}

static const MfJsonMember *
find_branch(const MfJsonType *type, gconstpointer self)
{
    guint index = *(const guint *)self;

    g_return_val_if_fail(index < type->n_members, NULL);
    return &type->members[index];
}

const char *
mf_json_type_name_value(const MfJsonType *type, guint value)
{
    return value != MF_JSON_UNKNOWN && value < type->n_values ? type->values[value] : "unknown";
}

guint
mf_json_type_find_value(const MfJsonType *type, const char *name)
{
    for (guint i = MF_JSON_UNKNOWN + 1; i < type->n_values; i++)
        if (g_strcmp0(type->values[i], name) == 0)
            return i;
    return MF_JSON_UNKNOWN;
}

/*
 * Freeing
 */

static void
clear_place(const MfJsonMember *member, gpointer place)
{
    if (!(member->form & MF_JSON_ARRAY)) {
        if (member->type->free_func && *(gpointer *)place)
            member->type->free_func(*(gpointer *)place);
    } else if (member->type->kind == MF_JSON_STRING) {
        g_strfreev(*(char ***)place);
    } else if (member->type->free_func) {
        g_clear_pointer((GPtrArray **)place, g_ptr_array_unref);
    } else {
        g_clear_pointer((GArray **)place, g_array_unref);
    }
}

void
mf_json_type_free(const MfJsonType *type, gpointer self)
{
    if (!self)
        return;
    if (type->kind == MF_JSON_ALTERNATE) {
        const MfJsonMember *branch = find_branch(type, self);

        if (branch)
            clear_place(branch, (char *)self + branch->offset);
    } else {
        for (gsize i = 0; i < type->n_members; i++)
            clear_place(&type->members[i], (char *)self + type->members[i].offset);
    }
    g_free(self);
}

/*
 * Reading
 */

static gboolean
read_string(const MfJson *json, char **ret_text, GError **error)
{
    const char *text;

    if (!mf_json_as_string(json, &text, error))
        return FALSE;
    *ret_text = g_strdup(text);
    return TRUE;
}

static gboolean
read_enum(const MfJsonType *type, const MfJson *json, guint *ret_value, GError **error)
{
    const char *name;

    if (!mf_json_as_string(json, &name, error))
        return FALSE;
    *ret_value = mf_json_type_find_value(type, name);
    return TRUE;
}

static gboolean
read_member(const MfJsonMember *member, const MfJson *object, gpointer self, GError **error)
{
    gpointer place = (char *)self + member->offset;
    MfJson json;

    if (!(member->form & MF_JSON_OPTIONAL))
        return mf_json_get(object, member->name, &json, error) &&
               mf_json_type_read(member->type, member->form, &json, place, error);
    if (!mf_json_find(object, member->name, &json))
        return TRUE;
    if (!is_pointer(member))
        *(gboolean *)((char *)self + member->flag_offset) = TRUE;
    return mf_json_type_read(member->type, member->form, &json, place, error);
}

static gboolean
read_struct(const MfJsonType *type, const MfJson *json, gpointer *ret_self, GError **error)
{
    if (!mf_json_as_object(json, error))
        return FALSE;

    gpointer self = g_malloc0(type->size);
    for (gsize i = 0; i < type->n_members; i++) {
        if (!read_member(&type->members[i], json, self, error)) {
            mf_json_type_free(type, self);
            return FALSE;
        }
    }
    *ret_self = self;
    return TRUE;
}

static gboolean
branch_accepts(const MfJsonMember *branch, enum json_type found)
{
    if (branch->form & MF_JSON_ARRAY)
        return found == json_type_array;
    switch (branch->type->kind) {
    case MF_JSON_BOOL:
        return found == json_type_boolean;
    case MF_JSON_INT64:
    case MF_JSON_UINT64:
    case MF_JSON_NUMBER:
        return found == json_type_int || found == json_type_double;
    case MF_JSON_STRING:
    case MF_JSON_ENUM:
        return found == json_type_string;
    case MF_JSON_STRUCT:
        return found == json_type_object;
    case MF_JSON_ANY:
    case MF_JSON_ALTERNATE:
        break;
    }
    g_return_val_if_reached(FALSE);
}

static gboolean
refuse_alternate(const MfJsonType *type, const MfJson *json, GError **error)
{
    GString *expected = g_string_new(NULL);

    for (gsize i = 0; i < type->n_members; i++)
        g_string_append_printf(expected, "%sa '%s'", i > 0 ? " or " : "", type->members[i].name);
    mf_json_refuse(json, expected->str, error);
    g_string_free(expected, TRUE);
    return FALSE;
}

static gboolean
read_alternate(const MfJsonType *type, const MfJson *json, gpointer *ret_self, GError **error)
{
    for (guint i = 0; i < type->n_members; i++) {
        const MfJsonMember *branch = &type->members[i];

        if (!branch_accepts(branch, json_object_get_type(json->value)))
            continue;
        gpointer self = g_malloc0(type->size);
        *(guint *)self = i;
        if (!mf_json_type_read(branch->type, branch->form, json, (char *)self + branch->offset,
                               error)) {
            mf_json_type_free(type, self);
            return FALSE;
        }
        *ret_self = self;
        return TRUE;
    }
    return refuse_alternate(type, json, error);
}

static gboolean
read_single(const MfJsonType *type, const MfJson *json, gpointer ret_place, GError **error)
{
    switch (type->kind) {
    case MF_JSON_BOOL:
        return mf_json_as_bool(json, ret_place, error);
    case MF_JSON_INT64:
        return mf_json_as_int64(json, G_MININT64, G_MAXINT64, ret_place, error);
    case MF_JSON_UINT64:
        return mf_json_as_uint64(json, 0, G_MAXUINT64, ret_place, error);
    case MF_JSON_NUMBER:
        return mf_json_as_number(json, ret_place, error);
    case MF_JSON_STRING:
        return read_string(json, ret_place, error);
    case MF_JSON_ANY:
        *(json_object **)ret_place = json_object_get(json->value);
        return TRUE;
    case MF_JSON_ENUM:
        return read_enum(type, json, ret_place, error);
    case MF_JSON_STRUCT:
        return read_struct(type, json, ret_place, error);
    case MF_JSON_ALTERNATE:
        return read_alternate(type, json, ret_place, error);
    }
    g_return_val_if_reached(FALSE);
}

static gboolean
read_pointers(const MfJsonType *type, const MfJson *json, gsize length, GPtrArray **ret_array,
              GError **error)
{
    g_autoptr(GPtrArray) array = g_ptr_array_new_full(length, type->free_func);

    for (gsize i = 0; i < length; i++) {
        MfJson element = mf_json_element(json, i);
        gpointer pointer;

        if (!read_single(type, &element, &pointer, error))
            return FALSE;
        g_ptr_array_add(array, pointer);
    }
    *ret_array = g_steal_pointer(&array);
    return TRUE;
}

static gboolean
read_strings(const MfJson *json, gsize length, char ***ret_strings, GError **error)
{
    g_autoptr(GPtrArray) array = NULL;

    if (!read_pointers(&mf_json_type_string, json, length, &array, error))
        return FALSE;
    g_ptr_array_set_free_func(array, NULL);
    g_ptr_array_add(array, NULL);
    *ret_strings = (char **)g_ptr_array_free(g_steal_pointer(&array), FALSE);
    return TRUE;
}

static gboolean
read_scalars(const MfJsonType *type, const MfJson *json, gsize length, GArray **ret_array,
             GError **error)
{
    g_autoptr(GArray) array = g_array_sized_new(FALSE, TRUE, type->size, length);

    g_array_set_size(array, length);
    for (gsize i = 0; i < length; i++) {
        MfJson element = mf_json_element(json, i);

        if (!read_single(type, &element, array->data + i * type->size, error))
            return FALSE;
    }
    *ret_array = g_steal_pointer(&array);
    return TRUE;
}

gboolean
mf_json_type_read(const MfJsonType *type, MfJsonForm form, const MfJson *json, gpointer ret_place,
                  GError **error)
{
    gsize length;

    if (!(form & MF_JSON_ARRAY))
        return read_single(type, json, ret_place, error);
    if (!mf_json_as_array(json, &length, error))
        return FALSE;
    if (type->kind == MF_JSON_STRING)
        return read_strings(json, length, ret_place, error);
    if (type->free_func)
        return read_pointers(type, json, length, ret_place, error);
    return read_scalars(type, json, length, ret_place, error);
}

/*
 * Building
 */

static json_object *build_place(const MfJsonMember *member, gconstpointer place);

static json_object *
build_object(const MfJsonType *type, gconstpointer self)
{
    json_object *object = json_object_new_object();

    for (gsize i = 0; i < type->n_members; i++) {
        const MfJsonMember *member = &type->members[i];
        gconstpointer place = (const char *)self + member->offset;
        gboolean there = TRUE;

        if ((member->form & MF_JSON_OPTIONAL) && is_pointer(member))
            there = *(const gconstpointer *)place != NULL;
        else if (member->form & MF_JSON_OPTIONAL)
            there = *(const gboolean *)((const char *)self + member->flag_offset);
        if (there)
            json_object_object_add(object, member->name, build_place(member, place));
    }
    return object;
}

json_object *
mf_json_type_build(const MfJsonType *type, gconstpointer self)
{
    g_return_val_if_fail(self, NULL);
    if (type->kind == MF_JSON_STRUCT)
        return build_object(type, self);

    const MfJsonMember *branch = find_branch(type, self);
    return branch ? build_place(branch, (const char *)self + branch->offset) : NULL;
}

static json_object *
build_single(const MfJsonType *type, gconstpointer place)
{
    switch (type->kind) {
    case MF_JSON_BOOL:
        return json_object_new_boolean(*(const gboolean *)place);
    case MF_JSON_INT64:
        return json_object_new_int64(*(const gint64 *)place);
    case MF_JSON_UINT64:
        return json_object_new_uint64(*(const guint64 *)place);
    case MF_JSON_NUMBER:
        return json_object_new_double(*(const double *)place);
    case MF_JSON_STRING:
        g_return_val_if_fail(*(char *const *)place, NULL);
        return json_object_new_string(*(char *const *)place);
    case MF_JSON_ANY:
        return json_object_get(*(json_object *const *)place);
    case MF_JSON_ENUM:
        return json_object_new_string(mf_json_type_name_value(type, *(const guint *)place));
    case MF_JSON_STRUCT:
    case MF_JSON_ALTERNATE:
        return mf_json_type_build(type, *(const gconstpointer *)place);
    }
    g_return_val_if_reached(NULL);
}

static json_object *
build_array(const MfJsonType *type, gconstpointer array)
{
    json_object *value = json_object_new_array();

    if (!array)
        return value;
    if (type->kind == MF_JSON_STRING) {
        for (char *const *text = array; *text; text++)
            json_object_array_add(value, json_object_new_string(*text));
    } else if (type->free_func) {
        const GPtrArray *pointers = array;

        for (guint i = 0; i < pointers->len; i++)
            json_object_array_add(value, build_single(type, &pointers->pdata[i]));
    } else {
        const GArray *scalars = array;

        for (guint i = 0; i < scalars->len; i++)
            json_object_array_add(value, build_single(type, scalars->data + i * type->size));
    }
    return value;
}

static json_object *
build_place(const MfJsonMember *member, gconstpointer place)
{
    if (member->form & MF_JSON_ARRAY)
        return build_array(member->type, *(const gconstpointer *)place);
    return build_single(member->type, place);
}
