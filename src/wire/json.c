/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/json.h"

#include <limits.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/parse.h"

#define SHOWN_MAX 40 /* bytes of a peer's text in a message */

static gboolean
refuse_text(const char *why, gsize at, GError **error)
{
    g_set_error(error, MF_ERROR, MF_ERROR_PROTOCOL,
                "The peer sent what is not JSON: %s at byte %zu.", why, at);
    return FALSE;
}

/* json-c reports a number, or a literal, at the end of the input as unfinished: more digits might
 * follow. White space tells it that none do. */
static json_object *
parse_all(json_tokener *tokener, const char *text, gsize size)
{
    json_object *value = json_tokener_parse_ex(tokener, text, (int)size);

    if (json_tokener_get_error(tokener) == json_tokener_continue)
        value = json_tokener_parse_ex(tokener, "\n", 1);
    return value;
}

gboolean
mf_json_parse(const char *text, gsize size, gsize size_max, json_object **ret_value, GError **error)
{
    const char *bad;

    if (size > MIN(size_max, INT_MAX)) {
        g_set_error(error, MF_ERROR, MF_ERROR_PROTOCOL,
                    "The peer sent a JSON document of %zu bytes; at most %zu are accepted.", size,
                    size_max);
        return FALSE;
    }
    /* This also finds NUL bytes, which json-c would take for the end. */
    if (!g_utf8_validate_len(text, size, &bad))
        return refuse_text("no UTF-8", bad - text, error);

    json_tokener *tokener = json_tokener_new_ex(MF_JSON_DEPTH_MAX);
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
    json_object *value = parse_all(tokener, text, size);
    enum json_tokener_error code = json_tokener_get_error(tokener);
    gsize at = json_tokener_get_parse_end(tokener);
    json_tokener_free(tokener);

    if (code == json_tokener_continue)
        return refuse_text("it ends too early", size, error);
    if (code != json_tokener_success)
        return refuse_text(json_tokener_error_desc(code), at, error);
    *ret_value = value;
    return TRUE;
}

MfJson
mf_json_top(json_object *value, const char *what)
{
    return (MfJson){.value = value, .name = what};
}

static const MfJson *
find_top(const MfJson *json)
{
    while (json->parent)
        json = json->parent;
    return json;
}

static void
append_path(const MfJson *json, GString *path)
{
    if (!json->parent)
        return;
    append_path(json->parent, path);
    if (!json->name)
        g_string_append_printf(path, "[%zu]", json->index);
    else
        g_string_append_printf(path, path->len > 0 ? ".%s" : "%s", json->name);
}

/* Such as "props.addresses[2]"; empty at the top. Owned by the caller. */
static char *
make_path(const MfJson *json)
{
    GString *path = g_string_new(NULL);

    append_path(json, path);
    return g_string_free(path, FALSE);
}

/* At most SHOWN_MAX bytes of a peer's text, without anything a terminal could act on. */
static char *
excerpt(const char *text, gsize length)
{
    g_autofree char *cut = g_strndup(text, MIN(length, SHOWN_MAX));
    g_autofree char *plain = g_strescape(cut, NULL);

    return g_strconcat(plain, length > SHOWN_MAX ? "..." : "", NULL);
}

/* The value as it stands in a message, such as "the string 'abc'". */
static char *
describe(json_object *value)
{
    enum json_type type = json_object_get_type(value);

    if (type == json_type_object)
        return g_strdup("an object");
    if (type == json_type_array)
        return g_strdup("an array");

    const char *text = type == json_type_string ? json_object_get_string(value)
                                                : json_object_to_json_string(value);
    g_autofree char *shown = excerpt(text, strlen(text));
    if (type == json_type_string)
        return g_strdup_printf("the string '%s'", shown);
    if (type == json_type_int || type == json_type_double)
        return g_strdup_printf("the number %s", shown);
    return g_steal_pointer(&shown);
}

gboolean
mf_json_refuse(const MfJson *json, const char *expected, GError **error)
{
    const char *what = find_top(json)->name;
    g_autofree char *path = make_path(json);
    g_autofree char *found = describe(json->value);

    if (json->parent)
        g_set_error(error, MF_ERROR, MF_ERROR_PROTOCOL,
                    "In %s, member '%s' is %s, but %s is expected.", what, path, found, expected);
    else
        g_set_error(error, MF_ERROR, MF_ERROR_PROTOCOL,
                    "In place of %s came %s, but %s is expected.", what, found, expected);
    return FALSE;
}

gboolean
mf_json_find(const MfJson *object, const char *name, MfJson *ret_member)
{
    json_object *value;

    if (!json_object_is_type(object->value, json_type_object) ||
        !json_object_object_get_ex(object->value, name, &value))
        return FALSE;
    *ret_member = (MfJson){.value = value, .parent = object, .name = name};
    return TRUE;
}

gboolean
mf_json_get(const MfJson *object, const char *name, MfJson *ret_member, GError **error)
{
    if (!mf_json_as_object(object, error))
        return FALSE;
    if (mf_json_find(object, name, ret_member))
        return TRUE;

    MfJson missing = {.parent = object, .name = name};
    g_autofree char *path = make_path(&missing);
    g_set_error(error, MF_ERROR, MF_ERROR_PROTOCOL, "In %s, member '%s' is missing.",
                find_top(object)->name, path);
    return FALSE;
}

MfJson
mf_json_element(const MfJson *array, gsize index)
{
    json_object *value = json_object_array_get_idx(array->value, index);

    return (MfJson){.value = value, .parent = array, .index = index};
}

