/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/config-tree.h"

#include <string.h>

#include "base/suggest.h"
#include "suite/config-value.h"
#include "suite/origin.h"
#include "suite/variables.h"

typedef struct {
    const char *directory;
    GError **error;
    gboolean partial;    /* what is missing may be in another layer */
    gboolean unexpanded; /* texts may still have variables in them */
} Reader;

static json_object *read_value(const Reader *self, const MfJsonMember *member, const MfJson *value);

static void
copy_origin(json_object *target, json_object *source)
{
    const MfOrigin *origin = mf_origin_get(source);

    if (origin)
        mf_origin_set(target, origin);
}

static MfJson
make_member(const MfJson *object, const char *name, json_object *value)
{
    return (MfJson){.value = value, .parent = object, .name = name};
}

static json_object *
make_default(const MfJsonMember *member)
{
    static const MfOrigin origin = {.kind = MF_ORIGIN_DEFAULT};
    json_object *value = json_tokener_parse(member->fallback);

    g_return_val_if_fail(value, NULL);
    mf_origin_set(value, &origin);
    return value;
}

/*
 * Keys
 */

static const MfJsonMember *
find_member(const MfJsonType *type, const char *name)
{
    for (gsize i = 0; i < type->n_members; i++)
        if (g_str_equal(type->members[i].name, name))
            return &type->members[i];
    return NULL;
}

char *
mf_config_tree_find_key(const MfJsonType *type, const char *name)
{
    if (find_member(type, name))
        return g_strdup(name);
    for (gsize i = 0; i < type->n_members; i++) {
        const MfJsonMember *member = &type->members[i];

        if (member->type->kind == MF_JSON_STRUCT && !(member->form & MF_JSON_ARRAY) &&
            find_member(member->type, name))
            return g_strdup_printf("%s.%s", member->name, name);
    }
    return NULL;
}

/* The key that is most likely meant by an unknown one of a table: a key of it, or of a table in it.
 * Owned by the caller; or NULL. */
static char *
suggest_key(const MfJsonType *type, const char *name)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    char *found = mf_config_tree_find_key(type, name);

    if (found)
        return found;
    for (gsize i = 0; i < type->n_members; i++)
        g_ptr_array_add(names, (gpointer)type->members[i].name);
    g_ptr_array_add(names, NULL);
    return g_strdup(mf_suggest(name, (const char *const *)names->pdata));
}

static json_object *
fail_unknown(const Reader *self, const MfJsonType *type, const MfJson *member)
{
    g_autofree char *path = mf_config_value_key(member);
    g_autofree char *table = mf_config_value_key(member->parent);
    g_autofree char *meant = suggest_key(type, member->name);
    g_autofree char *hint =
        meant ? g_strdup_printf(" (did you mean '%s%s%s'?)", table, *table ? "." : "", meant)
              : g_strdup("");

    return mf_config_value_fail_key(member->value, self->error, "There is no key '%s'%s.", path,
                                    hint);
}

/*
 * Tables
 */

static gboolean
check_keys(const Reader *self, const MfJsonType *type, const MfJson *object)
{
    struct json_object_iterator at = json_object_iter_begin(object->value);
    struct json_object_iterator end = json_object_iter_end(object->value);

    for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at)) {
        MfJson member =
            make_member(object, json_object_iter_peek_name(&at), json_object_iter_peek_value(&at));

        if (!find_member(type, member.name)) {
            fail_unknown(self, type, &member);
            return FALSE;
        }
    }
    return TRUE;
}

/* The member as it is read; *ret_value stays NULL where it is optional and absent. */
static gboolean
read_member(const Reader *self, const MfJsonMember *member, const MfJson *object,
            json_object **ret_value)
{
    g_autoptr(json_object) fallback = NULL;
    json_object *value = json_object_object_get(object->value, member->name);

    if (!value && self->partial)
        return TRUE;
    if (!value && member->fallback)
        value = fallback = make_default(member);
    if (!value && (member->form & MF_JSON_OPTIONAL))
        return TRUE;

    MfJson json = make_member(object, member->name, value);
    if (!value) {
        g_autofree char *path = mf_config_value_key(&json);

        mf_config_value_fail(object->value, self->error, "The key '%s' is missing.", path);
        return FALSE;
    }
    *ret_value = read_value(self, member, &json);
    return *ret_value != NULL;
}

