/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "run/plan.h"

/*
 * What a plan, whose spec and directory in the guest are settled, is to run there: records for
 * mayfly-guest, and scripts for a shell where there is no mayfly-guest.
 */

/* Adds the command, and the texts of setup and teardown. 'stdio_open' as for mf_plan_new().
 * MF_ERROR_HOST. */
gboolean mf_plan_add_commands(MfPlan *self, const MfTarget *target, const gboolean stdio_open[3],
                              GError **error);

/* Adds the init script and the command script, in a directory that is shared with the guest.
 * MF_ERROR_CONFIG for the user's template, MF_ERROR_HOST. */
gboolean mf_plan_add_scripts(MfPlan *self, const MfTarget *target, GError **error);

/* Adds the scripts for an image's own system, and the directory from which that runs mayfly-guest.
 * MF_ERROR_HOST. */
gboolean mf_plan_add_image_scripts(MfPlan *self, const MfTarget *target, GError **error);
