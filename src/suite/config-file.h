/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <json.h>

/* A config file as it was read: its keys and those of its profiles known, its targets and its
 * matrix not looked into. */
typedef struct {
    char *path;        /* owned; absolute */
    char *directory;   /* owned; that it is in, absolute: its relative paths are meant from there */
    json_object *tree; /* owned; every value has its MfOrigin, with the file's name as it is short
                        * for somebody in the current directory. In a vmtest.toml each target has
                        * the memory that it has for vmtest, and an image has no root. */
} MfConfigFile;

/* The config file of a directory (absolute): mayfly.toml, else vmtest.toml, there or in the nearest
 * directory above, up to the root of the repository (the one with a .git). Outside of one, up to
 * the home directory; outside of that too, none above is looked into, since anybody may have put a
 * file into /tmp. Owned by the caller. MF_ERROR_CONFIG when there is none. */
char *mf_config_file_find(const char *directory, GError **error);

/* MF_ERROR_CONFIG: the file is missing, no file, too large, no TOML, or has keys that there are
 * not. */
MfConfigFile *mf_config_file_load(const char *path, GError **error);
void mf_config_file_free(MfConfigFile *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfConfigFile, mf_config_file_free)
