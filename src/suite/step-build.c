/* SPDX-License-Identifier: Apache-2.0 */
#include "base/suggest.h"
#include "run/payload.h"
#include "suite/check-build.h"
#include "suite/config-place.h"
#include "suite/config-value.h"
#include "suite/payload-build.h"

/* What a step does, and with which payload. */
typedef struct {
    MfStepKind kind;
    const char *payload; /* borrowed; NULL for a sleep */
} Deed;

/* FALSE when the step does not do exactly one thing. */
static gboolean
find_deed(const MfConfigStep *config, Deed *ret_deed)
{
    const Deed deeds[] = {
        {MF_STEP_RUN, config->run},       {MF_STEP_SPAWN, config->spawn},
        {MF_STEP_WAIT, config->wait},     {MF_STEP_KILL, config->kill},
        {MF_STEP_SIGNAL, config->signal},
    };
    int found = config->has_sleep;

    *ret_deed = (Deed){MF_STEP_SLEEP, NULL};
    for (gsize i = 0; i < G_N_ELEMENTS(deeds); i++)
        if (deeds[i].payload) {
            *ret_deed = deeds[i];
            found++;
        }
    return found == 1;
}

/* The index of the payload that the step names, -1 when there is none. */
static int
find_payload(const Deed *deed, const GPtrArray *payloads, json_object *place, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    const char *kind = mf_step_kind_name(deed->kind);

    for (guint i = 0; i < payloads->len; i++) {
        const MfPayload *payload = g_ptr_array_index(payloads, i);

        if (g_str_equal(payload->name, deed->payload))
            return (int)i;
        g_ptr_array_add(names, payload->name);
    }
    g_ptr_array_add(names, NULL);

    const char *meant = mf_suggest(deed->payload, (const char *const *)names->pdata);
    g_autofree char *hint = meant ? g_strdup_printf(" (did you mean '%s'?)", meant) : g_strdup("");
    mf_config_value_fail(mf_config_place_find(place, kind), error,
                         "There is no payload '%s' to %s%s%s.", deed->payload, kind,
                         deed->kind == MF_STEP_WAIT ? " for" : "", hint);
    return -1;
}

