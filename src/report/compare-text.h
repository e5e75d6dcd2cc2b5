/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <json.h>

#include "report/compare.h"

/* A comparison in its forms. All are whole lines, and owned by the caller. */

/* For people. Where some metrics have a unit or a polarity, only those are told of; with 'all', all
 * are. */
char *mf_comparison_to_text(const MfComparison *self, gboolean all);
char *mf_comparison_to_markdown(const MfComparison *self, gboolean all);

/* data/mayfly-compare.schema.json; always all. */
json_object *mf_comparison_to_json(const MfComparison *self);

/* The version of that description. */
#define MF_COMPARISON_JSON_VERSION 1