static json_object *
read_struct(const Reader *self, const MfJsonType *type, const MfJson *object)
{
    if (!json_object_is_type(object->value, json_type_object))
        return mf_config_value_refuse(object, "a table", self->error);
    if (!check_keys(self, type, object))
        return NULL;

    g_autoptr(json_object) result = json_object_new_object();
    copy_origin(result, object->value);
    for (gsize i = 0; i < type->n_members; i++) {
        const MfJsonMember *member = &type->members[i];
        json_object *value = NULL;

        if (!read_member(self, member, object, &value))
            return NULL;
        if (value)
            json_object_object_add(result, member->name, value);
    }
    return g_steal_pointer(&result);
}

/* An element of a table with free keys that is no more than its key and 'entry'. */
static json_object *
read_pair(const Reader *self, const MfJsonMember *member, const MfJson *key, const MfJson *entry)
{
    g_autoptr(json_object) result = json_object_new_object();
    json_object *name = read_value(self, find_member(member->type, member->key), key);
    json_object *value =
        name ? read_value(self, find_member(member->type, member->value), entry) : NULL;

    copy_origin(result, entry->value);
    if (name)
        json_object_object_add(result, member->key, name);
    if (!value)
        return NULL;
    json_object_object_add(result, member->value, value);
    return g_steal_pointer(&result);
}

/* The key of a table with free keys, written in the table that it is the key of. */
static json_object *
fail_key_inside(const Reader *self, const MfJson *member)
{
    g_autofree char *path = mf_config_value_key(member);

    return mf_config_value_fail_key(member->value, self->error,
                                    "There is no key '%s': it is the name of the table itself.",
                                    path);
}

/* One that is its key and what 'entry' says. */
static json_object *
read_keyed_struct(const Reader *self, const MfJsonMember *member, const MfJson *key,
                  const MfJson *entry)
{
    g_autoptr(json_object) whole = json_object_new_object();
    MfJson json = {.value = whole, .parent = entry->parent, .name = entry->name};

    if (!json_object_is_type(entry->value, json_type_object))
        return mf_config_value_refuse(entry, "a table", self->error);

    struct json_object_iterator at = json_object_iter_begin(entry->value);
    struct json_object_iterator end = json_object_iter_end(entry->value);
    for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at)) {
        MfJson other =
            make_member(entry, json_object_iter_peek_name(&at), json_object_iter_peek_value(&at));

        if (g_str_equal(other.name, member->key))
            return fail_key_inside(self, &other);
        json_object_object_add(whole, other.name, json_object_get(other.value));
    }
    json_object_object_add(whole, member->key, json_object_get(key->value));
    copy_origin(whole, entry->value);
    return read_struct(self, member->type, &json);
}

static json_object *
read_entry(const Reader *self, const MfJsonMember *member, const MfJson *entry)
{
    g_autoptr(json_object) name = mf_config_value_new_key(entry->name, entry->value);
    MfJson key = {.value = name, .parent = entry->parent, .name = entry->name};

    if (member->value)
        return read_pair(self, member, &key, entry);
    return read_keyed_struct(self, member, &key, entry);
}

static json_object *
read_free_table(const Reader *self, const MfJsonMember *member, const MfJson *table)
{
    if (!json_object_is_type(table->value, json_type_object))
        return mf_config_value_refuse(table, "a table", self->error);

    g_autoptr(json_object) result = json_object_new_array();
    struct json_object_iterator at = json_object_iter_begin(table->value);
    struct json_object_iterator end = json_object_iter_end(table->value);

    copy_origin(result, table->value);
    for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at)) {
        MfJson entry =
            make_member(table, json_object_iter_peek_name(&at), json_object_iter_peek_value(&at));
        json_object *element = read_entry(self, member, &entry);

        if (!element)
            return NULL;
        json_object_array_add(result, element);
    }
    return g_steal_pointer(&result);
}

/*
 * Arrays and alternates
 */

/* An array replaces the one of a lower layer, so its elements are whole in each. */
static json_object *
read_array(const Reader *self, const MfJsonMember *member, const MfJson *array)
{
    MfJsonKind kind = member->type->kind;
    const char *expected = kind == MF_JSON_STRING   ? "an array of texts"
                           : kind == MF_JSON_NUMBER ? "an array of numbers"
                                                    : "an array of tables";
    MfJsonMember element = {.type = member->type, .form = MF_JSON_SINGLE};
    Reader whole = *self;

    if (!json_object_is_type(array->value, json_type_array))
        return mf_config_value_refuse(array, expected, self->error);

    g_autoptr(json_object) result = json_object_new_array();
    copy_origin(result, array->value);
    whole.partial = FALSE;
    for (gsize i = 0; i < json_object_array_length(array->value); i++) {
        MfJson json = mf_json_element(array, i);
        json_object *value = read_value(&whole, &element, &json);

        if (!value)
            return NULL;
        json_object_array_add(result, value);
    }
    return g_steal_pointer(&result);
}

