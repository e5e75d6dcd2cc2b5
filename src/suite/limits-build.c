/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/limits-build.h"

#include <string.h>

#include "run/cgroup-limit.h"
#include "suite/config-place.h"
#include "suite/config-value.h"
#include "suite/origin.h"

/* The value's place: it is the file's name with an underscore for the dot. */
static json_object *
find_place(json_object *payload, const char *file, gsize length)
{
    g_autofree char *key = g_strdup_printf("limits.%.*s", (int)length, file);

    g_strdelimit(key + strlen("limits."), ".", '_');
    return mf_config_place_find(payload, key);
}

static void
add_number(MfPayload *payload, const char *file, gboolean given, gint64 value)
{
    if (given)
        g_ptr_array_add(payload->limits, g_strdup_printf("%s=%" G_GINT64_FORMAT, file, value));
}

/* Nothing when the value is NULL. */
static gboolean
add_text(MfPayload *payload, const char *file, const char *value, guint cpus, json_object *place,
         GError **error)
{
    g_autofree char *expected = value ? mf_cgroup_limit_find_flaw(file, value, cpus) : NULL;

    if (expected) {
        mf_config_value_fail(find_place(place, file, strlen(file)), error,
                             "The limit %s of payload '%s' is '%s', but expected is %s.", file,
                             payload->name, value, expected);
        return FALSE;
    }
    if (value)
        g_ptr_array_add(payload->limits, g_strdup_printf("%s=%s", file, value));
    return TRUE;
}

gboolean
mf_limits_build(MfPayload *payload, const MfConfigLimits *config, guint cpus, json_object *place,
                GError **error)
{
    if (!add_text(payload, "cpu.max", config->cpu_max, cpus, place, error))
        return FALSE;
    add_number(payload, "cpu.weight", config->has_cpu_weight, config->cpu_weight);
    if (!add_text(payload, "cpuset.cpus", config->cpuset_cpus, cpus, place, error) ||
        !add_text(payload, "memory.max", config->memory_max, cpus, place, error) ||
        !add_text(payload, "io.max", config->io_max, cpus, place, error))
        return FALSE;
    add_number(payload, "pids.max", config->has_pids_max, config->pids_max);
    return TRUE;
}

/* The group's name without the parts that mean nothing, which the guest leaves out. Owned by the
 * caller. */
static char *
normalize(const char *cgroup)
{
    GString *name = g_string_new(NULL);
    g_auto(GStrv) parts = g_strsplit(cgroup, "/", -1);

    for (char **part = parts; *part; part++)
        if (**part && !g_str_equal(*part, "."))
            g_string_append_printf(name, "/%s", *part);
    return g_string_free(name, FALSE);
}

static gboolean
share_cgroup(const MfPayload *one, const MfPayload *other)
{
    g_autofree char *name = one->cgroup ? normalize(one->cgroup) : NULL;
    g_autofree char *other_name = other->cgroup ? normalize(other->cgroup) : NULL;

    return name && other_name && g_str_equal(name, other_name);
}

/* The limit of 'payload' for the same file as 'limit' with another value; or NULL. */
static const char *
find_conflict(const MfPayload *payload, const char *limit)
{
    gsize length = strcspn(limit, "=") + 1;

    for (guint i = 0; i < payload->limits->len; i++) {
        const char *other = payload->limits->pdata[i];

        if (strncmp(other, limit, length) == 0 && !g_str_equal(other, limit))
            return other;
    }
    return NULL;
}

static gboolean
check_pair(const GPtrArray *payloads, guint first, guint second, json_object *tree, GError **error)
{
    const MfPayload *before = payloads->pdata[first], *payload = payloads->pdata[second];
    json_object *before_place = mf_config_place_find_element(tree, "payload", first);
    json_object *place = mf_config_place_find_element(tree, "payload", second);

    for (guint i = 0; share_cgroup(before, payload) && i < payload->limits->len; i++) {
        const char *limit = payload->limits->pdata[i];
        const char *other = find_conflict(before, limit);
        gsize length = strcspn(limit, "=");

        if (!other)
            continue;
        g_autofree char *where =
            mf_origin_describe(mf_origin_get(find_place(before_place, other, length)));
        mf_config_value_fail(find_place(place, limit, length), error,
                             "Payload '%s' gives the cgroup '%s' a %.*s of '%s', but payload '%s' "
                             "(%s) gives it '%s': give each a group of its own.",
                             payload->name, payload->cgroup, (int)length, limit, limit + length + 1,
                             before->name, where, other + length + 1);
        return FALSE;
    }
    return TRUE;
}

/* One after the other they would do no harm, but it is the steps and the time that say who runs
 * beside whom. */
gboolean
mf_limits_check_shared(const GPtrArray *payloads, json_object *tree, GError **error)
{
    for (guint second = 1; second < payloads->len; second++)
        for (guint first = 0; first < second; first++)
            if (!check_pair(payloads, first, second, tree, error))
                return FALSE;
    return TRUE;
}