gboolean
mf_json_as_bool(const MfJson *json, gboolean *ret_flag, GError **error)
{
    if (!json_object_is_type(json->value, json_type_boolean))
        return mf_json_refuse(json, "true or false", error);
    *ret_flag = json_object_get_boolean(json->value);
    return TRUE;
}

gboolean
mf_json_as_int64(const MfJson *json, gint64 min, gint64 max, gint64 *ret_number, GError **error)
{
    if (json_object_is_type(json->value, json_type_int)) {
        gint64 number = json_object_get_int64(json->value);
        gboolean saturated = json_object_get_uint64(json->value) > G_MAXINT64;

        if (!saturated && number >= min && number <= max) {
            *ret_number = number;
            return TRUE;
        }
    }

    g_autofree char *expected =
        g_strdup_printf("an integer from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT, min, max);
    return mf_json_refuse(json, expected, error);
}

gboolean
mf_json_as_uint64(const MfJson *json, guint64 min, guint64 max, guint64 *ret_number, GError **error)
{
    if (json_object_is_type(json->value, json_type_int)) {
        guint64 number = json_object_get_uint64(json->value);
        gboolean negative = json_object_get_int64(json->value) < 0;

        if (!negative && number >= min && number <= max) {
            *ret_number = number;
            return TRUE;
        }
    }

    g_autofree char *expected =
        g_strdup_printf("an integer from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT, min, max);
    return mf_json_refuse(json, expected, error);
}

gboolean
mf_json_as_number(const MfJson *json, double *ret_number, GError **error)
{
    enum json_type type = json_object_get_type(json->value);

    if (type != json_type_int && type != json_type_double)
        return mf_json_refuse(json, "a number", error);

    double number = json_object_get_double(json->value);
    if (!isfinite(number))
        return mf_json_refuse(json, "a finite number", error);
    *ret_number = number;
    return TRUE;
}

gboolean
mf_json_as_string(const MfJson *json, const char **ret_text, GError **error)
{
    if (!json_object_is_type(json->value, json_type_string))
        return mf_json_refuse(json, "a string", error);

    const char *text = json_object_get_string(json->value);
    if (strlen(text) != (gsize)json_object_get_string_len(json->value))
        return mf_json_refuse(json, "a string without NUL characters", error);
    *ret_text = text;
    return TRUE;
}

gboolean
mf_json_as_object(const MfJson *json, GError **error)
{
    return json_object_is_type(json->value, json_type_object) ||
           mf_json_refuse(json, "an object", error);
}

gboolean
mf_json_as_array(const MfJson *json, gsize *ret_length, GError **error)
{
    if (!json_object_is_type(json->value, json_type_array))
        return mf_json_refuse(json, "an array", error);
    *ret_length = json_object_array_length(json->value);
    return TRUE;
}

gboolean
mf_json_get_bool(const MfJson *object, const char *name, gboolean *ret_flag, GError **error)
{
    MfJson member;

    return mf_json_get(object, name, &member, error) && mf_json_as_bool(&member, ret_flag, error);
}

gboolean
mf_json_get_int64(const MfJson *object, const char *name, gint64 min, gint64 max,
                  gint64 *ret_number, GError **error)
{
    MfJson member;

    return mf_json_get(object, name, &member, error) &&
           mf_json_as_int64(&member, min, max, ret_number, error);
}

gboolean
mf_json_get_uint64(const MfJson *object, const char *name, guint64 min, guint64 max,
                   guint64 *ret_number, GError **error)
{
    MfJson member;

    return mf_json_get(object, name, &member, error) &&
           mf_json_as_uint64(&member, min, max, ret_number, error);
}

gboolean
mf_json_get_number(const MfJson *object, const char *name, double *ret_number, GError **error)
{
    MfJson member;

    return mf_json_get(object, name, &member, error) &&
           mf_json_as_number(&member, ret_number, error);
}

gboolean
mf_json_get_string(const MfJson *object, const char *name, const char **ret_text, GError **error)
{
    MfJson member;

    return mf_json_get(object, name, &member, error) && mf_json_as_string(&member, ret_text, error);
}

gboolean
mf_json_get_object(const MfJson *object, const char *name, MfJson *ret_object, GError **error)
{
    MfJson member;

    if (!mf_json_get(object, name, &member, error) || !mf_json_as_object(&member, error))
        return FALSE;
    *ret_object = member;
    return TRUE;
}

gboolean
mf_json_get_array(const MfJson *object, const char *name, MfJson *ret_array, gsize *ret_length,
                  GError **error)
{
    MfJson member;

    if (!mf_json_get(object, name, &member, error) || !mf_json_as_array(&member, ret_length, error))
        return FALSE;
    *ret_array = member;
    return TRUE;
}

json_object *
mf_json_new_text(const char *text)
{
    g_autofree char *valid = text ? g_utf8_make_valid(text, -1) : NULL;

    return valid ? json_object_new_string(valid) : NULL;
}

json_object *
mf_json_new_number(double number)
{
    g_autofree char *text = mf_format_number(number);

    return isfinite(number) ? json_object_new_double_s(number, text) : NULL;
}

char *
mf_json_to_text(json_object *document)
{
    return g_strconcat(json_object_to_json_string_ext(document, JSON_C_TO_STRING_PRETTY |
                                                                    JSON_C_TO_STRING_SPACED |
                                                                    JSON_C_TO_STRING_NOSLASHESCAPE),
                       "\n", NULL);
}
