/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "wire/json-type.h"
#include "wire/json.h"

/* The values of the config file that are no tables and no arrays, as qapi/config.json has them. */

/* 'value' as the C of 'member' takes it: sizes in bytes, durations in milliseconds, paths absolute
 * against 'directory'; with the origin of what it was. Owned by the caller. MF_ERROR_CONFIG. */
json_object *mf_config_value_read(const MfJsonMember *member, const MfJson *value,
                                  const char *directory, GError **error);

/* The key of a value as TOML has it: vm.mounts."/mnt".writable, disks[0].path. Owned by the caller.
 */
char *mf_config_value_key(const MfJson *value);

/* Sets *error to "PLACE: Key 'vm.num_cpus' is "two", but 'expected' is expected.", and returns
 * NULL. */
json_object *mf_config_value_refuse(const MfJson *value, const char *expected, GError **error);

/* Sets *error to the place of 'value' and the sentence, and returns NULL. */
json_object *mf_config_value_fail(json_object *value, GError **error, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/* The same at the key of 'value': that is wrong where it stands, not where its value does. */
json_object *mf_config_value_fail_key(json_object *value, GError **error, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/* The key of 'value' as a text, at its place. Owned by the caller. */
json_object *mf_config_value_new_key(const char *name, json_object *value);
