/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "run/payload.h"
#include "suite/config-read.h"

/* Gives 'payload' the limits of 'config', for a guest with 'cpus' processors; 'place' is the
 * payload's tree. MF_ERROR_CONFIG at the place of one that no kernel takes. */
gboolean mf_limits_build(MfPayload *payload, const MfConfigLimits *config, guint cpus,
                         json_object *place, GError **error);

/* Whether those of 'payloads' (of MfPayload) that have the same control group give none of its
 * limits two values. 'tree' is the target's. MF_ERROR_CONFIG. */
gboolean mf_limits_check_shared(const GPtrArray *payloads, json_object *tree, GError **error);
