/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <json.h>

/* One key of a target with a value that was not written in a file: a tree with nothing else in it,
 * owned by the caller. 'directory' is what relative paths are meant from. See suite/layers.h. */

/* Of an environment variable, "MAYFLY_VM_MEMORY=2G"; NULL when it is none of ours, or empty. */
json_object *mf_setting_read_variable(const char *variable, const char *directory);

/* Of an option as the user wrote it and "key=value". MF_ERROR_CONFIG. */
json_object *mf_setting_read_option(const char *option, const char *setting, const char *directory,
                                    GError **error);
