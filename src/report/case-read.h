/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "suite/case.h"
#include "suite/outcome.h"
#include "wire/json.h"

/* Reads one case of a result (data/mayfly-result.schema.json) back, as far as reports other than
 * JSON tell of it: what was asked for of the machine is not there. *ret_outcome is NULL for a case
 * that was never started. Both are owned by the caller. MF_ERROR_PROTOCOL. */
gboolean
mf_case_read(const MfJson *json, MfCase **ret_case, MfOutcomeReport **ret_outcome, GError **error);
