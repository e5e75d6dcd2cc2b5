/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "suite/origin.h"
#include "suite/persona.h"

/*
 * Where personas are: files ID.toml, and where mayfly was built with libyaml ID.yaml (see
 * persona-yaml.h). The first place that has an id has its say:
 *
 *   1. the directory "personas" beside the config file
 *   2. "mayfly/personas" in $XDG_CONFIG_HOME, else in ~/.config
 *   3. mayfly itself
 */

/* One that there is; it may be wrong, or unreadable. */
typedef struct {
    char *id;   /* owned; of its name */
    char *path; /* owned; NULL: it is in mayfly itself */
} MfPersonaEntry;

/* All ids, each once, in their order: of MfPersonaEntry, owned by the caller. 'directory' is that
 * of the config file, absolute; NULL: there is none. */
GPtrArray *mf_persona_store_list(const char *directory);

/* Reads and checks one of them. MF_ERROR_CONFIG. */
MfPersona *mf_persona_store_load(const MfPersonaEntry *entry, GError **error);

/* Looks for the persona 'id' and reads it. MF_ERROR_CONFIG, also when there is none, with the id
 * that is most likely meant, at 'origin' (or NULL), where it was asked for. */
MfPersona *mf_persona_store_find(const char *directory, const char *id, const MfOrigin *origin,
                                 GError **error);

/* Reads and checks a file anywhere, whose name says its id. MF_ERROR_CONFIG. */
MfPersona *mf_persona_store_load_file(const char *path, GError **error);
