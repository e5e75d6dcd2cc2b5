/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "guest/conf.h"

/* Before the ready point: makes the places for what a root is put together from, and the empty
 * layer for what is written. What fails is told when a run needs it. */
void mfg_root_prepare(void);

/* Mounts the root that the record asks for, beside the one in use. */
bool mfg_root_mount(const struct mfg_conf *conf, const struct mfg_reason *reason);

/* Makes the mounted root "/" and the working directory, with the kernel's file systems in it. */
bool mfg_root_enter(const struct mfg_conf *conf, const struct mfg_reason *reason);
