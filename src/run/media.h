/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "machine/spec.h"
#include "run/target.h"

/* What a target's machine boots from: the firmware, and the medium where that is no kernel. */

/* Adds the target's image, disc or directory as the first of the spec's disks; does nothing where a
 * kernel is booted. 'directory' is private to the run: a copy of the target's directory goes there.
 * MF_ERROR_CONFIG, MF_ERROR_HOST. */
gboolean mf_media_add(const MfTarget *target, const char *directory, MfSpec *spec, GError **error);

/* Settles the firmware of a spec that has its disks. The firmware's variables are copied to
 * 'directory'. MF_ERROR_CONFIG also when the medium cannot be booted by that firmware, or the
 * machine cannot have it; MF_ERROR_HOST when firmware is missing. */
gboolean
mf_media_add_firmware(const MfTarget *target, const char *directory, MfSpec *spec, GError **error);

/* Whether these need the private directory. */
gboolean mf_media_needs_directory(const MfTarget *target);
