/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "guest/conf.h"

/* Mounts the root that the record asks for, beside the one in use. */
bool mfg_root_mount(const struct mfg_conf *conf, const struct mfg_reason *reason);

/* Makes the mounted root "/" and the working directory, with the kernel's file systems in it. */
bool mfg_root_enter(const struct mfg_conf *conf, const struct mfg_reason *reason);
