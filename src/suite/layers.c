/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/layers.h"

#include "base/suggest.h"
#include "suite/origin.h"
#include "suite/setting.h"
#include "wire/json.h"

void
mf_layers_merge(json_object *lower, json_object *higher)
{
    json_object_object_foreach (higher, key, value) {
        json_object *old = json_object_object_get(lower, key);

        if (json_object_is_type(old, json_type_object) &&
            json_object_is_type(value, json_type_object))
            mf_layers_merge(old, value);
        else
            json_object_object_add(lower, key, mf_origin_copy_tree(value));
    }
}

json_object *
mf_layers_read_environment(char **environment, const char *directory)
{
    json_object *tree = json_object_new_object();

    for (char **variable = environment; variable && *variable; variable++) {
        g_autoptr(json_object) setting = mf_setting_read_variable(*variable, directory);

        if (setting)
            mf_layers_merge(tree, setting);
    }
    return tree;
}

json_object *
mf_layers_read_options(const char *const *set, const char *directory, GError **error)
{
    g_autoptr(json_object) tree = json_object_new_object();

    for (; set && set[0]; set += 2) {
        g_autoptr(json_object) setting = mf_setting_read_option(set[0], set[1], directory, error);

        if (!setting)
            return NULL;
        mf_layers_merge(tree, setting);
    }
    return g_steal_pointer(&tree);
}

/* Says of every value in 'tree' that it is the profile's. */
static void
mark_profile(json_object *tree)
{
    const MfOrigin *origin = mf_origin_get(tree);

    if (origin) {
        MfOrigin marked = *origin;

        marked.kind = MF_ORIGIN_PROFILE;
        mf_origin_set(tree, &marked);
    }
    if (json_object_is_type(tree, json_type_object)) {
        struct json_object_iterator at = json_object_iter_begin(tree);
        struct json_object_iterator end = json_object_iter_end(tree);

        for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at))
            mark_profile(json_object_iter_peek_value(&at));
    } else if (json_object_is_type(tree, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(tree); i++)
            mark_profile(json_object_array_get_idx(tree, i));
    }
}

/* "'a', 'b'" of a table's keys, or of an array's. Owned by the caller. */
static char *
quote_all(GPtrArray *names)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < names->len; i++)
        g_string_append_printf(text, "%s'%s'", i ? ", " : "", (const char *)names->pdata[i]);
    return g_string_free(text, FALSE);
}

/* "There is no profile 'x'" and what there is. 'names' (char *, borrowed) are the right ones. */
static void
fail_unknown(GError **error, const MfOrigin *origin, const char *sentence, const char *name,
             GPtrArray *names)
{
    g_autofree char *list = names->len ? quote_all(names) : g_strdup("none");
    g_autofree char *hint = NULL;
    const char *near;

    g_ptr_array_add(names, NULL);
    near = mf_suggest(name, (const char *const *)names->pdata);
    hint = near ? g_strdup_printf("; did you mean '%s'?", near) : g_strdup(".");
    mf_origin_set_error(error, origin, "%s '%s'%s (There is %s.)", sentence, name, hint, list);
}

/* A copy of the profile, marked; NULL with an error. */
static json_object *
find_profile(json_object *document, const char *file, const char *name, GError **error)
{
    const MfOrigin option = {.kind = MF_ORIGIN_OPTION, .name = "--profile"};
    json_object *profiles = json_object_object_get(document, "profile");
    json_object *profile = json_object_object_get(profiles, name);
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    if (profile) {
        json_object *copy = mf_origin_copy_tree(profile);

        mark_profile(copy);
        return copy;
    }
    if (profiles) {
        struct json_object_iterator at = json_object_iter_begin(profiles);
        struct json_object_iterator end = json_object_iter_end(profiles);

        for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at))
            g_ptr_array_add(names, (gpointer)json_object_iter_peek_name(&at));
    }
    g_autofree char *sentence = g_strdup_printf("'%s' has no profile", file);
    fail_unknown(error, &option, sentence, name, names);
    return NULL;
}

static const char *
name_of(json_object *target)
{
    json_object *name = json_object_object_get(target, "name");

    return json_object_is_type(name, json_type_string) ? json_object_get_string(name) : NULL;
}

/* Whether one [[profile.X.target]] is about a target that there is. */
static gboolean
check_override(const GPtrArray *targets, json_object *override, GError **error)
{
    const char *name = name_of(override);
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    if (!name) {
        mf_origin_set_error(error, mf_origin_get(override),
                            "A profile's target needs the name of the target that it changes.");
        return FALSE;
    }
    for (guint i = 0; i < targets->len; i++) {
        const char *target = name_of(targets->pdata[i]);

        if (target)
            g_ptr_array_add(names, (gpointer)target);
        if (g_strcmp0(name, target) == 0)
            return TRUE;
    }
    fail_unknown(error, mf_origin_get(json_object_object_get(override, "name")),
                 "There is no target", name, names);
    return FALSE;
}

