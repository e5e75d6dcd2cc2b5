/* SPDX-License-Identifier: Apache-2.0 */
#include "run/payload.h"

#include "base/error.h"
#include "base/parse.h"

static const char *const outputs[] = {"exit_code", "json", NULL};

gboolean
mf_payload_output_parse(const char *text, MfPayloadOutput *ret_output, GError **error)
{
    guint index;

    if (!mf_parse_choice(text, "a way to read output", outputs, &index, error))
        return FALSE;
    *ret_output = (MfPayloadOutput)index;
    return TRUE;
}

MfPayload *
mf_payload_new(const char *name)
{
    MfPayload *self = g_new0(MfPayload, 1);

    self->name = g_strdup(name);
    self->limits = g_ptr_array_new_with_free_func(g_free);
    self->hints = g_ptr_array_new();
    self->checks = g_ptr_array_new();
    return self;
}

void
mf_payload_free(MfPayload *self)
{
    if (!self)
        return;
    g_free(self->name);
    g_strfreev(self->argv);
    g_free(self->shell);
    g_strfreev(self->args);
    g_strfreev(self->env);
    g_free(self->workdir);
    g_free(self->user);
    g_free(self->cgroup);
    g_ptr_array_unref(self->limits);
    g_ptr_array_unref(self->hints);
    g_ptr_array_unref(self->checks);
    g_free(self);
}

const char *
mf_step_kind_name(MfStepKind kind)
{
    static const char *const names[] = {"run", "spawn", "wait", "kill", "sleep", "signal"};

    G_STATIC_ASSERT(G_N_ELEMENTS(names) == MF_N_STEPS);
    return names[kind];
}

MfStep *
mf_step_new(MfStepKind kind, guint payload)
{
    MfStep *self = g_new0(MfStep, 1);

    self->kind = kind;
    self->payload = payload;
    return self;
}

void
mf_step_free(MfStep *self)
{
    if (!self)
        return;
    g_strfreev(self->args);
    g_clear_pointer(&self->checks, g_ptr_array_unref);
    g_free(self);
}

GPtrArray *
mf_steps_default(const GPtrArray *payloads)
{
    GPtrArray *steps = g_ptr_array_new_with_free_func((GDestroyNotify)mf_step_free);

    for (guint i = 0; i < payloads->len; i++) {
        const MfPayload *payload = g_ptr_array_index(payloads, i);

        g_ptr_array_add(steps, mf_step_new(payload->background ? MF_STEP_SPAWN : MF_STEP_RUN, i));
    }
    return steps;
}

/* What the steps so far have made of a payload. */
typedef enum { HANDLE_NONE, HANDLE_LIVE, HANDLE_CONSUMED } Handle;

/* What is wrong with 'step', NULL when it can be taken. */
static const char *
find_flaw(MfStepKind kind, Handle handle)
{
    if (kind == MF_STEP_SPAWN)
        return handle == HANDLE_LIVE ? "is spawned already: wait for it or kill it first" : NULL;
    if (kind == MF_STEP_RUN || kind == MF_STEP_SLEEP || handle == HANDLE_LIVE)
        return NULL;
    return handle == HANDLE_CONSUMED ? "is already consumed: a step before has waited for it or "
                                       "killed it"
                                     : "is not spawned by any step before";
}

gboolean
mf_steps_check(const GPtrArray *steps, const GPtrArray *payloads, guint *ret_bad, GError **error)
{
    g_autofree Handle *handles = g_new0(Handle, payloads->len + 1);

    for (guint i = 0; i < steps->len; i++) {
        const MfStep *step = g_ptr_array_index(steps, i);
        const char *flaw = find_flaw(step->kind, handles[step->payload]);

        if (flaw) {
            const MfPayload *payload = g_ptr_array_index(payloads, step->payload);

            g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                        "Step %u cannot %s%s the payload '%s', which %s.", i + 1,
                        mf_step_kind_name(step->kind), step->kind == MF_STEP_WAIT ? " for" : "",
                        payload->name, flaw);
            *ret_bad = i;
            return FALSE;
        }
        if (step->kind == MF_STEP_SPAWN)
            handles[step->payload] = HANDLE_LIVE;
        else if (step->kind == MF_STEP_WAIT || step->kind == MF_STEP_KILL)
            handles[step->payload] = HANDLE_CONSUMED;
    }
    return TRUE;
}

static void
add_words(GPtrArray *words, char *const *from)
{
    for (char *const *word = from; word && *word; word++)
        g_ptr_array_add(words, g_strdup(*word));
}

GPtrArray *
mf_step_join_args(const MfStep *step, const MfPayload *payload)
{
    GPtrArray *words = g_ptr_array_new_with_free_func(g_free);

    if (!step->clear_args)
        add_words(words, payload->args);
    add_words(words, step->args);
    return words;
}

GPtrArray *
mf_step_join_checks(const MfStep *step, const MfPayload *payload)
{
    GPtrArray *checks = g_ptr_array_new();

    if (!step->clear_checks)
        g_ptr_array_extend(checks, payload->checks, NULL, NULL);
    if (step->checks)
        g_ptr_array_extend(checks, step->checks, NULL, NULL);
    return checks;
}
