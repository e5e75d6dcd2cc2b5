/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

#include "machine/transcript.h"
#include "wire/transport.h"

/*
 * What the guest writes to its serial port, and the kernel log that comes as frames: the end of it
 * is kept in memory (MF_CONSOLE_KEEP bytes), all of it is passed on live.
 */
#define MF_TYPE_CONSOLE (mf_console_get_type())
G_DECLARE_FINAL_TYPE(MfConsole, mf_console, MF, CONSOLE, GObject)

#define MF_CONSOLE_KEEP     (10u << 20)
#define MF_CONSOLE_LINE_MAX 4096
#define MF_CONSOLE_TAIL_MAX (128u << 10)

/* Whose words they are: lines of one never mix with those of the other. */
typedef enum {
    MF_CONSOLE_SERIAL,     /* of the serial port */
    MF_CONSOLE_KERNEL_LOG, /* of the kernel's log, fed */
    MF_N_CONSOLE_SOURCES,
} MfConsoleSource;

/* 'transport' is referenced; it may be NULL for a console that is only fed. */
MfConsole *mf_console_new(MfTransport *transport);

/* Adds kernel log text that came another way than the serial port. */
void mf_console_feed(MfConsole *self, const void *data, gsize size);

/* There will be no more kernel log text. */
void mf_console_end_feed(MfConsole *self);

/* What is kept, as text. Borrowed. */
const MfTranscript *mf_console_get_transcript(MfConsole *self);

/* The same, copied, without a word on what is missing. Owned by the caller. */
GBytes *mf_console_get_kept(MfConsole *self);

/* What was said until now is from before this run: it was there when a machine was saved. */
void mf_console_mark(MfConsole *self);

/* The last 'lines' lines, of what this run has said if it has said anything (see
 * mf_console_mark()), valid UTF-8 without escape sequences and control characters, no final
 * newline; "" when there was nothing. Of lines that are more than MF_CONSOLE_TAIL_MAX bytes it has
 * the last ones, and says how many are missing. Owned by the caller. */
char *mf_console_get_tail(MfConsole *self, guint lines);

/* What follows 'text' on the last line that contains it, with 'text' itself, as plain as the tail;
 * NULL when no line does. Owned by the caller. */
char *mf_console_find_line(MfConsole *self, const char *text);

/* Whether what is kept contains 'text'. */
gboolean mf_console_contains(MfConsole *self, const char *text);

/* Signals:
 *   "output" (GBytes *bytes)      raw, as it comes
 *   "line"   (const char *line, guint source)
 *                                 each line when it is complete, as in the tail; what a line has
 *                                 beyond MF_CONSOLE_LINE_MAX bytes is left out; what a
 *                                 source ends with is a line too
 *   "ended"  ()                   of both sources: nothing follows */