static gboolean
check_profile(const GPtrArray *targets, const char *name, json_object *profile, GError **error)
{
    json_object *own_name = json_object_object_get(profile, "name");
    json_object *overrides = json_object_object_get(profile, "target");

    if (!json_object_is_type(profile, json_type_object)) {
        mf_origin_set_error(error, mf_origin_get(profile),
                            "The profile '%s' is not a table: write [profile.%s].", name, name);
        return FALSE;
    }
    if (own_name) {
        mf_origin_set_error(error, mf_origin_get(own_name),
                            "A profile cannot give all targets one name.");
        return FALSE;
    }
    if (overrides && !json_object_is_type(overrides, json_type_array)) {
        mf_origin_set_error(error, mf_origin_get(overrides),
                            "A profile's target is not an array of tables: write "
                            "[[profile.NAME.target]].");
        return FALSE;
    }
    for (size_t i = 0; overrides && i < json_object_array_length(overrides); i++)
        if (!check_override(targets, json_object_array_get_idx(overrides, i), error))
            return FALSE;
    return TRUE;
}

/* Those that are not asked for too: a mistake in one of them is not for the day when it is. */
static gboolean
check_profiles(const GPtrArray *targets, json_object *profiles, GError **error)
{
    if (!json_object_is_type(profiles, json_type_object)) {
        mf_origin_set_error(error, mf_origin_get(profiles),
                            "The profiles are not tables: write [profile.NAME].");
        return FALSE;
    }

    struct json_object_iterator at = json_object_iter_begin(profiles);
    struct json_object_iterator end = json_object_iter_end(profiles);
    for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at))
        if (!check_profile(targets, json_object_iter_peek_name(&at),
                           json_object_iter_peek_value(&at), error))
            return FALSE;
    return TRUE;
}

/* The profile's own keys are for every target; its targets are for those of their names. */
static void
apply_profile(GPtrArray *targets, json_object *profile)
{
    g_autoptr(json_object) overrides = json_object_get(json_object_object_get(profile, "target"));
    size_t count = overrides ? json_object_array_length(overrides) : 0;

    json_object_object_del(profile, "target");
    for (guint i = 0; i < targets->len; i++)
        mf_layers_merge(targets->pdata[i], profile);
    for (size_t o = 0; o < count; o++) {
        json_object *override = json_object_array_get_idx(overrides, o);

        for (guint i = 0; i < targets->len; i++)
            if (g_strcmp0(name_of(targets->pdata[i]), name_of(override)) == 0)
                mf_layers_merge(targets->pdata[i], override);
    }
}

/* A table with what the document says of all targets. */
static json_object *
new_base(json_object *document)
{
    static const char *const keys[] = {"variables", "matrix"};
    json_object *base = json_object_new_object();

    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
        json_object *value = json_object_object_get(document, keys[i]);

        if (value)
            json_object_object_add(base, keys[i], mf_origin_copy_tree(value));
    }
    return base;
}

static gboolean
add_target(GPtrArray *targets, json_object *document, json_object *target, GError **error)
{
    const MfOrigin *origin = mf_origin_get(target);
    json_object *base;

    if (!json_object_is_type(target, json_type_object)) {
        mf_origin_set_error(error, origin, "A target is a table: write [[target]].");
        return FALSE;
    }
    base = new_base(document);
    if (origin)
        mf_origin_set(base, origin);
    mf_layers_merge(base, target);
    g_ptr_array_add(targets, base);
    return TRUE;
}

GPtrArray *
mf_layers_apply(json_object *document, const char *file, const MfLayers *layers, GError **error)
{
    g_autoptr(GPtrArray) targets = g_ptr_array_new_with_free_func((GDestroyNotify)mf_json_unref);
    json_object *array = json_object_object_get(document, "target");
    json_object *profiles = json_object_object_get(document, "profile");
    g_autoptr(json_object) profile = NULL;

    if (array && !json_object_is_type(array, json_type_array)) {
        mf_origin_set_error(error, mf_origin_get(array),
                            "The targets are not an array of tables: write [[target]].");
        return NULL;
    }
    for (size_t i = 0; array && i < json_object_array_length(array); i++)
        if (!add_target(targets, document, json_object_array_get_idx(array, i), error))
            return NULL;
    if (profiles && !check_profiles(targets, profiles, error))
        return NULL;
    if (layers->profile) {
        profile = find_profile(document, file, layers->profile, error);
        if (!profile)
            return NULL;
        apply_profile(targets, profile);
    }
    for (guint i = 0; i < targets->len; i++) {
        if (layers->environment)
            mf_layers_merge(targets->pdata[i], layers->environment);
        if (layers->options)
            mf_layers_merge(targets->pdata[i], layers->options);
    }
    return g_steal_pointer(&targets);
}
