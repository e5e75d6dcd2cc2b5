/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "suite/layers.h"
#include "suite/variables.h"

/* Which variables there are where in a config file. */

#define MF_CONFIG_VARIABLES "variables"
#define MF_CONFIG_MATRIX    "matrix"

/* What they are about; all borrowed, and so for the life of what is made of it. */
typedef struct {
    const char *directory; /* of the config file, absolute */
    char **environment;    /* NAME=VALUE */
} MfConfigScope;

/* Those that hold for a target: a combination, with nothing to come of its matrix. Owned by the
 * caller. MF_ERROR_CONFIG, also when some refer to themselves that nothing uses. */
MfVariables *
mf_config_variables_of_target(const MfConfigScope *scope, json_object *target, GError **error);

/* Those that hold within the target's matrix, a table: what its combinations give values to is
 * deferred. Owned by the caller. MF_ERROR_CONFIG. */
MfVariables *
mf_config_variables_of_matrix(const MfConfigScope *scope, json_object *target, GError **error);

/* Whether every variable in the profiles of 'document' is one that there is, be it in the file, in
 * the environment and the options of 'layers', or in that profile; env.NAME may be there when the
 * profile is asked for. MF_ERROR_CONFIG. */
gboolean mf_config_variables_check_profiles(const MfConfigScope *scope, json_object *document,
                                            const MfLayers *layers, GError **error);
