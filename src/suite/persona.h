/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "qapi/config-types.h"
#include "run/target.h"

/* A computer that a target's machine can be like: a file of its own, of keys of a target. */
typedef struct {
    json_object *tree;       /* owned; the file, whose values know their places */
    MfConfigPersona *config; /* owned; what it says */
    char *path;              /* owned; the file, absolute; NULL: it is in mayfly itself */
} MfPersona;

/* Bytes of a file. */
#define MF_PERSONA_SIZE_MAX (64u << 10)
/* Letters of an id. */
#define MF_PERSONA_ID_MAX 64

/* Whether 'id' can be one: lowercase letters, digits and hyphens, none of those at an end. It is a
 * file's name, so nothing leads out of a directory. */
gboolean mf_persona_is_id(const char *id);

/* Checks 'tree' (taken), as it was read from the file of the persona 'id' at 'path', which is NULL
 * for one of mayfly's own. MF_ERROR_CONFIG with the place. */
MfPersona *mf_persona_new(json_object *tree, const char *id, const char *path, GError **error);
void mf_persona_free(MfPersona *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfPersona, mf_persona_free)

/* Adds the computer's keys to the table 'target', complete but for its defaults, where it has none
 * of its own. Their origin is MF_ORIGIN_PERSONA. What they say of firmware is left out for a target
 * with a kernel. MF_ERROR_CONFIG: the target is of another architecture. */
gboolean mf_persona_put_below(const MfPersona *self, json_object *target, GError **error);

/* The same for a target that nothing else has been said of yet; 'boots_itself' tells that it will
 * have no kernel. */
void mf_persona_apply(const MfPersona *self, MfTarget *target, gboolean boots_itself);
