/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/setting.h"

#include <string.h>

#include "base/suggest.h"
#include "qapi/config-types.h"
#include "suite/origin.h"
#include "suite/toml.h"
#include "wire/json.h"

#define PREFIX "MAYFLY_"

/* Variables that are no keys, but ours. */
static const char *const other_variables[] = {"MAYFLY_CACHE_DIR",
                                              "MAYFLY_SHARDS",
                                              "MAYFLY_SHARD_INDEX",
                                              "MAYFLY_SWTPM",
                                              "MAYFLY_VIRTIOFSD",
                                              "MAYFLY_WARM_MAX",
                                              NULL};
/* Of our tests, whose programs these are inherited by. */
static const char *const other_prefixes[] = {"MAYFLY_TEST_", NULL};

/* A value on its way into a tree. */
typedef struct {
    const MfJsonMember *member; /* NULL: no key that is known */
    GPtrArray *steps;           /* owned; the key's parts, of char *, borrowed or owned by it */
    MfOrigin origin;
    const char *directory;
} Setting;

static void
setting_clear(Setting *self)
{
    g_clear_pointer(&self->steps, g_ptr_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Setting, setting_clear)

static json_object *
new_text(const Setting *self, const char *text)
{
    json_object *value = json_object_new_string(text);

    mf_origin_set(value, &self->origin);
    return value;
}

/* The value as TOML; NULL when it is none. */
static json_object *
parse_toml(const Setting *self, const char *text)
{
    g_autofree char *line = g_strconcat("value = ", text, NULL);
    g_autoptr(json_object) tree = mf_toml_parse_setting(line, &self->origin, NULL);

    if (!tree || json_object_object_length(tree) != 1)
        return NULL;
    return json_object_get(json_object_object_get(tree, "value"));
}

/* Whether the key's value is, or may be, written as a text. */
static gboolean
takes_text(const Setting *self, const char *text)
{
    const MfJsonMember *member = self->member;

    if (!member || (member->form & MF_JSON_ARRAY))
        return FALSE;
    if (member->type->kind == MF_JSON_ALTERNATE)
        return *text != '[';
    return member->type->kind == MF_JSON_STRING || member->type->kind == MF_JSON_ENUM ||
           member->type->format != MF_JSON_FORMAT_NONE;
}

/* Whether 'text' names a file of the host, seen from the shell it was written in. What begins with
 * a variable is left alone: it is absolute, or it is no path. */
static gboolean
is_relative_path(const Setting *self, const char *text)
{
    g_autofree char *path = g_canonicalize_filename(text, self->directory);

    if (g_path_is_absolute(text) || g_str_has_prefix(text, "{{") || !*text)
        return FALSE;
    if (self->member->type->format == MF_JSON_FORMAT_PATH)
        return TRUE;
    /* The name of a kernel may be one of the catalog's, and that of a QEMU one in PATH. */
    return (g_str_equal(self->member->name, "kernel") ||
            (g_str_equal(self->member->name, "qemu_command") && strchr(text, '/'))) &&
           g_file_test(path, G_FILE_TEST_EXISTS);
}

static json_object *
read_text(const Setting *self, const char *text)
{
    g_autofree char *path =
        is_relative_path(self, text) ? g_canonicalize_filename(text, self->directory) : NULL;

    return new_text(self, path ? path : text);
}

/* What is no TOML stays a text, and is refused as one by who knows what is expected. */
static json_object *
read_value(const Setting *self, const char *text)
{
    json_object *value;

    if (takes_text(self, text))
        return read_text(self, text);
    if (self->member && self->member->type->kind == MF_JSON_BOOL &&
        (g_str_equal(text, "0") || g_str_equal(text, "1"))) {
        value = json_object_new_boolean(*text == '1');
        mf_origin_set(value, &self->origin);
        return value;
    }
    value = parse_toml(self, text);
    return value ? value : new_text(self, text);
}

/* The tree with 'value' (taken) at the key. */
static json_object *
build_tree(const Setting *self, json_object *value)
{
    for (guint i = self->steps->len; i > 0; i--) {
        json_object *table = json_object_new_object();

        mf_origin_set(table, &self->origin);
        json_object_object_add(table, self->steps->pdata[i - 1], value);
        value = table;
    }
    return value;
}

/*
 * Variables
 */

/* "VM_MEMORY" of {"vm", "memory"}. Owned by the caller. */
static char *
variable_of(const GPtrArray *steps)
{
    GString *name = g_string_new(NULL);

    for (guint i = 0; i < steps->len; i++)
        g_string_append_printf(name, "%s%s", i ? "_" : "", (const char *)steps->pdata[i]);
    return g_string_free(g_string_ascii_up(name), FALSE);
}

/* Whether the member has no variable: one name for all targets would be none, and what has keys of
 * the user's own has no one variable. */
static gboolean
is_without_variable(const MfJsonType *type, const MfJsonMember *member)
{
    return member->key || (type == &mf_config_target_type && g_str_equal(member->name, "name"));
}

/* Looks for the key whose variable is 'name' (without the prefix) in the tables of 'type', and adds
 * all variables up to it to 'known'. self->steps is the way to it, or as it was. */
static gboolean
find_variable(Setting *self, const MfJsonType *type, const char *name, GPtrArray *known)
{
    for (gsize i = 0; i < type->n_members; i++) {
        const MfJsonMember *member = &type->members[i];

        if (is_without_variable(type, member))
            continue;
        g_ptr_array_add(self->steps, (gpointer)member->name);
        if (member->type->kind == MF_JSON_STRUCT && !(member->form & MF_JSON_ARRAY)) {
            if (find_variable(self, member->type, name, known))
                return TRUE;
        } else {
            char *variable = variable_of(self->steps);

            g_ptr_array_add(known, variable);
            self->member = member;
            if (g_str_equal(variable, name))
                return TRUE;
        }
        g_ptr_array_set_size(self->steps, (gint)self->steps->len - 1);
    }
    return FALSE;
}

static gboolean
is_other(const char *name)
{
    if (g_strv_contains(other_variables, name))
        return TRUE;
    for (const char *const *prefix = other_prefixes; *prefix; prefix++)
        if (g_str_has_prefix(name, *prefix))
            return TRUE;
    return FALSE;
}

/* 'known' has variables without their prefix, which would make all names alike. */
static void
tell_unknown(const char *name, GPtrArray *known)
{
    const char *near;

    g_ptr_array_add(known, NULL);
    near = mf_suggest(name + strlen(PREFIX), (const char *const *)known->pdata);
    if (near)
        g_info("The variable %s is ignored: no key has it; did you mean " PREFIX "%s?", name, near);
    else
        g_info("The variable %s is ignored: no key has it.", name);
}

json_object *
mf_setting_read_variable(const char *variable, const char *directory)
{
    g_auto(Setting) setting = {.steps = g_ptr_array_new(), .directory = directory};
    g_autoptr(GPtrArray) known = g_ptr_array_new_with_free_func(g_free);
    const char *value = strchr(variable, '=');

    if (!g_str_has_prefix(variable, PREFIX) || !value || !value[1])
        return NULL;

    g_autofree char *name = g_strndup(variable, (gsize)(value - variable));
    if (is_other(name))
        return NULL;
    if (!find_variable(&setting, &mf_config_target_type, name + strlen(PREFIX), known)) {
        tell_unknown(name, known);
        return NULL;
    }
    setting.origin = (MfOrigin){.kind = MF_ORIGIN_ENVIRONMENT, .name = g_intern_string(name)};
    return build_tree(&setting, read_value(&setting, value + 1));
}

/*
 * Options
 */

/* The parts of a dotted key. FALSE with an error that is TOML's. */
static gboolean
parse_key(Setting *self, const char *key, GError **error)
{
    g_autofree char *line = g_strconcat(key, " = 0", NULL);
    g_autoptr(json_object) tree = mf_toml_parse_setting(line, &self->origin, error);

    for (json_object *at = tree; json_object_is_type(at, json_type_object);) {
        struct json_object_iterator first = json_object_iter_begin(at);

        g_ptr_array_add(self->steps, g_strdup(json_object_iter_peek_name(&first)));
        at = json_object_iter_peek_value(&first);
    }
    return tree != NULL;
}

static const MfJsonMember *
find_member(const MfJsonType *type, const char *name)
{
    for (gsize i = 0; type && i < type->n_members; i++)
        if (g_strcmp0(type->members[i].name, name) == 0)
            return &type->members[i];
    return NULL;
}

/* The member that the key's parts lead to; NULL when there is none. */
static const MfJsonMember *
follow(const GPtrArray *steps)
{
    const MfJsonType *type = &mf_config_target_type;
    const MfJsonMember *member = NULL;

    for (guint i = 0; i < steps->len; i++) {
        gboolean free_key = member && member->key;

        /* The part is a free key: it leads to the element, or to its one value. */
        if (free_key) {
            type = member->type;
            member = member->value ? find_member(type, member->value) : NULL;
        } else {
            member = find_member(type, steps->pdata[i]);
            type = member && member->type->kind == MF_JSON_STRUCT ? member->type : NULL;
        }
    }
    return member;
}

/* As the environment's, but that a text may be in TOML's quotes. */
static json_object *
read_option_value(const Setting *self, const char *text)
{
    gboolean quoted = *text == '"' || *text == '\'';
    g_autoptr(json_object) value = quoted ? parse_toml(self, text) : NULL;

    if (json_object_is_type(value, json_type_string) && takes_text(self, text))
        return read_text(self, json_object_get_string(value));
    return value ? g_steal_pointer(&value) : read_value(self, text);
}

json_object *
mf_setting_read_option(const char *option, const char *setting, const char *directory,
                       GError **error)
{
    g_auto(Setting)
        self = {.steps = g_ptr_array_new_with_free_func(g_free), .directory = directory};
    const char *value = strchr(setting, '=');

    self.origin = (MfOrigin){.kind = MF_ORIGIN_OPTION, .name = g_intern_string(option)};
    if (!value || value == setting || !g_utf8_validate(setting, -1, NULL)) {
        mf_origin_set_error(error, &self.origin,
                            "'%s' is not KEY=VALUE, such as vm.memory=2G, in UTF-8.", setting);
        return NULL;
    }

    g_autofree char *key = g_strndup(setting, (gsize)(value - setting));
    if (!parse_key(&self, key, error))
        return NULL;
    if (g_str_equal(self.steps->pdata[0], "name")) {
        mf_origin_set_error(error, &self.origin, "The name of a target cannot be set.");
        return NULL;
    }
    self.member = follow(self.steps);
    return build_tree(&self, read_option_value(&self, value + 1));
}
