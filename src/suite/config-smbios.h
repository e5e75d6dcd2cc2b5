/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "machine/smbios.h"
#include "qapi/config-types.h"

/* What the table 'smbios' of a target or a persona says; owned by the caller. MF_ERROR_CONFIG, with
 * the wrong field in *ret_field (unless that is NULL). */
MfSmbios *
mf_config_smbios_read(const MfConfigSmbios *config, MfSmbiosField *ret_field, GError **error);
