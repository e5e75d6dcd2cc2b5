/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/config-place.h"

#include "suite/config-value.h"
#include "suite/origin.h"

json_object *
mf_config_place_find(json_object *tree, const char *key)
{
    g_auto(GStrv) steps = g_strsplit(key, ".", -1);

    for (char **step = steps; *step; step++) {
        json_object *value;

        if (!json_object_object_get_ex(tree, *step, &value) || !mf_origin_get(value))
            break;
        tree = value;
    }
    return tree;
}

json_object *
mf_config_place_find_element(json_object *tree, const char *key, gsize index)
{
    return json_object_array_get_idx(mf_config_place_find(tree, key), index);
}

gboolean
mf_config_place_fail(json_object *place, const char *key, const GError *cause, GError **error)
{
    mf_config_value_fail(place, error, "Key '%s' is wrong: %s", key, cause->message);
    return FALSE;
}
