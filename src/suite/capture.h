/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * One stream of a case on its way past: how much it was, its last bytes (MF_OUTCOME_TAIL), and the
 * first of them, or all, in a file. However much a guest writes, it does not take the memory of the
 * others.
 */
typedef struct _MfCapture MfCapture;

/* What a file takes of a command's stream. */
#define MF_CAPTURE_FILE_MAX (G_GUINT64_CONSTANT(64) << 20)

/* 'path' is written anew, with the directories above it; NULL for no file. It takes 'file_max'
 * bytes; G_MAXUINT64 is all of them. MF_ERROR_HOST. */
MfCapture *mf_capture_new(const char *path, guint64 file_max, GError **error);
void mf_capture_free(MfCapture *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfCapture, mf_capture_free)

/* A file that cannot be written is told of once (g_message), and left as it is. */
void mf_capture_write(MfCapture *self, GBytes *bytes);

/* Ends the file: what it has no room for is told at its end. */
void mf_capture_close(MfCapture *self);

/* All bytes, and the last of them; NULL when there were none. Owned by the caller. */
guint64 mf_capture_get_size(const MfCapture *self);
GBytes *mf_capture_get_tail(const MfCapture *self);
