/* SPDX-License-Identifier: Apache-2.0 */
#include "qmp-schema.h"

#include <string.h>

#include "base/error.h"
#include "base/fd.h"

struct QmpSchema {
    json_object *entities; /* owned */
    GHashTable *by_name;   /* owned; name -> entity, both borrowed from the above */
};

static gboolean check_value(const QmpSchema *self, const char *type, json_object *value,
                            const char *path, GError **error);

static json_object *
member(json_object *object, const char *name)
{
    json_object *value = NULL;

    json_object_object_get_ex(object, name, &value);
    return value;
}

static const char *
text(json_object *object, const char *name)
{
    return json_object_get_string(member(object, name));
}

static gboolean
refuse(GError **error, const char *path, const char *why)
{
    g_set_error(error, MF_ERROR, MF_ERROR_PROTOCOL, "QEMU would refuse '%s': %s.", path, why);
    return FALSE;
}

QmpSchema *
qmp_schema_load(void)
{
    g_autofree char *path =
        g_test_build_filename(G_TEST_DIST, "data", "query-qmp-schema-7.2.json", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) bytes = mf_file_read(path, 1u << 20, &error);
    QmpSchema *self = g_new0(QmpSchema, 1);

    g_assert_no_error(error);
    mf_json_parse(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), 1u << 20, &self->entities,
                  &error);
    g_assert_no_error(error);
    self->by_name = g_hash_table_new(g_str_hash, g_str_equal);
    for (gsize i = 0; i < json_object_array_length(self->entities); i++) {
        json_object *entity = json_object_array_get_idx(self->entities, i);

        g_hash_table_insert(self->by_name, (char *)text(entity, "name"), entity);
    }
    return self;
}

void
qmp_schema_free(QmpSchema *self)
{
    if (!self)
        return;
    g_hash_table_unref(self->by_name);
    json_object_put(self->entities);
    g_free(self);
}

/* The element of 'array' whose 'key' is 'value', or NULL. */
static json_object *
find_element(json_object *array, const char *key, const char *value)
{
    for (gsize i = 0; array && i < json_object_array_length(array); i++) {
        json_object *element = json_object_array_get_idx(array, i);

        if (g_strcmp0(text(element, key), value) == 0)
            return element;
    }
    return NULL;
}

/* The members of an object type, and with a tag those of the variant that 'value' has chosen. */
static GPtrArray *
collect_members(const QmpSchema *self, json_object *type, json_object *value)
{
    GPtrArray *members = g_ptr_array_new();
    const char *tag = text(type, "tag");

    while (type) {
        json_object *own = member(type, "members");

        for (gsize i = 0; i < json_object_array_length(own); i++)
            g_ptr_array_add(members, json_object_array_get_idx(own, i));
        json_object *variant =
            tag ? find_element(member(type, "variants"), "case", text(value, tag)) : NULL;
        type = variant ? g_hash_table_lookup(self->by_name, text(variant, "type")) : NULL;
    }
    return members;
}

static gboolean
check_object(const QmpSchema *self, json_object *type, json_object *value, const char *path,
             GError **error)
{
    if (!json_object_is_type(value, json_type_object))
        return refuse(error, path, "an object is expected");

    g_autoptr(GPtrArray) members = collect_members(self, type, value);
    int known = 0;
    for (guint i = 0; i < members->len; i++) {
        const char *name = text(members->pdata[i], "name");
        g_autofree char *member_path = g_strdup_printf("%s.%s", path, name);
        json_object *found;

        if (json_object_object_get_ex(value, name, &found)) {
            known++;
            if (!check_value(self, text(members->pdata[i], "type"), found, member_path, error))
                return FALSE;
        } else if (!json_object_object_get_ex(members->pdata[i], "default", NULL)) {
            return refuse(error, member_path, "it is missing");
        }
    }
    if (known < json_object_object_length(value))
        return refuse(error, path, "it has a member that is not in the schema");
    return TRUE;
}

static gboolean
check_array(const QmpSchema *self, json_object *type, json_object *value, const char *path,
            GError **error)
{
    if (!json_object_is_type(value, json_type_array))
        return refuse(error, path, "an array is expected");
    for (gsize i = 0; i < json_object_array_length(value); i++)
        if (!check_value(self, text(type, "element-type"), json_object_array_get_idx(value, i),
                         path, error))
            return FALSE;
    return TRUE;
}

static gboolean
check_enum(json_object *type, json_object *value, const char *path, GError **error)
{
    if (!json_object_is_type(value, json_type_string) ||
        !find_element(member(type, "members"), "name", json_object_get_string(value)))
        return refuse(error, path, "it is not a value of the enumeration");
    return TRUE;
}

static gboolean
check_alternate(const QmpSchema *self, json_object *type, json_object *value, const char *path,
                GError **error)
{
    json_object *members = member(type, "members");

    for (gsize i = 0; i < json_object_array_length(members); i++)
        if (check_value(self, text(json_object_array_get_idx(members, i), "type"), value, path,
                        NULL))
            return TRUE;
    return refuse(error, path, "it is none of the alternatives");
}

static gboolean
check_builtin(json_object *type, json_object *value, const char *path, GError **error)
{
    const char *expected = text(type, "json-type");
    enum json_type actual = json_object_get_type(value);
    const char *name = actual == json_type_int && strcmp(expected, "number") == 0
                           ? "number"
                           : json_type_to_name(actual);

    if (actual == json_type_double)
        name = "number";
    if (strcmp(expected, "value") == 0 || strcmp(expected, name) == 0)
        return TRUE;
    return refuse(error, path, "it has the wrong type");
}

static gboolean
check_value(const QmpSchema *self, const char *type_name, json_object *value, const char *path,
            GError **error)
{
    json_object *type = g_hash_table_lookup(self->by_name, type_name);
    const char *meta = text(type, "meta-type");

    if (strcmp(meta, "object") == 0)
        return check_object(self, type, value, path, error);
    if (strcmp(meta, "array") == 0)
        return check_array(self, type, value, path, error);
    if (strcmp(meta, "enum") == 0)
        return check_enum(type, value, path, error);
    if (strcmp(meta, "alternate") == 0)
        return check_alternate(self, type, value, path, error);
    return check_builtin(type, value, path, error);
}

gboolean
qmp_schema_check(const QmpSchema *self, const char *command, json_object *arguments, GError **error)
{
    json_object *entity = g_hash_table_lookup(self->by_name, command);
    g_autoptr(json_object) none = json_object_new_object();

    if (!entity || strcmp(text(entity, "meta-type"), "command") != 0)
        return refuse(error, command, "there is no such command");
    return check_value(self, text(entity, "arg-type"), arguments ? arguments : none, command,
                       error);
}
