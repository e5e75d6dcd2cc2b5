/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <json.h>

/*
 * Personas of the harness that has them as YAML: its keys, as those of a persona of mayfly's own
 * (config.json, Persona). A key that there is no effect for is refused, as one that is not known.
 */

/* Levels of mappings and sequences, and values in all, aliases counted as often as they are used.
 */
#define MF_PERSONA_YAML_DEPTH_MAX  16
#define MF_PERSONA_YAML_VALUES_MAX 2000

/* Reads the text of 'file', whose name is for messages and origins only: a tree for
 * mf_persona_new(), owned by the caller. MF_ERROR_CONFIG with the place. */
json_object *mf_persona_yaml_read(const char *text, gsize size, const char *file, GError **error);
