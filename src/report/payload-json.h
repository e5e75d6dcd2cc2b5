/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "run/result.h"
#include "wire/json.h"

/* The payloads of a result and the metrics of its scenario, as data/mayfly-result.schema.json
 * describes them, and back. */

/* Of MfPayloadResult; null for NULL. Owned by the caller. */
json_object *mf_payload_json_write(const GPtrArray *payloads);

/* Of MfMetric; null for NULL. Owned by the caller. A value that JSON has no number for is null. */
json_object *mf_payload_json_write_metrics(const GPtrArray *metrics);

/* Reads "payloads" and "metrics" of a case into its result; either may be null or missing, as it
 * is in results of earlier versions. MF_ERROR_PROTOCOL. */
gboolean mf_payload_json_read(const MfJson *kase, MfResult *result, GError **error);
