/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * Which modules a kernel has, and which it has built in: read from the text files of an installed
 * module tree (/lib/modules/RELEASE) or of a build tree. They are there where the binary indexes of
 * modprobe are not: depmod makes those when a package is installed, not when it is unpacked or
 * built.
 */
typedef struct MfModuleIndex MfModuleIndex;

/* Whether 'directory' has any of those files. */
gboolean mf_module_index_exists(const char *directory);

/* Reads modules.dep or else modules.order, and modules.builtin. MF_ERROR_HOST when they cannot be
 * read; a missing one is empty. */
MfModuleIndex *mf_module_index_load(const char *directory, GError **error);
void mf_module_index_free(MfModuleIndex *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfModuleIndex, mf_module_index_free)

const char *mf_module_index_get_directory(const MfModuleIndex *self);

/* What changes when the list of modules does: modules.dep or modules.order of 'directory'. Owned by
 * the caller. */
char *mf_module_index_source(const char *directory);

/* Whether there is a list of what is built in: without it no answer about that means anything. */
gboolean mf_module_index_knows_builtins(const MfModuleIndex *self);
gboolean mf_module_index_is_builtin(const MfModuleIndex *self, const char *name);

/* The file of a module, whose name is spelt with '-' or '_'; NULL when there is none. Owned by the
 * caller. */
char *mf_module_index_find(const MfModuleIndex *self, const char *name);
