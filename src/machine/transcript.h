/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * What a guest said on one channel, as text: valid UTF-8, of which the last 'cap' bytes are kept,
 * however much it is. Places in it are counted from the very beginning, so they stay what they are
 * when the beginning is let go of.
 */
typedef struct _MfTranscript MfTranscript;

/* Old text is let go of when this part of the cap, one in eight, is over it: so much more memory
 * than the cap may be in use. */
#define MF_TRANSCRIPT_SLACK 8

MfTranscript *mf_transcript_new(gsize cap);
void mf_transcript_free(MfTranscript *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfTranscript, mf_transcript_free)

/* Bytes that are no UTF-8, and zeros, become U+FFFD, one each; a character may come in parts.
 * Ignored after the end. */
void mf_transcript_feed(MfTranscript *self, const void *data, gsize size);

/* There is no more: what came after the last newline is a line now too, and a character that is not
 * complete never will be. */
void mf_transcript_end(MfTranscript *self);
gboolean mf_transcript_has_ended(const MfTranscript *self);

/* How many bytes of the text are not kept: the same for any way in which they came. */
guint64 mf_transcript_get_elided(const MfTranscript *self);

/* What is kept. *ret_size may be NULL. Borrowed until the next change; not terminated. */
const char *mf_transcript_get_kept(const MfTranscript *self, gsize *ret_size);

/* The same as a text, which says at its beginning how much of it is missing, if any is. Owned by
 * the caller. */
char *mf_transcript_get_text(const MfTranscript *self);

/* The place that the text has reached. */
guint64 mf_transcript_get_place(const MfTranscript *self);

/* Where the last 'lines' lines of what is kept, and is not before the place 'from', begin: without
 * empty ones behind them, and whether the last one is complete or not. Borrowed until the next
 * change; *ret_size is the length without the end of the last line. */
const char *
mf_transcript_get_tail(const MfTranscript *self, guint64 from, guint lines, gsize *ret_size);

typedef enum {
    MF_TRANSCRIPT_FOUND,
    MF_TRANSCRIPT_AWAITED, /* not yet: more may come */
    MF_TRANSCRIPT_MISSED,  /* the text has ended */
} MfTranscriptMatch;

/* Looks for the first complete line from the place *cursor on, 0 at first, that contains 'text'.
 * *ret_line is that line without its end, owned by the caller, and *cursor the place behind it, so
 * that with one cursor each line is found after the last. Without a match *cursor is where the next
 * search has to go on, and *ret_line is not written. What is not kept any more is not found. */
MfTranscriptMatch mf_transcript_find_line(const MfTranscript *self, const char *text,
                                          guint64 *cursor, char **ret_line);
