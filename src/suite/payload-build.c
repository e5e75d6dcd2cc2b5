/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/payload-build.h"

#include <string.h>

#include "run/metric.h"
#include "run/target.h"
#include "suite/check-build.h"
#include "suite/config-place.h"
#include "suite/config-value.h"
#include "suite/limits-build.h"
#include "wire/cgroup-name.h"

static gboolean
take_command(MfPayload *payload, const MfConfigPayload *config, json_object *place, GError **error)
{
    const MfConfigCommand *command = config->command;

    if (command->kind != MF_CONFIG_COMMAND_KIND_ARGV) {
        payload->shell = g_strdup(command->shell);
    } else if (!command->argv[0] || !command->argv[0][0]) {
        mf_config_value_fail(mf_config_place_find(place, "command"), error,
                             "The command of payload '%s' is an array without a program as its "
                             "first text.",
                             config->name);
        return FALSE;
    } else {
        payload->argv = g_strdupv(command->argv);
    }
    payload->args = g_strdupv(config->args);
    return TRUE;
}

static gboolean
take_env(MfPayload *payload, const MfConfigPayload *config, json_object *place, GError **error)
{
    for (guint i = 0; config->env && i < config->env->len; i++) {
        const MfConfigVariable *variable = g_ptr_array_index(config->env, i);

        if (strchr(variable->name, '=')) {
            json_object *element = mf_config_place_find_element(place, "env", i);

            mf_config_value_fail(mf_config_place_find(element, "name"), error,
                                 "A variable of the environment cannot be called '%s'.",
                                 variable->name);
            return FALSE;
        }
        payload->env = g_environ_setenv(payload->env, variable->name, variable->value, TRUE);
    }
    return TRUE;
}

static gboolean
take_place(MfPayload *payload, const MfConfigPayload *config, json_object *place, GError **error)
{
    g_autoptr(GError) cause = NULL;

    if (config->workdir && *config->workdir != '/') {
        mf_config_value_fail(mf_config_place_find(place, "workdir"), error,
                             "The workdir of payload '%s' is \"%s\", but a path from the guest's "
                             "root is expected.",
                             config->name, config->workdir);
        return FALSE;
    }
    if (config->user && !mf_target_check_user(config->user, &cause))
        return mf_config_place_fail(mf_config_place_find(place, "user"), "user", cause, error);
    payload->workdir = g_strdup(config->workdir);
    payload->user = g_strdup(config->user);
    return TRUE;
}

static gboolean
take_cgroup(MfPayload *payload, const MfConfigPayload *config, json_object *place, GError **error)
{
    const char *name = config->cgroup;
    const char *problem = name ? mf_cgroup_name_problem(name, strlen(name), &name) : NULL;

    if (problem) {
        mf_config_value_fail(mf_config_place_find(place, "cgroup"), error,
                             "The cgroup name '%s' of payload '%s' %s.", config->cgroup,
                             config->name, problem);
        return FALSE;
    }
    if (config->limits && !name) {
        mf_config_value_fail(mf_config_place_find(place, "limits"), error,
                             "Payload '%s' has limits, which need the key 'cgroup': a name for "
                             "the control group that has them.",
                             config->name);
        return FALSE;
    }
    payload->cgroup = g_strdup(name);
    return TRUE;
}

static gboolean
take_life(MfPayload *payload, const MfConfigPayload *config, json_object *place, GError **error)
{
    payload->timeout_ms = config->timeout;
    payload->background = config->background;
    payload->uses_parent_pgrp = config->uses_parent_pgrp;
    if (!config->background || config->timeout == 0)
        return TRUE;
    mf_config_value_fail(mf_config_place_find(place, "timeout"), error,
                         "Payload '%s' is in the background, where it has no timeout: it is killed "
                         "when the others have ended.",
                         config->name);
    return FALSE;
}

/* The metrics of a control group are there without any output. */
static gboolean
check_metrics(const MfConfigPayload *config, json_object *place, GError **error)
{
    if (config->output == MF_CONFIG_PAYLOAD_OUTPUT_JSON)
        return TRUE;
    for (guint i = 0; config->check && i < config->check->len; i++) {
        const MfConfigCheck *check = g_ptr_array_index(config->check, i);

        if (!check->metric || g_str_has_prefix(check->metric, "cgroup."))
            continue;
        mf_config_value_fail(mf_config_place_find_element(place, "check", i), error,
                             "A check of the metric '%s' needs output = \"json\": without it, a "
                             "payload's metrics are those of its control group.",
                             check->metric);
        return FALSE;
    }
    return TRUE;
}

static gboolean
take_output(MfPayload *payload, const MfConfigPayload *config, json_object *place, GError **error)
{
    GPtrArray *checks = mf_checks_build(config->check, place, error);

    if (!checks)
        return FALSE;
    if (!check_metrics(config, place, error)) {
        g_ptr_array_unref(checks);
        return FALSE;
    }
    g_ptr_array_unref(payload->checks);
    payload->checks = checks;
    g_ptr_array_unref(payload->hints);
    payload->hints = g_ptr_array_new_with_free_func((GDestroyNotify)mf_metric_hint_free);
    for (guint i = 0; config->metric && i < config->metric->len; i++) {
        const MfConfigMetricHint *hint = g_ptr_array_index(config->metric, i);
        MfPolarity polarity = MF_POLARITY_UNKNOWN;

        if (hint->has_polarity)
            mf_polarity_parse(mf_config_polarity_to_string(hint->polarity), &polarity, NULL);
        g_ptr_array_add(payload->hints, mf_metric_hint_new(hint->name, hint->unit, polarity));
    }
    mf_payload_output_parse(mf_config_payload_output_to_string(config->output), &payload->output,
                            NULL);
    return TRUE;
}

static gboolean
check_name(const GPtrArray *payloads, const char *name, json_object *place, GError **error)
{
    for (guint i = 0; i < payloads->len; i++) {
        const MfPayload *other = g_ptr_array_index(payloads, i);

        if (!g_str_equal(other->name, name))
            continue;
        mf_config_value_fail(mf_config_place_find(place, "name"), error,
                             "There is a payload '%s' already: give each a name of its own.", name);
        return FALSE;
    }
    return TRUE;
}

GPtrArray *
mf_payloads_build(const MfConfigTarget *target, json_object *tree, GError **error)
{
    static gboolean (*const takers[])(MfPayload *, const MfConfigPayload *, json_object *,
                                      GError **) = {take_command, take_env,  take_place,
                                                    take_cgroup,  take_life, take_output};
    g_autoptr(GPtrArray) payloads = g_ptr_array_new_with_free_func((GDestroyNotify)mf_payload_free);

    for (guint i = 0; target->payload && i < target->payload->len; i++) {
        const MfConfigPayload *config = g_ptr_array_index(target->payload, i);
        json_object *place = mf_config_place_find_element(tree, "payload", i);
        g_autoptr(MfPayload) payload = mf_payload_new(config->name);

        if (!check_name(payloads, config->name, place, error))
            return NULL;
        for (gsize j = 0; j < G_N_ELEMENTS(takers); j++)
            if (!takers[j](payload, config, place, error))
                return NULL;
        if (config->limits &&
            !mf_limits_build(payload, config->limits, (guint)target->vm->num_cpus, place, error))
            return NULL;
        g_ptr_array_add(payloads, g_steal_pointer(&payload));
    }
    return mf_limits_check_shared(payloads, tree, error) ? g_steal_pointer(&payloads) : NULL;
}
