/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* A program that a target runs in its guest beside others, and the steps that start and end them:
 * as asked for, nothing started yet. */

/* What is read of a payload's output. */
typedef enum {
    MF_PAYLOAD_EXIT_CODE, /* nothing */
    MF_PAYLOAD_JSON,      /* metrics */
} MfPayloadOutput;

gboolean mf_payload_output_parse(const char *text, MfPayloadOutput *ret_output, GError **error);

typedef struct {
    char *name;    /* owned; unique within the target */
    char **argv;   /* owned; one of this and the next */
    char *shell;   /* owned; text for a shell */
    char **args;   /* owned; behind argv, or what a shell has as "$@"; or NULL */
    char **env;    /* owned; NAME=VALUE, over the target's; or NULL */
    char *workdir; /* owned; NULL: the target's */
    char *user;    /* owned; NULL: the target's */

    char *cgroup;      /* owned; below mayfly's own (wire/cgroup-name.h); NULL: no place for it */
    GPtrArray *limits; /* owned; of char *: "cpu.max=20000 100000"; needs a cgroup */

    gint64 timeout_ms;         /* of one that is run, not of one that is spawned; 0 is none */
    gboolean background;       /* spawned by the default steps */
    gboolean uses_parent_pgrp; /* in the process group of the agent instead of its own */

    MfPayloadOutput output;
    GPtrArray *hints;  /* owned; of MfMetricHint */
    GPtrArray *checks; /* owned; of MfCheck */
} MfPayload;

/* A payload named 'name', with every default, and empty lists that free nothing: who fills hints
 * and checks puts in lists that do. */
MfPayload *mf_payload_new(const char *name);
void mf_payload_free(MfPayload *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfPayload, mf_payload_free)

typedef enum {
    MF_STEP_RUN,    /* started, and its end awaited */
    MF_STEP_SPAWN,  /* started */
    MF_STEP_WAIT,   /* the end of what was spawned awaited */
    MF_STEP_KILL,   /* what was spawned killed */
    MF_STEP_SLEEP,  /* nothing for a while */
    MF_STEP_SIGNAL, /* what was spawned sent a signal */
    MF_N_STEPS,
} MfStepKind;

const char *mf_step_kind_name(MfStepKind kind); /* "run", "spawn", ... */

typedef struct {
    MfStepKind kind;
    guint payload;         /* its index; not of SLEEP */
    char **args;           /* owned; of RUN and SPAWN: behind the payload's; or NULL */
    gboolean clear_args;   /* without the payload's */
    GPtrArray *checks;     /* owned; of MfCheck, of RUN and SPAWN: beside the payload's; or NULL */
    gboolean clear_checks; /* without the payload's */
    gint64 sleep_ms;       /* of SLEEP */
    gint64 timeout_ms;     /* of WAIT: past which it is killed; 0 is none */
    int signal_number;     /* of SIGNAL */
} MfStep;

MfStep *mf_step_new(MfStepKind kind, guint payload);
void mf_step_free(MfStep *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfStep, mf_step_free)

/* The steps for 'payloads' (of MfPayload) when none are given: each in order run, or spawned with
 * 'background'. Owned by the caller. */
GPtrArray *mf_steps_default(const GPtrArray *payloads);

/* Whether each of 'steps' (of MfStep) finds its payload as it needs it: a payload is spawned at
 * most once at a time, and waited for, killed and signalled only while it is. 'ret_bad' is the
 * index of the step that does not. MF_ERROR_CONFIG. */
gboolean
mf_steps_check(const GPtrArray *steps, const GPtrArray *payloads, guint *ret_bad, GError **error);

/* The words behind those of the command of 'payload', as 'step' has them. Owned by the caller. */
GPtrArray *mf_step_join_args(const MfStep *step, const MfPayload *payload);

/* The checks of what 'step' starts: of borrowed MfCheck. Owned by the caller. */
GPtrArray *mf_step_join_checks(const MfStep *step, const MfPayload *payload);
