/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "run/exec.h"
#include "run/stdio.h"
#include "run/stream.h"
#include "wire/qga.h"

/*
 * A command whose standard streams are frames. Its exit is reported twice, by frame and by
 * guest-exec-status, and the two must agree; either alone is enough when the other's channel is
 * lost.
 */
#define MF_TYPE_EXEC_STREAM (mf_exec_stream_get_type())
G_DECLARE_FINAL_TYPE(MfExecStream, mf_exec_stream, MF, EXEC_STREAM, MfExec)

/* How long output is awaited after the exit when something still holds it open. */
#define MF_EXEC_STREAM_OUTPUT_WAIT_MS 1000

/* 'record' is the command record. All are referenced, 'stdio' is borrowed for the object's life. */
MfExec *mf_exec_stream_new(MfQga *qga, MfStream *stream, MfStdio *stdio, GBytes *record);
