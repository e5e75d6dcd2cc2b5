/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "qapi/config-types.h"

/* The checks of a payload or a step, of MfCheck, from what the config file says of them in the key
 * "check" of 'tree'; 'checks' are of MfConfigCheck, or NULL. Owned by the caller. MF_ERROR_CONFIG.
 */
GPtrArray *mf_checks_build(const GPtrArray *checks, json_object *tree, GError **error);
