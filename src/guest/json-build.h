/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <json.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Building JSON values where memory may run out: a container that could not take something becomes
 * NULL, and stays NULL through everything that is added later, so that only the end need be looked
 * at.
 */

/* Adds 'value', which is taken over, as the last member or element; a NULL value makes the
 * container NULL. */
void mfg_json_build_put(json_object **object, const char *key, json_object *value);
void mfg_json_build_append(json_object **array, json_object *value);

/* A string of any bytes: those that are not UTF-8 become U+FFFD. */
json_object *mfg_json_build_text(const char *text);

/* A string that is the base64 of 'data', encoded only when it is written out. Takes over 'data'
 * (malloc), in any case. */
json_object *mfg_json_build_base64(uint8_t *data, size_t size);
