/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

#include "wire/qga.h"

/*
 * Copies files out of the guest, by the commands of its agent and a shell that finds them.
 *
 * What a pattern (glob(7)) matches is copied with everything below it, if it is a directory.
 * Symbolic links are followed for what the pattern names itself; the guest can only give away what
 * is in it.
 */
#define MF_ARTIFACTS_MAX_FILES 4096
#define MF_ARTIFACTS_MAX_BYTES (G_GUINT64_CONSTANT(1) << 30)

#define MF_TYPE_ARTIFACTS (mf_artifacts_get_type())
G_DECLARE_FINAL_TYPE(MfArtifacts, mf_artifacts, MF, ARTIFACTS, GObject)

/* Whether the patterns can be looked for. MF_ERROR_CONFIG. */
gboolean mf_artifacts_check_patterns(char **patterns, GError **error);

/* 'workdir' is where relative patterns begin, 'directory' where the files go. 'qga' is referenced,
 * the rest borrowed for the object's life. */
MfArtifacts *
mf_artifacts_new(MfQga *qga, char **patterns, const char *workdir, const char *directory);

/* Ends with what is worth telling, in sentences: patterns that match nothing, files that had to be
 * left out. Owned by the caller. MF_ERROR_HOST when they cannot be written; MF_ERROR_GUEST when
 * they cannot be found; and the agent's failures. */
void mf_artifacts_copy_async(MfArtifacts *self, GCancellable *cancellable,
                             GAsyncReadyCallback callback, gpointer user_data);
gboolean mf_artifacts_copy_finish(MfArtifacts *self, GAsyncResult *result, GPtrArray **ret_notes,
                                  GError **error);
