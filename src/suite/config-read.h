/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "qapi/config-types.h"

/*
 * What the config file says, in C, and all that can be wrong with it without a look at the host.
 * All fail with MF_ERROR_CONFIG: one sentence that begins with the place of what is wrong.
 */

/* A whole file's tree: whether its keys, and those of each of its profiles, are known and of their
 * types. What is in the targets, matrix and variables is not looked at: that is read when all
 * layers are there. */
gboolean mf_config_check_document(json_object *document, GError **error);

/* One target, when nothing is to be added to it any more. Paths, a kernel that is a file and a QEMU
 * that is a path are absolute: they are meant from 'directory', which is absolute. */
MfConfigTarget *mf_config_read_target(json_object *target, const char *directory, GError **error);

/* Adds what a target's tree does not say and has a default. The values' origin is
 * MF_ORIGIN_DEFAULT. */
void mf_config_add_defaults(json_object *target);
