/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "run/target.h"

/* The options of "mayfly run" about what the machine is made of, as GOption stores them. */
typedef struct {
    char *image, *iso, *fat, *bios, *secure_boot, *secure_boot_vars, *machine, *cpu, *net, *tpm,
        *persona;
    char **numa, **disks, **forwards, **smbios;
    gboolean image_writable, uefi;
} MfMachineOptions;

/* Entries that fill 'self' in. Owned by the caller; the texts in them are static. */
GOptionEntry *mf_machine_options_make_entries(MfMachineOptions *self);

/* The option that names something that boots by itself, in place of a kernel; NULL when there is
 * none. Static. */
const char *mf_machine_options_get_medium(const MfMachineOptions *self);

/* Puts the persona that they name, if any, into 'target', of which nothing is read yet. 'arch' is
 * the architecture that is asked for, or NULL. MF_ERROR_CONFIG. */
gboolean mf_machine_options_apply_persona(const MfMachineOptions *self, const char *arch,
                                          MfTarget *target, GError **error);

/* Reads them into 'target', before its environment is changed; 'memory_given' tells that the
 * target's memory is not the default. MF_ERROR_CONFIG. */
gboolean mf_machine_options_apply(MfMachineOptions *self, MfTarget *target, gboolean memory_given,
                                  GError **error);

void mf_machine_options_clear(MfMachineOptions *self);
