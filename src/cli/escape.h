/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * The way out of a raw terminal, where Ctrl-C is the guest's: Ctrl-] three times within a second,
 * as systemd-nspawn has it. The bytes are looked at, not taken: whoever wants one Ctrl-] has it.
 */
#define MF_ESCAPE_BYTE   0x1d
#define MF_ESCAPE_TIMES  3
#define MF_ESCAPE_WITHIN G_USEC_PER_SEC

/* All zero at first. */
typedef struct {
    guint times;
    gint64 started; /* when the first of them came */
} MfEscape;

/* Returns TRUE when 'data', typed at 'now' (microseconds, monotonic), completes the escape. */
gboolean mf_escape_feed(MfEscape *self, const guint8 *data, gsize size, gint64 now);
