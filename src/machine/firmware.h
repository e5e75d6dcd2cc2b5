/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "machine/arch.h"

/* UEFI firmware, as distributions install it beside QEMU. */
typedef struct {
    char *code; /* owned; path of the firmware, which is only read */
    char *vars; /* owned; path of the variables to start from */
} MfFirmware;

/* Looks below 'prefix' ("" for this host) in the places of Debian, Fedora, openSUSE, Arch and QEMU
 * itself. MF_ERROR_HOST with the package to install. */
MfFirmware *mf_firmware_find(const char *prefix, MfArch arch, GError **error);
void mf_firmware_free(MfFirmware *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfFirmware, mf_firmware_free)
