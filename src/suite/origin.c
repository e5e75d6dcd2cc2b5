/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/origin.h"

#include "base/error.h"

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

char *
mf_origin_describe(const MfOrigin *origin)
{
    if (!origin || origin->kind == MF_ORIGIN_DEFAULT)
        return g_strdup("the default");
    if (origin->line == 0)
        return g_strdup(origin->name);
    return g_strdup_printf("%s:%u:%u", origin->name, origin->line, origin->column);
}

void
mf_origin_set_error(GError **error, const MfOrigin *origin, const char *format, ...)
{
    gboolean placed = origin && origin->kind != MF_ORIGIN_DEFAULT;
    g_autofree char *place = placed ? mf_origin_describe(origin) : NULL;
    va_list args;

    va_start(args, format);
    g_autofree char *sentence = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error(error, MF_ERROR, MF_ERROR_CONFIG, "%s%s%s", placed ? place : "", placed ? ": " : "",
                sentence);
}

/* Called for each value of a tree that json_object_deep_copy() makes. It copies userdata by itself
 * only when that is text. */
static int
copy_value(json_object *source, json_object *parent, const char *key, size_t index,
           json_object **ret_copy)
{
    const MfOrigin *origin = mf_origin_get(source);
    int result = json_c_shallow_copy_default(source, parent, key, index, ret_copy);

    if (result < 0)
        return result;
    if (origin)
        mf_origin_set(*ret_copy, origin);
    /* That is done: after a 1, json-c would try it. */
    return 2;
}

json_object *
mf_origin_copy_tree(json_object *value)
{
    json_object *copy = NULL;

    if (value)
        json_object_deep_copy(value, &copy, copy_value);
    return copy;
}
