/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "wire/transport.h"

/*
 * A transport whose peer is a function that is called: with each line that is sent, one at a time
 * and in order, on a thread of its own, since the call may block. What it returns is received as a
 * line. So a client of a protocol of lines need not know that its lines travel as another program's
 * calls.
 */
#define MF_TYPE_LINE_CALLER (mf_line_caller_get_type())
G_DECLARE_FINAL_TYPE(MfLineCaller, mf_line_caller, MF, LINE_CALLER, GObject)

/* Answers 'line' (without its end). NULL: there is no answer. Owned by the caller. */
typedef char *(*MfLineAnswer)(const char *line, gpointer peer);

/* Lines wait until mf_line_caller_start(). */
MfLineCaller *mf_line_caller_new(void);

/* From here on 'answer' is called with lines, those that wait first. 'peer' is taken, and freed
 * with 'free_peer' when no call needs it any more. Once. */
void mf_line_caller_start(MfLineCaller *self, MfLineAnswer answer, gpointer peer,
                          GDestroyNotify free_peer);

/* While the peer is 'held' nothing is called: lines wait. */
void mf_line_caller_hold(MfLineCaller *self, gboolean held);

/* A line (without its end) that the peer says unasked. Not from inside a signal of this object. */
void mf_line_caller_receive(MfLineCaller *self, const char *line);

/* The peer is gone: "closed" with a copy of 'reason'. */
void mf_line_caller_hang_up(MfLineCaller *self, const GError *reason);
