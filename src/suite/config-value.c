/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/config-value.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/parse.h"
#include "base/regex.h"
#include "base/suggest.h"
#include "machine/arch.h"
#include "qapi/config-types.h"
#include "suite/origin.h"

/* What a message quotes of a value. */
#define QUOTE_MAX 60

json_object *
mf_config_value_new_key(const char *name, json_object *value)
{
    json_object *key = json_object_new_string(name);
    const MfOrigin *origin = mf_origin_get(value);

    if (origin) {
        MfOrigin place = *origin;

        place.line = origin->key_line ? origin->key_line : origin->line;
        place.column = origin->key_column ? origin->key_column : origin->column;
        mf_origin_set(key, &place);
    }
    return key;
}

static void
set_error(json_object *at, GError **error, const char *format, va_list arguments)
{
    g_autofree char *place = mf_origin_describe(mf_origin_get(at));
    g_autofree char *sentence = g_strdup_vprintf(format, arguments);

    g_set_error(error, MF_ERROR, MF_ERROR_CONFIG, "%s: %s", place, sentence);
}

json_object *
mf_config_value_fail(json_object *value, GError **error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    set_error(value, error, format, arguments);
    va_end(arguments);
    return NULL;
}

json_object *
mf_config_value_fail_key(json_object *value, GError **error, const char *format, ...)
{
    g_autoptr(json_object) key = mf_config_value_new_key("", value);
    va_list arguments;

    va_start(arguments, format);
    set_error(key, error, format, arguments);
    va_end(arguments);
    return NULL;
}

static gboolean
is_bare_key(const char *name)
{
    for (const char *at = name; *at; at++)
        if (!g_ascii_isalnum(*at) && *at != '_' && *at != '-')
            return FALSE;
    return *name != '\0';
}

static void
append_key(const MfJson *value, GString *key)
{
    if (!value->parent)
        return;
    append_key(value->parent, key);
    if (!value->name)
        g_string_append_printf(key, "[%zu]", value->index);
    else
        g_string_append_printf(key, is_bare_key(value->name) ? "%s%s" : "%s\"%s\"",
                               key->len > 0 ? "." : "", value->name);
}

char *
mf_config_value_key(const MfJson *value)
{
    GString *key = g_string_new(NULL);

    append_key(value, key);
    return g_string_free(key, FALSE);
}

static char *
describe_found(json_object *value)
{
    if (json_object_is_type(value, json_type_object))
        return g_strdup("a table");
    if (json_object_is_type(value, json_type_array))
        return g_strdup("an array");

    const char *text = json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN |
                                                                 JSON_C_TO_STRING_NOSLASHESCAPE);
    if (g_utf8_strlen(text, -1) <= QUOTE_MAX)
        return g_strdup(text);

    g_autofree char *beginning = g_utf8_substring(text, 0, QUOTE_MAX);
    return g_strconcat(beginning, "...", NULL);
}

json_object *
mf_config_value_refuse(const MfJson *value, const char *expected, GError **error)
{
    g_autofree char *key = mf_config_value_key(value);
    g_autofree char *found = describe_found(value->value);

    return mf_config_value_fail(value->value, error, "Key '%s' is %s, but %s is expected.", key,
                                found, expected);
}

/* The text of a string; NULL for what is none, or has a NUL character in it. */
static const char *
get_text(json_object *value)
{
    if (!json_object_is_type(value, json_type_string))
        return NULL;

    const char *text = json_object_get_string(value);
    return strlen(text) == (gsize)json_object_get_string_len(value) ? text : NULL;
}

/* The text of a string or of an integer, which some texts may be. Owned by the caller; or NULL. */
static char *
dup_text_or_number(json_object *value)
{
    if (json_object_is_type(value, json_type_int))
        return g_strdup_printf("%" G_GINT64_FORMAT, json_object_get_int64(value));
    return g_strdup(get_text(value));
}

static json_object *
read_bool(const MfJson *value, GError **error)
{
    if (json_object_is_type(value->value, json_type_boolean))
        return json_object_new_boolean(json_object_get_boolean(value->value));
    return mf_config_value_refuse(value, "true or false", error);
}

static json_object *
read_integer(const MfJsonMember *member, const MfJson *value, GError **error)
{
    gboolean limited = member->min != 0 || member->max != 0;
    gint64 number = json_object_get_int64(value->value);
    g_autofree char *expected =
        limited ? g_strdup_printf("an integer from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT,
                                  member->min, member->max)
                : g_strdup("an integer");

    if (!json_object_is_type(value->value, json_type_int) ||
        (limited && (number < member->min || number > member->max)))
        return mf_config_value_refuse(value, expected, error);
    return json_object_new_int64(number);
}

/* TOML's nan and inf are no values that anything could be held against. */
static json_object *
read_number(const MfJson *value, GError **error)
{
    double number = json_object_get_double(value->value);

    if ((!json_object_is_type(value->value, json_type_double) &&
         !json_object_is_type(value->value, json_type_int)) ||
        !isfinite(number))
        return mf_config_value_refuse(value, "a number", error);
    return json_object_new_double(number);
}

static json_object *
refuse_too_large(const MfJson *value, GError **error)
{
    g_autofree char *key = mf_config_value_key(value);
    g_autofree char *found = describe_found(value->value);

    return mf_config_value_fail(value->value, error, "Key '%s' is %s, which is too large.", key,
                                found);
}

