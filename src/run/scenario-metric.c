/* SPDX-License-Identifier: Apache-2.0 */
#include "run/scenario-metric.h"

#include <string.h>

#include "base/error.h"
#include "base/plain-text.h"
#include "wire/guest-protocol.h"
#include "wire/json.h"

/* Nothing, and all that is no polarity, is none. */
static MfPolarity
read_polarity(const char *text)
{
    MfPolarity polarity = MF_POLARITY_UNKNOWN;

    mf_polarity_parse(text, &polarity, NULL);
    return polarity;
}

static MfMetric *
read_metric(const MfJson *document, GError **error)
{
    const char *name, *unit, *polarity;
    MfJson json;
    double value;

    if (!mf_json_get_object(document, "metric", &json, error) ||
        !mf_json_get_string(&json, "name", &name, error) ||
        !mf_json_get_number(&json, "value", &value, error) ||
        !mf_json_get_string(&json, "unit", &unit, error) ||
        !mf_json_get_string(&json, "polarity", &polarity, error))
        return NULL;
    if (!*name || strlen(unit) > MF_METRIC_UNIT_MAX) {
        g_set_error(
            error, MF_ERROR, MF_ERROR_PROTOCOL,
            "A metric of the guest's scenario has no name, or a unit of more than %d bytes.",
            MF_METRIC_UNIT_MAX);
        return NULL;
    }

    MfMetric *metric = mf_metric_new(name, value, 0);
    metric->polarity = read_polarity(polarity);
    if (*unit)
        metric->unit = g_strdelimit(mf_plain_text(unit, strlen(unit)), "\n\t", ' ');
    return metric;
}

MfMetric *
mf_scenario_metric_parse(const char *json, gsize size, GError **error)
{
    g_autoptr(json_object) value = NULL;

    if (!mf_json_parse(json, size, MF_SCENARIO_PAYLOAD_MAX, &value, error))
        return NULL;

    MfJson document = mf_json_top(value, "a metric of the guest's scenario");
    return read_metric(&document, error);
}
