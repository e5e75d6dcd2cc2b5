/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * Puts an unpacked layer of a container image over those below it: removes from 'root' what
 * 'whiteouts' names (paths below it, of strings), then moves everything in 'layer' there, in the
 * place of what has the same name. Both are directories of ours on one file system, without
 * symbolic links. MF_ERROR_HOST.
 */
gboolean
mf_layer_apply(const char *layer, const GPtrArray *whiteouts, const char *root, GError **error);
