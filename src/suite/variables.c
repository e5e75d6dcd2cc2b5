/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/variables.h"

#include <string.h>

#include "base/error.h"
#include "base/suggest.h"

#define ENVIRONMENT_PREFIX "env."

typedef struct {
    char *value;       /* owned; or NULL */
    json_object *text; /* owned; or NULL */
    gboolean deferred;
    char *expanded; /* owned; of 'text', once that is known */
    gboolean expanding;
    gboolean sound; /* it does not come back to itself */
} Variable;

struct _MfVariables {
    char **environment;    /* borrowed */
    GHashTable *variables; /* owned; name -> Variable */
    guint n_deferred;
    gboolean environment_deferred;
};

/* A string on its way. */
typedef struct {
    MfVariables *variables;
    const MfOrigin *origin;
    GString *out;
    gboolean keeps_text; /* 'out' is to be a text with variables */
    gboolean open;       /* then: it ends with a brace that stands for itself */
    gboolean only_looks; /* for circles: there is no value, and what is not known is no matter */
    guint depth;
} Expansion;

static gboolean expand_into(Expansion *expansion, const char *text, GError **error);

static void
variable_free(gpointer data)
{
    Variable *variable = data;

    g_free(variable->value);
    json_object_put(variable->text);
    g_free(variable->expanded);
    g_free(variable);
}

MfVariables *
mf_variables_new(char **environment)
{
    MfVariables *self = g_new0(MfVariables, 1);

    self->environment = environment;
    self->variables = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, variable_free);
    return self;
}

void
mf_variables_free(MfVariables *self)
{
    if (!self)
        return;
    g_hash_table_unref(self->variables);
    g_free(self);
}

/* The variable 'name', with nothing in it yet. What was expanded with another of that name is
 * forgotten. */
static Variable *
renew(MfVariables *self, const char *name)
{
    Variable *variable = g_new0(Variable, 1), *old = g_hash_table_lookup(self->variables, name);
    GHashTableIter iter;
    gpointer other;

    if (old && old->deferred)
        self->n_deferred--;
    g_hash_table_replace(self->variables, g_strdup(name), variable);
    g_hash_table_iter_init(&iter, self->variables);
    while (g_hash_table_iter_next(&iter, NULL, &other))
        g_clear_pointer(&((Variable *)other)->expanded, g_free);
    return variable;
}

void
mf_variables_set(MfVariables *self, const char *name, const char *value)
{
    renew(self, name)->value = g_strdup(value);
}

void
mf_variables_set_text(MfVariables *self, const char *name, json_object *text)
{
    renew(self, name)->text = json_object_get(text);
}

void
mf_variables_defer(MfVariables *self, const char *name)
{
    renew(self, name)->deferred = TRUE;
    self->n_deferred++;
}

void
mf_variables_defer_environment(MfVariables *self)
{
    self->environment_deferred = TRUE;
    self->n_deferred++;
}

/* The length of the name at 'at'. */
static size_t
name_length(const char *at)
{
    size_t length = 0;

    while (g_ascii_isalnum(at[length]) || (at[length] && strchr("_-.", at[length])))
        length++;
    return length;
}

static gboolean
add_from_table(MfVariables *self, const char *name, json_object *value, GError **error)
{
    const MfOrigin *origin = mf_origin_get(value);

    if (!*name || name[name_length(name)] || g_str_has_prefix(name, ENVIRONMENT_PREFIX)) {
        mf_origin_set_error(error, origin,
                            "The variable's name '%s' is not made of letters, digits, '_', '-' and "
                            "'.', or begins with 'env.'.",
                            name);
        return FALSE;
    }
    if (g_hash_table_contains(self->variables, name)) {
        mf_origin_set_error(error, origin,
                            "The variable '%s' is mayfly's own: give yours another name.", name);
        return FALSE;
    }
    if (!json_object_is_type(value, json_type_string)) {
        mf_origin_set_error(error, origin,
                            "The variable '%s' is not a string: write its value between quotes.",
                            name);
        return FALSE;
    }
    mf_variables_set_text(self, name, value);
    return TRUE;
}

gboolean
mf_variables_add_table(MfVariables *self, json_object *table, GError **error)
{
    if (!json_object_is_type(table, json_type_object)) {
        mf_origin_set_error(error, mf_origin_get(table),
                            "The variables are not a table: write [variables].");
        return FALSE;
    }
    json_object_object_foreach (table, name, value) {
        if (!add_from_table(self, name, value, error))
            return FALSE;
    }
    return TRUE;
}

