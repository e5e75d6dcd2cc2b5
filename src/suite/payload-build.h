/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "qapi/config-types.h"

/*
 * A target's payloads and steps, from what the config file says of them. 'tree' is where that was
 * read from, for the places in messages. Both fail with MF_ERROR_CONFIG, and return an array that
 * is owned by the caller; an empty one where the file has none.
 */

/* Of MfPayload. */
GPtrArray *mf_payloads_build(const MfConfigTarget *target, json_object *tree, GError **error);

/* Of MfStep; 'payloads' are those above. */
GPtrArray *mf_steps_build(const MfConfigTarget *target, json_object *tree,
                          const GPtrArray *payloads, GError **error);