/* Keys that are for some kinds of step only. */
static gboolean
check_keys(const MfConfigStep *config, MfStepKind kind, json_object *place, GError **error)
{
    gboolean starts = kind == MF_STEP_RUN || kind == MF_STEP_SPAWN;
    const struct {
        gboolean given, fits;
        const char *key, *needs;
    } keys[] = {
        {config->args != NULL, starts, "args", "'run' or 'spawn'"},
        {config->clear_args, starts, "clear_args", "'run' or 'spawn'"},
        {config->check != NULL, starts, "check", "'run' or 'spawn'"},
        {config->clear_checks, starts, "clear_checks", "'run' or 'spawn'"},
        {config->timeout != 0, kind == MF_STEP_WAIT, "timeout", "'wait'"},
        {config->has_send, kind == MF_STEP_SIGNAL, "send", "'signal'"},
        {kind == MF_STEP_SIGNAL, config->has_send, "signal", "'send' to say which signal"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
        if (!keys[i].given || keys[i].fits)
            continue;
        mf_config_value_fail(mf_config_place_find(place, keys[i].key), error,
                             "A step with the key '%s' needs %s.", keys[i].key, keys[i].needs);
        return FALSE;
    }
    return TRUE;
}

/* Owned by the caller. */
static MfStep *
make_step(const MfConfigStep *config, const GPtrArray *payloads, json_object *place, GError **error)
{
    Deed deed;
    int payload = 0;

    if (!find_deed(config, &deed)) {
        mf_config_value_fail(place, error,
                             "A step does one thing: it has one of the keys 'run', 'spawn', "
                             "'wait', 'kill', 'signal' and 'sleep'.");
        return NULL;
    }
    if (!check_keys(config, deed.kind, place, error))
        return NULL;
    if (deed.payload && (payload = find_payload(&deed, payloads, place, error)) < 0)
        return NULL;

    g_autoptr(MfStep) step = mf_step_new(deed.kind, (guint)payload);
    step->args = g_strdupv(config->args);
    step->clear_args = config->clear_args;
    step->clear_checks = config->clear_checks;
    step->sleep_ms = config->has_sleep ? config->sleep : 0;
    step->timeout_ms = config->timeout;
    step->signal_number = config->has_send ? (int)config->send : 0;
    step->checks = mf_checks_build(config->check, place, error);
    return step->checks ? g_steal_pointer(&step) : NULL;
}

/* Only the default steps ask who is in the background. */
static gboolean
check_background(const MfConfigTarget *target, json_object *tree, GError **error)
{
    for (guint i = 0; i < target->payload->len; i++) {
        const MfConfigPayload *payload = g_ptr_array_index(target->payload, i);
        json_object *place = mf_config_place_find_element(tree, "payload", i);

        if (!payload->background)
            continue;
        mf_config_value_fail(mf_config_place_find(place, "background"), error,
                             "Payload '%s' is in the background, but the target has steps, which "
                             "say by 'run' or 'spawn' where it is.",
                             payload->name);
        return FALSE;
    }
    return TRUE;
}

/* By the default steps nothing waits for those in the background. */
static gboolean
check_awaited(const MfConfigTarget *target, json_object *tree, GError **error)
{
    for (guint i = 0; i < target->payload->len; i++) {
        const MfConfigPayload *payload = g_ptr_array_index(target->payload, i);

        if (!payload->background)
            return TRUE;
    }
    mf_config_value_fail(mf_config_place_find(tree, "payload"), error,
                         "All payloads of target '%s' are in the background, so that they would be "
                         "killed at once: give it steps, or a payload that is waited for.",
                         target->name);
    return FALSE;
}

/* A payload that no step starts would pass as if it had. */
static gboolean
check_used(const GPtrArray *steps, const MfConfigTarget *target, json_object *tree, GError **error)
{
    for (guint i = 0; i < target->payload->len; i++) {
        const MfConfigPayload *payload = g_ptr_array_index(target->payload, i);
        json_object *place = mf_config_place_find_element(tree, "payload", i);
        gboolean run = FALSE, spawned = FALSE;

        for (guint j = 0; j < steps->len; j++) {
            const MfStep *step = g_ptr_array_index(steps, j);

            run |= step->payload == i && step->kind == MF_STEP_RUN;
            spawned |= step->payload == i && step->kind == MF_STEP_SPAWN;
        }
        if (!run && !spawned) {
            mf_config_value_fail(place, error, "No step runs or spawns the payload '%s'.",
                                 payload->name);
            return FALSE;
        }
        if (!run && payload->timeout != 0) {
            mf_config_value_fail(mf_config_place_find(place, "timeout"), error,
                                 "Payload '%s' is spawned, where its timeout does not hold: give "
                                 "one to the step that waits for it.",
                                 payload->name);
            return FALSE;
        }
    }
    return TRUE;
}

GPtrArray *
mf_steps_build(const MfConfigTarget *target, json_object *tree, const GPtrArray *payloads,
               GError **error)
{
    g_autoptr(GPtrArray) steps = g_ptr_array_new_with_free_func((GDestroyNotify)mf_step_free);
    g_autoptr(GError) cause = NULL;
    guint bad = 0;

    if (!target->payload)
        return g_steal_pointer(&steps);
    if (!target->step)
        return check_awaited(target, tree, error) ? g_steal_pointer(&steps) : NULL;
    if (!check_background(target, tree, error))
        return NULL;
    for (guint i = 0; i < target->step->len; i++) {
        json_object *place = mf_config_place_find_element(tree, "step", i);
        MfStep *step = make_step(g_ptr_array_index(target->step, i), payloads, place, error);

        if (!step)
            return NULL;
        g_ptr_array_add(steps, step);
    }
    if (mf_steps_check(steps, payloads, &bad, &cause))
        return check_used(steps, target, tree, error) ? g_steal_pointer(&steps) : NULL;
    mf_config_value_fail(mf_config_place_find_element(tree, "step", bad), error, "%s",
                         cause->message);
    return NULL;
}
