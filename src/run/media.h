/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "machine/kernel.h"
#include "machine/spec.h"
#include "run/target.h"

/* What a target's machine boots: the firmware, and the medium or the kernel. */

/* Adds the target's image, disc or directory as the first of the spec's disks; does nothing where a
 * kernel is booted. 'directory' is private to the run: a copy of the target's directory goes there.
 * MF_ERROR_CONFIG, MF_ERROR_HOST. */
gboolean mf_media_add(const MfTarget *target, const char *directory, MfSpec *spec, GError **error);

/* Settles the firmware of a spec that has its disks. The firmware's variables are copied to
 * 'directory'. MF_ERROR_CONFIG also when the medium cannot be booted by that firmware, or the
 * machine cannot have it; MF_ERROR_HOST when firmware is missing. */
gboolean
mf_media_add_firmware(const MfTarget *target, const char *directory, MfSpec *spec, GError **error);

/* Makes the kernel what the spec boots, in the form that its firmware starts. MF_ERROR_CONFIG,
 * MF_ERROR_HOST. */
gboolean
mf_media_set_kernel(const MfTarget *target, MfKernel *kernel, MfSpec *spec, GError **error);

/* The same for a target without a command, of the file 'path', with its arguments and its
 * initramfs. Here it may be another kernel than Linux, which QEMU starts by the Multiboot protocol.
 */
gboolean
mf_media_set_bare_kernel(const MfTarget *target, const char *path, MfSpec *spec, GError **error);

/* Whether these need the private directory. */
gboolean mf_media_needs_directory(const MfTarget *target);
