/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * The host's side of artifacts: files named by a guest, written below one directory and nowhere
 * else. The guest is hostile: no name leaves the directory, no symbolic link that is already there
 * is followed, files are regular and new, and there is an end to their number and their size.
 */
typedef struct _MfArtifactStore MfArtifactStore;

#define MF_ARTIFACT_NAME_MAX 1024

/* Where the guest's file 'path' goes: relative to the directory; an absolute path as if it began
 * there. NULL when it can go nowhere. Owned by the caller; a pure function. */
char *mf_artifact_name(const char *path);

/* Makes the directory, with its parents; takes so many files and bytes. MF_ERROR_HOST. */
MfArtifactStore *
mf_artifact_store_new(const char *directory, guint max_files, guint64 max_bytes, GError **error);
/* What was begun and not ended is gone. */
void mf_artifact_store_free(MfArtifactStore *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfArtifactStore, mf_artifact_store_free)

/* The next file. MF_ERROR_GUEST when this one has to be left out: for its name, the number of
 * files, or what is in its way; MF_ERROR_HOST. */
gboolean mf_artifact_store_begin(MfArtifactStore *self, const char *path, GError **error);

/* MF_ERROR_GUEST when all of them together become too large, MF_ERROR_HOST; the file is gone then.
 */
gboolean
mf_artifact_store_write(MfArtifactStore *self, const void *data, gsize size, GError **error);

/* The file is complete, and takes the place of an earlier one of that name. As begin. */
gboolean mf_artifact_store_end(MfArtifactStore *self, GError **error);

/* Drops the file that was begun, if there is one. */
void mf_artifact_store_drop(MfArtifactStore *self);