static json_object *
read_bytes(const MfJson *value, GError **error)
{
    g_autofree char *text = dup_text_or_number(value->value);
    guint64 bytes;
    gboolean good = text && mf_parse_size(text, MF_MIB, &bytes, NULL);

    if (good && bytes > 0)
        return json_object_new_uint64(bytes);
    if (text && !good && mf_parse_is_written_as_size(text))
        return refuse_too_large(value, error);
    return mf_config_value_refuse(value, "a size such as \"512M\" or \"4G\"", error);
}

static json_object *
read_duration(const MfJson *value, GError **error)
{
    g_autofree char *text = dup_text_or_number(value->value);
    gint64 ms;

    if (text && mf_parse_duration(text, &ms, NULL))
        return json_object_new_int64(ms);
    if (text && mf_parse_is_written_as_duration(text))
        return refuse_too_large(value, error);
    return mf_config_value_refuse(value, "a duration such as \"90s\" or \"1m30s\"", error);
}

static json_object *
read_signal(const MfJson *value, GError **error)
{
    g_autofree char *text = dup_text_or_number(value->value);
    int number;

    if (text && mf_parse_signal(text, &number, NULL))
        return json_object_new_int(number);
    return mf_config_value_refuse(value, "a signal such as \"SIGSEGV\" or 11", error);
}

static json_object *
read_regex(const MfJson *value, GError **error)
{
    const char *text = get_text(value->value);
    g_autofree char *reason = NULL;
    g_autoptr(GRegex) regex = NULL;

    if (!text)
        return mf_config_value_refuse(value, "a regular expression", error);
    regex = mf_regex_new(text, 0, &reason);
    if (regex)
        return json_object_new_string(text);

    g_autofree char *key = mf_config_value_key(value);
    return mf_config_value_fail(value->value, error, "Key '%s' is not a regular expression: %s.",
                                key, reason);
}

static json_object *
read_path(const MfJson *value, const char *directory, GError **error)
{
    const char *text = get_text(value->value);

    if (!text || *text == '\0')
        return mf_config_value_refuse(value, "a path", error);

    g_autofree char *absolute = g_canonicalize_filename(text, directory);
    return json_object_new_string(absolute);
}

static json_object *
read_text(const MfJsonMember *member, const MfJson *value, GError **error)
{
    const char *text = get_text(value->value);

    if (member->type->format == MF_JSON_FORMAT_WORD && (!text || *text == '\0'))
        return mf_config_value_refuse(value, "a text that is not empty", error);
    return text ? json_object_new_string(text) : mf_config_value_refuse(value, "a text", error);
}

/* The one of 'names' that was meant by 'text'; NULL when none is near. Architectures have names
 * that no misspelling explains. */
static const char *
suggest_choice(const MfJsonType *type, const char *text, const char *const *names)
{
    MfArch arch;

    if (type == &mf_config_arch_type && mf_arch_parse(text, &arch, NULL))
        return mf_arch_name(arch);
    return mf_suggest(text, names);
}

static json_object *
read_choice(const MfJsonMember *member, const MfJson *value, GError **error)
{
    const MfJsonType *type = member->type;
    const char *text = get_text(value->value);

    if (text && mf_json_type_find_value(type, text) != MF_JSON_UNKNOWN)
        return json_object_new_string(text);

    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (guint i = MF_JSON_UNKNOWN + 1; i < type->n_values; i++)
        g_ptr_array_add(names, (gpointer)type->values[i]);
    g_ptr_array_add(names, NULL);

    const char *meant = text ? suggest_choice(type, text, (const char *const *)names->pdata) : NULL;
    g_autofree char *list = g_strjoinv(", ", (char **)names->pdata);
    g_autofree char *key = mf_config_value_key(value);
    g_autofree char *found = describe_found(value->value);
    g_autofree char *hint = meant ? g_strdup_printf(" (did you mean '%s'?)", meant) : g_strdup("");
    return mf_config_value_fail(value->value, error, "Key '%s' is %s, but one of %s is expected%s.",
                                key, found, list, hint);
}

static json_object *
read_any(const MfJsonMember *member, const MfJson *value, const char *directory, GError **error)
{
    switch (member->type->format) {
    case MF_JSON_FORMAT_BYTES:
        return read_bytes(value, error);
    case MF_JSON_FORMAT_DURATION:
        return read_duration(value, error);
    case MF_JSON_FORMAT_SIGNAL:
        return read_signal(value, error);
    case MF_JSON_FORMAT_REGEX:
        return read_regex(value, error);
    case MF_JSON_FORMAT_PATH:
        return read_path(value, directory, error);
    case MF_JSON_FORMAT_NONE:
    case MF_JSON_FORMAT_WORD:
        break;
    }
    switch (member->type->kind) {
    case MF_JSON_BOOL:
        return read_bool(value, error);
    case MF_JSON_INT64:
    case MF_JSON_UINT64:
        return read_integer(member, value, error);
    case MF_JSON_NUMBER:
        return read_number(value, error);
    case MF_JSON_STRING:
        return read_text(member, value, error);
    case MF_JSON_ENUM:
        return read_choice(member, value, error);
    default:
        g_return_val_if_reached(NULL);
    }
}

json_object *
mf_config_value_read(const MfJsonMember *member, const MfJson *value, const char *directory,
                     GError **error)
{
    const MfOrigin *origin = mf_origin_get(value->value);
    json_object *result = read_any(member, value, directory, error);

    if (result && origin)
        mf_origin_set(result, origin);
    return result;
}
