/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <json.h>

/*
 * What has a say in a target, lowest first: the file's [variables] and [matrix], its [[target]],
 * the profile, MAYFLY_* variables, options of the command line. Tables are merged key by key;
 * anything else replaces what was there. Everything but [[target]] is applied to every target.
 *
 * Relative paths of the environment and of options are meant from the current directory, as
 * everywhere in a shell; 'directory' is that, absolute.
 */

/* Puts a copy of 'higher', a table, over the table 'lower'. Values keep their origins. */
void mf_layers_merge(json_object *lower, json_object *higher);

/* The keys that 'environment' (NAME=VALUE) sets: MAYFLY_VM_MEMORY is vm.memory. A key that holds a
 * text has it as it is; any other one has a TOML value, and 0 and 1 are booleans too. An empty
 * variable is as good as none: workflows pass what was not given so.
 *
 * A MAYFLY_ variable that is no key is ignored, and g_info() tells. It may be meant for another
 * version, a wrapper or the command in the guest, so an error would break what works.
 *
 * A tree, owned by the caller. */
json_object *mf_layers_read_environment(char **environment, const char *directory);

/* The keys that options set: NULL-terminated pairs of an option as the user wrote it, and
 * "key=value", the key dotted. The value is TOML; where a text is expected and this is not TOML's
 * form of one, it is the text. A tree, owned by the caller. MF_ERROR_CONFIG. */
json_object *mf_layers_read_options(const char *const *set, const char *directory, GError **error);

typedef struct {
    const char *profile;      /* borrowed; its name, or NULL */
    json_object *environment; /* borrowed; or NULL */
    json_object *options;     /* borrowed; or NULL */
} MfLayers;

/* The targets of 'document', a file called 'file', in its order, with all layers; each has its
 * 'variables' and 'matrix' in it. Of json_object, owned by the caller. MF_ERROR_CONFIG: there is no
 * such profile, or what should be a table is none, or a profile, be it asked for or not, is about a
 * target that there is not. */
GPtrArray *
mf_layers_apply(json_object *document, const char *file, const MfLayers *layers, GError **error);
