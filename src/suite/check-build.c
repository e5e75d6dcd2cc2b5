/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/check-build.h"

#include "run/check.h"
#include "suite/config-place.h"
#include "suite/config-value.h"

static MfCheck *
make_range(const MfConfigCheck *config, GError **error)
{
    return mf_check_new_range(config->metric, g_array_index(config->range, double, 0),
                              g_array_index(config->range, double, 1), error);
}

/* When the keys go together. */
static MfCheck *
make_check(const MfConfigCheck *config, const char **ret_key, GError **error)
{
    *ret_key = config->has_min ? "min" : config->has_max ? "max" : "range";
    if (config->has_exit_code)
        return mf_check_new_exit_code((int)config->exit_code);
    if (config->has_exists)
        return mf_check_new_exists(config->metric);
    if (config->has_min)
        return mf_check_new_min(config->metric, config->min, error);
    if (config->has_max)
        return mf_check_new_max(config->metric, config->max, error);
    return make_range(config, error);
}

/* What is wrong with the keys of a check; NULL when they go together. */
static const char *
find_flaw(const MfConfigCheck *config)
{
    gboolean has_range = config->range != NULL;
    int bounds = config->has_min + config->has_max + has_range + config->has_exists;

    if (config->has_exit_code && (config->metric || bounds > 0))
        return "is of an exit_code and a metric: make it two";
    if (!config->has_exit_code && !config->metric)
        return "says nothing of what is checked: it needs 'exit_code' or 'metric'";
    if (!config->has_exit_code && bounds != 1)
        return "of a metric has one of 'min', 'max', 'range' and 'exists'";
    if (has_range && config->range->len != 2)
        return "has a range that is not two numbers";
    if (config->has_exists && !config->exists)
        return "cannot ask that a metric is missing: only exists = true can be checked";
    return NULL;
}

GPtrArray *
mf_checks_build(const GPtrArray *configs, json_object *tree, GError **error)
{
    g_autoptr(GPtrArray) checks = g_ptr_array_new_with_free_func((GDestroyNotify)mf_check_free);

    for (guint i = 0; configs && i < configs->len; i++) {
        const MfConfigCheck *config = g_ptr_array_index(configs, i);
        json_object *place = mf_config_place_find_element(tree, "check", i);
        const char *flaw = find_flaw(config);
        g_autoptr(GError) cause = NULL;
        const char *key = NULL;

        if (flaw) {
            mf_config_value_fail(place, error, "A check %s.", flaw);
            return NULL;
        }

        MfCheck *check = make_check(config, &key, &cause);
        if (!check) {
            mf_config_place_fail(mf_config_place_find(place, key), key, cause, error);
            return NULL;
        }
        g_ptr_array_add(checks, check);
    }
    return g_steal_pointer(&checks);
}
