/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

/*
 * The caller's standard input, read only as far as somebody has room for it. The descriptor is
 * borrowed and its flags are left alone: it may be shared with other processes.
 */
#define MF_TYPE_INPUT (mf_input_get_type())
G_DECLARE_FINAL_TYPE(MfInput, mf_input, MF, INPUT, GObject)

/* Chunks are at most 'chunk_max' bytes. */
MfInput *mf_input_new(int fd, gsize chunk_max);

/* Allows 'bytes' more to be read. */
void mf_input_grant(MfInput *self, gsize bytes);

/* Reads no more. */
void mf_input_stop(MfInput *self);

/* Why it ended before its end: MF_ERROR_HOST (an I/O error, a directory), so that what was read is
 * not all of it. NULL at the end of the file, also where there could not be any. Borrowed. */
const GError *mf_input_get_error(MfInput *self);

/* Signals:
 *   "received" (GBytes *chunk)
 *   "ended"    ()               once: end of file or an error */
