/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <json.h>

#include "machine/kernel.h"

/* What 'mayfly kernel info' says of a kernel. */

/* A table for people, and the verdict as its last line. Owned by the caller. */
char *mf_kernel_info_text(MfKernel *kernel);

/* The same for programs: path, format, release, arch, compression, pvh, modules (a path or null),
 * options (name -> "built-in", "module", "missing", "unknown"), root ("9p", "virtiofs", "none",
 * "unknown") and verdict (the sentence). Owned by the caller. */
json_object *mf_kernel_info_json(MfKernel *kernel);
