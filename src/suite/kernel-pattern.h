/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <json.h>

#include "suite/matrix.h"

/* Kernels of the matrix that are patterns (glob(7)). */

/* The kernels that 'kernel' (a string, a text with variables) stands for: itself, or, as a pattern,
 * the files that match, else the catalog's names that match, in the order of their versions; each
 * has the origin of 'kernel'. A file's path is written without "." and doubled slashes. Of
 * json_object, owned by the caller. MF_ERROR_CONFIG: nothing matches. */
GPtrArray *
mf_kernel_pattern_expand(json_object *kernel, const MfMatrixSources *sources, GError **error);

/* Whether 'kernel' is 'pattern', or matches it; both are texts with variables. */
gboolean mf_kernel_pattern_match(const char *pattern, const char *kernel);
