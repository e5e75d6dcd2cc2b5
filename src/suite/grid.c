/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/grid.h"

#include <json.h>

#include "suite/origin.h"
#include "suite/persona-store.h"

#define AXIS "persona"

static gboolean
is_scenario(json_object *target)
{
    json_object *tags = json_object_object_get(target, "tags");

    for (size_t i = 0;
         json_object_is_type(tags, json_type_array) && i < json_object_array_length(tags); i++) {
        json_object *tag = json_object_array_get_idx(tags, i);

        if (json_object_is_type(tag, json_type_string) &&
            g_str_equal(json_object_get_string(tag), MF_GRID_TAG))
            return TRUE;
    }
    return FALSE;
}

static void
add_value(json_object *axis, const char *id, const MfOrigin *origin)
{
    json_object *value = json_object_new_string(id);

    mf_origin_set(value, origin);
    json_object_array_add(axis, value);
}

/* The values of the axis. What was asked for is from a higher layer than the file. */
static json_object *
new_axis(const char *directory, const char *const *personas)
{
    const MfOrigin asked = {.kind = MF_ORIGIN_OPTION, .name = g_intern_static_string("--persona")};
    const MfOrigin all = {.kind = MF_ORIGIN_DEFAULT, .name = g_intern_static_string("--grid")};
    json_object *axis = json_object_new_array();

    mf_origin_set(axis, personas ? &asked : &all);
    for (const char *const *id = personas; id && *id; id++)
        add_value(axis, *id, &asked);
    if (!personas) {
        g_autoptr(GPtrArray) entries = mf_persona_store_list(directory);

        for (guint i = 0; i < entries->len; i++)
            add_value(axis, ((MfPersonaEntry *)entries->pdata[i])->id, &all);
    }
    return axis;
}

/* A matrix that is no table is left for who reads it to refuse. */
static void
add_axis(json_object *target, const char *directory, const char *const *personas)
{
    json_object *matrix = json_object_object_get(target, "matrix");

    if (!matrix) {
        matrix = json_object_new_object();
        if (mf_origin_get(target))
            mf_origin_set(matrix, mf_origin_get(target));
        json_object_object_add(target, "matrix", matrix);
    }
    if (json_object_is_type(matrix, json_type_object) &&
        (personas || !json_object_object_get(matrix, AXIS)))
        json_object_object_add(matrix, AXIS, new_axis(directory, personas));
}

void
mf_grid_prepare(GPtrArray *targets, const char *directory, const char *const *personas)
{
    for (guint i = targets->len; i > 0; i--)
        if (!is_scenario(targets->pdata[i - 1]))
            g_ptr_array_remove_index(targets, i - 1);
    for (guint i = 0; i < targets->len; i++)
        add_axis(targets->pdata[i], directory, personas);
}
