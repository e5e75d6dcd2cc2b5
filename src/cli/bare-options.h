/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "run/target.h"

/* The options of "mayfly run" for a guest that runs no command, as GOption stores them. */
typedef struct {
    gboolean bare;
    char *initramfs, *success_exit_code;
    char **expect;
} MfBareOptions;

/* Entries that fill 'self' in. Owned by the caller; the texts in them are static. */
GOptionEntry *mf_bare_options_make_entries(MfBareOptions *self);

/* Reads them into 'target', whose architecture and kernel are known. 'stray' is the first that was
 * given of what needs a command: an option with its dashes, or the command itself; or NULL.
 * MF_ERROR_CONFIG. */
gboolean
mf_bare_options_apply(MfBareOptions *self, MfTarget *target, const char *stray, GError **error);

void mf_bare_options_clear(MfBareOptions *self);