/* The branches of the schema's alternates are a text and an array. */
static json_object *
read_alternate(const Reader *self, const MfJsonType *type, const MfJson *value)
{
    gboolean is_array = json_object_is_type(value->value, json_type_array);

    if (!is_array && !json_object_is_type(value->value, json_type_string))
        return mf_config_value_refuse(value, "a text or an array of texts", self->error);
    for (gsize i = 0; i < type->n_members; i++)
        if (is_array == ((type->members[i].form & MF_JSON_ARRAY) != 0))
            return read_value(self, &type->members[i], value);
    g_return_val_if_reached(NULL);
}

/* Whether a variable's text will be part of the value, which then says nothing yet. */
static gboolean
has_variables(json_object *value)
{
    const char *text = json_object_get_string(value);
    g_autofree char *plain = NULL;

    if (!json_object_is_type(value, json_type_string) ||
        strlen(text) != (gsize)json_object_get_string_len(value))
        return FALSE;
    plain = mf_variables_unescape(text);
    return plain == NULL;
}

/* Every variable is a text: what is to be none is wrong whatever they stand for. */
static gboolean
is_written_as_text(const MfJsonMember *member)
{
    return member->type->format != MF_JSON_FORMAT_NONE || member->type->kind == MF_JSON_STRING ||
           member->type->kind == MF_JSON_ENUM;
}

static json_object *
read_value(const Reader *self, const MfJsonMember *member, const MfJson *value)
{
    if (member->key)
        return read_free_table(self, member, value);
    if (member->form & MF_JSON_ARRAY)
        return read_array(self, member, value);
    switch (member->type->kind) {
    case MF_JSON_STRUCT:
        return read_struct(self, member->type, value);
    case MF_JSON_ALTERNATE:
        return read_alternate(self, member->type, value);
    case MF_JSON_ANY:
        return mf_origin_copy_tree(value->value);
    default:
        if (self->unexpanded && is_written_as_text(member) && has_variables(value->value))
            return mf_origin_copy_tree(value->value);
        return mf_config_value_read(member, value, self->directory, self->error);
    }
}

json_object *
mf_config_tree_read(const MfJsonType *type, json_object *tree, const char *directory,
                    GError **error)
{
    const Reader self = {.directory = directory, .error = error};
    MfJson json = mf_json_top(tree, NULL);

    return read_struct(&self, type, &json);
}

gboolean
mf_config_tree_check_layer(const MfJsonType *type, json_object *tree, GError **error)
{
    const Reader self = {.directory = "/", .error = error, .partial = TRUE, .unexpanded = TRUE};
    MfJson json = mf_json_top(tree, NULL);
    g_autoptr(json_object) result = read_struct(&self, type, &json);

    return result != NULL;
}

/*
 * Defaults
 */

static void
add_defaults_below(const MfJsonMember *member, json_object *value)
{
    if (member->type->kind != MF_JSON_STRUCT)
        return;
    if (!(member->form & MF_JSON_ARRAY)) {
        mf_config_tree_add_defaults(member->type, value);
        return;
    }
    if (!member->key && json_object_is_type(value, json_type_array)) {
        for (gsize i = 0; i < json_object_array_length(value); i++)
            mf_config_tree_add_defaults(member->type, json_object_array_get_idx(value, i));
    } else if (member->key && !member->value && json_object_is_type(value, json_type_object)) {
        struct json_object_iterator at = json_object_iter_begin(value);
        struct json_object_iterator end = json_object_iter_end(value);

        for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at))
            mf_config_tree_add_defaults(member->type, json_object_iter_peek_value(&at));
    }
}

void
mf_config_tree_add_defaults(const MfJsonType *type, json_object *tree)
{
    if (!json_object_is_type(tree, json_type_object))
        return;
    for (gsize i = 0; i < type->n_members; i++) {
        const MfJsonMember *member = &type->members[i];
        json_object *value = json_object_object_get(tree, member->name);

        if (!value && member->fallback) {
            value = make_default(member);
            json_object_object_add(tree, member->name, value);
        }
        if (value)
            add_defaults_below(member, value);
    }
}
