/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <json.h>

/* What 'mayfly config' prints of targets, trees of mf_config_get_targets(): complete texts, owned
 * by the caller. 'sources' adds where each value comes from: "mayfly.toml:3:9", "mayfly.toml:9:1
 * (profile)", "MAYFLY_VM_MEMORY", "--set", "default". */

/* A paragraph for each target: its name, and a line for each key with its value as in TOML. */
char *mf_config_list_text(const GPtrArray *targets, gboolean sources);

/* An array of the targets as objects; with 'sources' {"name", "keys": {"vm.memory": {"value",
 * "layer", "source"}}} of each, where a layer is "default", "file", "profile", "matrix",
 * "environment" or "option". */
char *mf_config_list_json(const GPtrArray *targets, gboolean sources);

/* Those of 'targets' (borrowed) that 'name' means: the one of that name, or of that id; else all
 * combinations of the matrix of that target. An array, owned by the caller. MF_ERROR_CONFIG: there
 * is none. */
GPtrArray *mf_config_list_find(const GPtrArray *targets, const char *name, GError **error);
