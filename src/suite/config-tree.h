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

/* Adds to 'tree', which is not read yet, what it does not say and has a default, tables on the way
 * included. The values' origin is MF_ORIGIN_DEFAULT. */
void mf_config_tree_add_defaults(const MfJsonType *type, json_object *tree);
