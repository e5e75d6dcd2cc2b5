/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/config-read.h"

#include <string.h>

#include "suite/config-rules.h"
#include "suite/config-tree.h"
#include "suite/config-value.h"

gboolean
mf_config_check_document(json_object *document, GError **error)
{
    g_autoptr(json_object) tree =
        mf_config_tree_read(&mf_config_document_type, document, "/", error);
    json_object *targets = tree ? json_object_object_get(tree, "target") : NULL;

    for (gsize i = 0; targets && i < json_object_array_length(targets); i++) {
        json_object *target = json_object_array_get_idx(targets, i);

        if (json_object_is_type(target, json_type_object))
            continue;
        mf_config_value_fail(target, error,
                             "Key 'target' has an element that is no table [[target]].");
        return FALSE;
    }
    return tree != NULL;
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
