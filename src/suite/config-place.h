/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <json.h>

/* Places for messages about what a target's tree says. Borrowed from the tree. */

/* The value of a key, dotted, or the nearest one above it that there is. */
json_object *mf_config_place_find(json_object *tree, const char *key);

/* The element 'index' of the array that is the key's value. */
json_object *mf_config_place_find_element(json_object *tree, const char *key, gsize index);

/* Sets *error to what another layer says of its texts, with the place and the key ahead of it.
 * Returns FALSE. */
gboolean
mf_config_place_fail(json_object *place, const char *key, const GError *cause, GError **error);
