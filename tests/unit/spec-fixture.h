/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "machine/spec.h"

/* A machine as a run makes it, with a kernel, an initramfs and two shares; 'machine' is QEMU's
 * type. Owned by the caller. */
MfSpec *spec_fixture_new(const char *machine);
