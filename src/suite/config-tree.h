/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "wire/json-type.h"

/*
 * Trees of the config file held against the types that qapi/config.json describes: every key known,
 * every value of its type and in its range.
 */

/* The tree of a struct of 'type', as the type's reader in C takes it: what 'tree' does not say has
 * its default, a table with free keys is an array, each value is as mf_config_value_read() has it.
 * Owned by the caller. MF_ERROR_CONFIG: one sentence, with the place of what is wrong. */
json_object *mf_config_tree_read(const MfJsonType *type, json_object *tree, const char *directory,
                                 GError **error);

/* Whether 'tree' may be a layer of a struct of 'type': what it does not say another one may, and
 * texts with variables say nothing yet. Fails as reading does. */
gboolean mf_config_tree_check_layer(const MfJsonType *type, json_object *tree, GError **error);

/* The key, dotted, that 'type' has for 'name': 'name' itself, or that of a table in it. Owned by
 * the caller; NULL when there is none. */
char *mf_config_tree_find_key(const MfJsonType *type, const char *name);

/* Adds to 'tree', which is not read yet, what it does not say and has a default, tables on the way
 * included. The values' origin is MF_ORIGIN_DEFAULT. */
void mf_config_tree_add_defaults(const MfJsonType *type, json_object *tree);
