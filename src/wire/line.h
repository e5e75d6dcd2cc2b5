/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * Bytes into lines, whatever the pieces they arrive in. A line ends with "\n" or "\r\n"; one that
 * is longer than the cap (terminator not counted) is an error that stays. The work is linear in
 * the bytes fed, whatever the pieces: nothing is searched twice.
 *
 * The guest agent marks the place from which its bytes can be trusted with a byte that no JSON
 * text contains; mf_line_framer_skip_to_sentinel() waits for it without keeping what it drops.
 */
typedef struct MfLineFramer MfLineFramer;

#define MF_LINE_SENTINEL 0xff

MfLineFramer *mf_line_framer_new(gsize line_max);
void mf_line_framer_free(MfLineFramer *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfLineFramer, mf_line_framer_free)

/* Takes in 'bytes' (copied). Call next until it returns NULL after each feed: only then is the
 * memory in use bounded by the cap. */
void mf_line_framer_feed(MfLineFramer *self, GBytes *bytes);

/* The next line without its terminator, *ret_length bytes and a NUL behind them, valid until the
 * next call of any function here. NULL without an error: no whole line is there yet. NULL with
 * MF_ERROR_PROTOCOL: the line is longer than the cap; so say all later calls. */
const char *mf_line_framer_next(MfLineFramer *self, gsize *ret_length, GError **error);

/* Drops what is there and what comes, up to and with the next sentinel. */
void mf_line_framer_skip_to_sentinel(MfLineFramer *self);
