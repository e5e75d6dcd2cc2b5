/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

/*
 * One of the caller's output descriptors, written without ever blocking the loop and without
 * touching the flags that other processes may share. Byte for byte, in order.
 */
#define MF_TYPE_OUTPUT (mf_output_get_type())
G_DECLARE_FINAL_TYPE(MfOutput, mf_output, MF, OUTPUT, GObject)

/* 'fd' is borrowed. */
MfOutput *mf_output_new(int fd);

/* Queues 'bytes' (referenced) and writes what can be written now. After "broken", nothing. */
void mf_output_write(MfOutput *self, GBytes *bytes);

/* Bytes that wait for the reader. Signal "drained" (): none any more. */
gsize mf_output_get_queued(MfOutput *self);

gboolean mf_output_is_broken(MfOutput *self);

/* Signal "broken" (): once; nobody reads any more (EPIPE), or writing failed. What was queued is
 * dropped. */
