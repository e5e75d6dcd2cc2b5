/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "guest/conf.h"

/*
 * The one network interface of the machine, and /etc/resolv.conf. In an overlay that file is
 * replaced; elsewhere the root is the host's own, and one that exists is covered.
 */

/* For the root that is "/" now. Does nothing where the configuration has no network. False with the
 * sentence; that names cannot be looked up is logged only. */
bool mfg_network_set_up(const struct mfg_conf *conf, const struct mfg_reason *reason);
