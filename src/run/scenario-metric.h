/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "run/metric.h"

/* A metric in the words of a guest's scenario (wire/guest-protocol.h); its text is made fit to be
 * shown. Owned by the caller. MF_ERROR_PROTOCOL, also for one without a name, or with a unit of
 * more than MF_METRIC_UNIT_MAX bytes. */
MfMetric *mf_scenario_metric_parse(const char *json, gsize size, GError **error);
