/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "run/result.h"

/*
 * A picture of where the time of a run went: the host's phases and what is known of the guest, one
 * below the other on one axis. It is one SVG file that needs nothing else, and is readable on a
 * light and on a dark page. Owned by the caller.
 */
char *mf_timeline_to_svg(const char *title, const MfResult *result);
