/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * A copy of files and trees into one directory, made in steps, so that a main loop stays alive.
 * Regular files are copied with mode 0644; symbolic links are left out (in a module directory they
 * are 'build' and 'source'), as is whatever is neither a file nor a directory.
 */
typedef struct MfTreeCopy MfTreeCopy;

/* 'directory' exists; destinations are relative to it. */
MfTreeCopy *mf_tree_copy_new(const char *directory);
void mf_tree_copy_free(MfTreeCopy *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfTreeCopy, mf_tree_copy_free)

/* Plans one file. MF_ERROR_CONFIG when it is not a readable regular file (a link to one is). */
gboolean mf_tree_copy_add_file(MfTreeCopy *self, const char *from, const char *to, GError **error);

/* Plans all files below 'from'. MF_ERROR_CONFIG when it cannot be read. */
gboolean mf_tree_copy_add_tree(MfTreeCopy *self, const char *from, const char *to, GError **error);

/* Copies a piece. *ret_done becomes TRUE when everything is copied. MF_ERROR_HOST. */
gboolean mf_tree_copy_step(MfTreeCopy *self, gboolean *ret_done, GError **error);

/* How much of the planned bytes is copied, 0 to 1. */
double mf_tree_copy_get_fraction(MfTreeCopy *self);
