/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

/*
 * One of the caller's output descriptors, written without ever blocking the loop and without
 * touching the flags that other processes may share. Byte for byte, in order. Or nothing of the
 * caller's: a sink, for whoever takes what is written from the signal "written".
 */
#define MF_TYPE_OUTPUT (mf_output_get_type())
G_DECLARE_FINAL_TYPE(MfOutput, mf_output, MF, OUTPUT, GObject)

/* 'fd' is borrowed. */
MfOutput *mf_output_new(int fd);

/* Never has anything queued, and never breaks. */
MfOutput *mf_output_new_sink(void);

/* Queues 'bytes' (referenced, or copied where they are few) and writes what can be written now.
 * After "broken", nothing. What waits takes about the memory that it has bytes. */
void mf_output_write(MfOutput *self, GBytes *bytes);

/* Bytes that wait for the reader. Signal "drained" (): none any more. */
gsize mf_output_get_queued(MfOutput *self);

gboolean mf_output_is_broken(MfOutput *self);

/* Why it is broken: NULL when nobody reads any more, which is the reader's right; else
 * MF_ERROR_HOST (no space, an I/O error): what was written is incomplete. Borrowed. */
const GError *mf_output_get_error(MfOutput *self);

/* Signal "written" (GBytes *chunk): each chunk, before it goes anywhere.
 * Signal "broken" (): once; nobody reads any more (EPIPE), or writing failed. What was queued is
 * dropped. */
