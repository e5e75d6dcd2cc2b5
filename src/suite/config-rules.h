/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "qapi/config-types.h"

/* What the types of a target's keys do not say: which keys go together, and which of their texts
 * mean something. 'tree' is what 'target' was read from, and knows the places. MF_ERROR_CONFIG. */
gboolean mf_config_check_rules(const MfConfigTarget *target, json_object *tree, GError **error);
