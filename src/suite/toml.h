/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <json.h>

#include "suite/origin.h"

/*
 * TOML 1.0 as a json-c tree, each value of which has its MfOrigin: tables are objects, and dates
 * and times strings in the form of RFC 3339, since JSON has none. A float may be infinite or not a
 * number, and a string may have NUL characters: who reads the tree has to mind.
 *
 * Tables keep the order of the file. Lines and columns count from 1; a column is a code point. The
 * origin of a table that is only there because of what is in it ([a.b] makes 'a') is where that is.
 */

#define MF_TOML_SIZE_MAX (1u << 20)
/* Levels of tables and arrays: 'a.b = [1]' has three, the file's own table included. */
#define MF_TOML_DEPTH_MAX 32

/* Reads the text of 'file', whose name is for messages and origins only. Owned by the caller.
 * MF_ERROR_CONFIG, "FILE:LINE:COLUMN: " and a sentence. */
json_object *mf_toml_parse(const char *text, gsize size, const char *file, GError **error);

/* Reads one setting, "vm.memory = '2G'", that was not written in a file: every value of the tree
 * has a copy of 'origin', which also begins the message. Owned by the caller. MF_ERROR_CONFIG. */
json_object *mf_toml_parse_setting(const char *text, const MfOrigin *origin, GError **error);

/* Where the first key or table header of 'text' begins that has more than MF_TOML_DEPTH_MAX parts;
 * FALSE when there is none. A parser that knows no such limit must not see it. */
gboolean mf_toml_find_long_key(const char *text, gsize size, gsize *ret_offset);
