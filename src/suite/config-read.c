/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/config-read.h"

#include <string.h>

#include "suite/config-rules.h"
#include "suite/config-tree.h"
#include "suite/config-value.h"
#include "suite/matrix-axis.h"
#include "suite/origin.h"
#include "suite/variables.h"
#include "wire/json.h"

/* A key of a target at the top of the file is known, and yet does nothing there. */
static gboolean
check_no_target_key(json_object *document, GError **error)
{
    json_object_object_foreach (document, name, value) {
        g_autofree char *own = mf_config_tree_find_key(&mf_config_document_type, name);
        g_autofree char *key = mf_config_tree_find_key(&mf_config_target_type, name);

        if (own || !key)
            continue;
        mf_config_value_fail_key(value, error,
                                 "There is no key '%s' at the top of the file: '%s' belongs in a "
                                 "table [[target]], or in a [profile.NAME] for all targets.",
                                 name, key);
        return FALSE;
    }
    return TRUE;
}

/* What is said of targets beside the key 'target': by a profile, by one of its targets, or by one
 * value of a matrix. */
static gboolean
check_layer(json_object *layer, GError **error)
{
    g_autoptr(json_object) own = mf_origin_copy_tree(layer);
    g_autoptr(MfVariables) variables = mf_variables_new(NULL);
    json_object *table = json_object_object_get(layer, "variables");
    json_object *matrix = json_object_object_get(layer, "matrix");
    g_autoptr(GPtrArray) settings = matrix ? mf_matrix_axis_list_settings(matrix, error) : NULL;

    if (matrix && !settings)
        return FALSE;
    if (table && !mf_variables_add_table(variables, table, error))
        return FALSE;
    for (guint i = 0; settings && i < settings->len; i++)
        if (!check_layer(settings->pdata[i], error))
            return FALSE;
    json_object_object_del(own, "variables");
    json_object_object_del(own, "matrix");
    return mf_config_tree_check_layer(&mf_config_target_type, own, error);
}

static gboolean
check_profile(json_object *profile, GError **error)
{
    g_autoptr(json_object) own = mf_origin_copy_tree(profile);
    json_object *targets = json_object_object_get(profile, "target");
    size_t count =
        json_object_is_type(targets, json_type_array) ? json_object_array_length(targets) : 0;

    json_object_object_del(own, "target");
    if (!check_layer(own, error))
        return FALSE;
    for (size_t i = 0; i < count; i++) {
        json_object *target = json_object_array_get_idx(targets, i);

        if (json_object_is_type(target, json_type_object) && !check_layer(target, error))
            return FALSE;
    }
    return TRUE;
}

/* What should be a table and is none is told by who applies profiles. */
static gboolean
check_profiles(json_object *profiles, GError **error)
{
    if (!json_object_is_type(profiles, json_type_object))
        return TRUE;

    struct json_object_iterator at = json_object_iter_begin(profiles);
    struct json_object_iterator end = json_object_iter_end(profiles);
    for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at)) {
        json_object *profile = json_object_iter_peek_value(&at);
        g_autofree char *name = g_strdup(json_object_iter_peek_name(&at));

        if (*g_strstrip(name) == '\0') {
            mf_config_value_fail_key(profile, error,
                                     "A profile needs a name, which --profile asks for.");
            return FALSE;
        }
        if (json_object_is_type(profile, json_type_object) && !check_profile(profile, error))
            return FALSE;
    }
    return TRUE;
}

gboolean
mf_config_check_document(json_object *document, GError **error)
{
    g_autoptr(json_object) tree =
        check_no_target_key(document, error)
            ? mf_config_tree_read(&mf_config_document_type, document, "/", error)
            : NULL;
    json_object *targets = tree ? json_object_object_get(tree, "target") : NULL;

    for (gsize i = 0; targets && i < json_object_array_length(targets); i++) {
        json_object *target = json_object_array_get_idx(targets, i);

        if (json_object_is_type(target, json_type_object))
            continue;
        mf_config_value_fail(target, error,
                             "Key 'target' has an element that is no table [[target]].");
        return FALSE;
    }
    return tree && check_profiles(json_object_object_get(tree, "profile"), error);
}

void
mf_config_add_defaults(json_object *target)
{
    mf_config_tree_add_defaults(&mf_config_target_type, target);
}

static void
make_absolute(char **path, const char *directory)
{
    char *absolute = g_canonicalize_filename(*path, directory);

    g_free(*path);
    *path = absolute;
}

/* A kernel may also be a name of the catalog, a program one of PATH. */
static void
resolve_names(MfConfigTarget *target, const char *directory)
{
    if (target->kernel) {
        g_autofree char *file = g_build_filename(directory, target->kernel, NULL);

        if (strchr(target->kernel, '/') || g_file_test(file, G_FILE_TEST_EXISTS))
            make_absolute(&target->kernel, directory);
    }
    if (target->qemu_command && strchr(target->qemu_command, '/'))
        make_absolute(&target->qemu_command, directory);
}

MfConfigTarget *
mf_config_read_target(json_object *target, const char *directory, GError **error)
{
    g_autoptr(json_object) tree =
        mf_config_tree_read(&mf_config_target_type, target, directory, error);
    g_autoptr(MfConfigTarget) self = tree ? mf_config_target_from_json(tree, error) : NULL;

    if (!self || !mf_config_check_rules(self, tree, error))
        return NULL;
    resolve_names(self, directory);
    return g_steal_pointer(&self);
}
