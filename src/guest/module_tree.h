/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "guest/conf.h"
#include "guest/mountpoint.h"

/* Writes to 'path' where the kernel's modules are to be mounted; false when nothing has to be. */
bool mfg_module_tree_place(const struct mfg_conf *conf, char *path, size_t size);

/* Makes the kernel's own modules appear at /lib/modules/<release>, where modprobe looks for them.
 * A root that has no place for them is logged, not a failure: few runs need modules. */
bool mfg_module_tree_mount(const struct mfg_conf *conf, struct mfg_mountpoints *mountpoints,
                           const struct mfg_reason *reason);