/* Appends text that stands for itself. */
static gboolean
append_plain(Expansion *self, const char *text, size_t length, GError **error)
{
    if (self->only_looks)
        return TRUE;
    if (length > MF_VARIABLES_TEXT_MAX - MIN(self->out->len, MF_VARIABLES_TEXT_MAX)) {
        mf_origin_set_error(error, self->origin,
                            "The string grows to more than %u bytes by its variables.",
                            MF_VARIABLES_TEXT_MAX);
        return FALSE;
    }
    for (size_t i = 0; i < length; i++) {
        gboolean pair = self->keeps_text && self->open && text[i] == '{';

        /* The second one of a pair: with two more it is no hole. */
        g_string_append(self->out, pair ? "{{" : "");
        g_string_append_c(self->out, text[i]);
        self->open = text[i] == '{' && !pair;
    }
    return TRUE;
}

static gboolean
fail_unknown(const Expansion *self, const char *name, GError **error)
{
    g_autofree const char **names =
        (const char **)g_hash_table_get_keys_as_array(self->variables->variables, NULL);
    const char *near = mf_suggest(name, names);
    g_autofree char *hint =
        near ? g_strdup_printf("did you mean '%s'?", near)
        : g_str_has_prefix(name, ENVIRONMENT_PREFIX)
            ? g_strdup_printf("the environment has no '%s'.", name + strlen(ENVIRONMENT_PREFIX))
            : g_strdup("it has to be in [variables], and '{{{{' is a literal '{{'.");

    mf_origin_set_error(error, self->origin, "The variable '%s' is not known: %s", name, hint);
    return FALSE;
}

/* Expands the text of 'variable' once, for all who refer to it. */
static gboolean
expand_variable(Expansion *self, const char *name, Variable *variable, GError **error)
{
    g_autoptr(GString) out = g_string_new(NULL);
    Expansion inner = {.variables = self->variables,
                       .origin = mf_origin_get(variable->text),
                       .out = out,
                       .keeps_text = self->keeps_text,
                       .only_looks = self->only_looks,
                       .depth = self->depth + 1};

    if (variable->expanding) {
        mf_origin_set_error(error, self->origin, "The variable '%s' refers to itself.", name);
        return FALSE;
    }
    if (inner.depth > MF_VARIABLES_DEPTH_MAX) {
        mf_origin_set_error(error, self->origin,
                            "The variable '%s' is one too many: %d may refer to one another in a "
                            "row.",
                            name, MF_VARIABLES_DEPTH_MAX);
        return FALSE;
    }
    variable->expanding = TRUE;
    gboolean done = expand_into(&inner, json_object_get_string(variable->text), error);
    variable->expanding = FALSE;
    variable->sound |= done;
    if (done && !self->only_looks)
        variable->expanded = g_string_free(g_steal_pointer(&out), FALSE);
    return done;
}

/* Puts the hole where it was. */
static gboolean
keep_hole(Expansion *self, const char *name)
{
    g_string_append_printf(self->out, "{{%s}}", name);
    self->open = FALSE;
    return TRUE;
}

static gboolean
look_into(Expansion *self, const char *name, GError **error)
{
    Variable *variable = g_hash_table_lookup(self->variables->variables, name);

    return !variable || !variable->text || variable->sound ||
           expand_variable(self, name, variable, error);
}

static gboolean
append_variable(Expansion *self, const char *name, GError **error)
{
    Variable *variable = g_hash_table_lookup(self->variables->variables, name);
    const char *value = variable ? variable->value : NULL;
    gboolean of_environment = !variable && g_str_has_prefix(name, ENVIRONMENT_PREFIX);

    if (self->only_looks)
        return look_into(self, name, error);
    if (of_environment && self->variables->environment_deferred)
        return keep_hole(self, name);
    if (of_environment)
        value = g_environ_getenv(self->variables->environment, name + strlen(ENVIRONMENT_PREFIX));
    if (value)
        return append_plain(self, value, strlen(value), error);
    if (!variable)
        return fail_unknown(self, name, error);
    if (variable->deferred)
        return keep_hole(self, name);
    if (!variable->text) {
        mf_origin_set_error(error, self->origin, "The variable '%s' has no value here.", name);
        return FALSE;
    }
    if (!variable->expanded && !expand_variable(self, name, variable, error))
        return FALSE;
    /* A text with variables is put in part by part, lest its braces meet those around it. */
    if (self->keeps_text)
        return expand_into(self, variable->expanded, error);
    return append_plain(self, variable->expanded, strlen(variable->expanded), error);
}

