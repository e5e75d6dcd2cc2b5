/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/origin.h"

static void
free_origin(json_object *value, void *origin)
{
    g_free(origin);
}

void
mf_origin_set(json_object *value, const MfOrigin *origin)
{
    json_object_set_userdata(value, g_memdup2(origin, sizeof *origin), free_origin);
}

const MfOrigin *
mf_origin_get(json_object *value)
{
    return value ? json_object_get_userdata(value) : NULL;
}