/* 'at' is behind the two braces; moved behind those that close the hole. */
static gboolean
expand_hole(Expansion *self, const char **at, GError **error)
{
    size_t length = name_length(*at);
    g_autofree char *name = g_strndup(*at, length);

    if (length == 0 || !g_str_has_prefix(*at + length, "}}")) {
        mf_origin_set_error(error, self->origin,
                            "'{{' is not followed by a variable's name and '}}' (write '{{{{' for "
                            "a literal one).");
        return FALSE;
    }
    *at += length + 2;
    return append_variable(self, name, error);
}

static gboolean
expand_into(Expansion *self, const char *text, GError **error)
{
    for (const char *at = text; *at;) {
        size_t plain = strcspn(at, "{"), braces = strspn(at + plain, "{");

        if (!append_plain(self, at, plain, error))
            return FALSE;
        at += plain + braces;
        /* Four stand for two; of what is left, two make a hole and one is itself. */
        for (size_t i = 0; i < braces / 4 * 2 + braces % 2; i++)
            if (!append_plain(self, "{", 1, error))
                return FALSE;
        if (braces % 4 >= 2 && !expand_hole(self, &at, error))
            return FALSE;
    }
    return TRUE;
}

gboolean
mf_variables_check_cycles(MfVariables *self, json_object *table, GError **error)
{
    g_autoptr(GString) out = g_string_new(NULL);

    json_object_object_foreach (table, name, value) {
        Expansion looking = {
            .variables = self, .origin = mf_origin_get(value), .out = out, .only_looks = TRUE};

        if (!look_into(&looking, name, error))
            return FALSE;
    }
    return TRUE;
}

char *
mf_variables_expand(MfVariables *self, const char *text, const MfOrigin *origin, GError **error)
{
    g_autoptr(GString) out = g_string_new(NULL);
    Expansion expansion = {
        .variables = self, .origin = origin, .out = out, .keeps_text = self->n_deferred > 0};

    if (!expand_into(&expansion, text, error))
        return NULL;
    return g_string_free(g_steal_pointer(&out), FALSE);
}

/* Of a string; what has a NUL in it means nothing to anybody, and is left to who refuses it. */
static json_object *
expand_string(MfVariables *self, json_object *string, GError **error)
{
    const char *text = json_object_get_string(string);

    if (strlen(text) != (size_t)json_object_get_string_len(string))
        return mf_origin_copy_tree(string);

    g_autofree char *expanded = mf_variables_expand(self, text, mf_origin_get(string), error);
    return expanded ? json_object_new_string(expanded) : NULL;
}

static json_object *
expand_object(MfVariables *self, json_object *object, GError **error)
{
    json_object *result = json_object_new_object();

    json_object_object_foreach (object, key, value) {
        json_object *expanded = mf_variables_expand_tree(self, value, error);

        if (value && !expanded) {
            json_object_put(result);
            return NULL;
        }
        json_object_object_add(result, key, expanded);
    }
    return result;
}

static json_object *
expand_array(MfVariables *self, json_object *array, GError **error)
{
    json_object *result = json_object_new_array();

    for (size_t i = 0; i < json_object_array_length(array); i++) {
        json_object *value = json_object_array_get_idx(array, i);
        json_object *expanded = mf_variables_expand_tree(self, value, error);

        if (value && !expanded) {
            json_object_put(result);
            return NULL;
        }
        json_object_array_add(result, expanded);
    }
    return result;
}

json_object *
mf_variables_expand_tree(MfVariables *self, json_object *tree, GError **error)
{
    const MfOrigin *origin = mf_origin_get(tree);
    json_object *result;

    switch (json_object_get_type(tree)) {
    case json_type_string:
        result = expand_string(self, tree, error);
        break;
    case json_type_object:
        result = expand_object(self, tree, error);
        break;
    case json_type_array:
        result = expand_array(self, tree, error);
        break;
    default:
        return mf_origin_copy_tree(tree);
    }
    if (result && origin)
        mf_origin_set(result, origin);
    return result;
}

char *
mf_variables_escape(const char *plain)
{
    g_autoptr(GString) out = g_string_new(NULL);

    for (const char *at = plain; *at; at++) {
        gboolean pair = g_str_has_prefix(at, "{{");

        g_string_append(out, pair ? "{{{{" : "");
        if (pair)
            at++;
        else
            g_string_append_c(out, *at);
    }
    return g_string_free(g_steal_pointer(&out), FALSE);
}

char *
mf_variables_unescape(const char *text)
{
    g_autoptr(MfVariables) none = mf_variables_new(NULL);

    return mf_variables_expand(none, text, NULL, NULL);
}
