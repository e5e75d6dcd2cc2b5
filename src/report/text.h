/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * What a guest wrote, made fit for people and for files that are text: it may be binary, and it
 * may be written to deceive whoever shows it.
 */

/* Valid UTF-8 without escape sequences and without control characters but newline and tab, so
 * fit for a terminal and for XML too. A byte that is no UTF-8 becomes U+FFFD; a carriage return
 * ends a line. Owned by the caller. */
char *mf_text_clean(const void *data, gsize size);

/* The same in one line: every newline and tab is a space. Owned by the caller. */
char *mf_text_clean_line(const char *text);

/* Where the last 'lines' lines of 'text' begin, whether its last one ends with a newline or not.
 * Borrowed from 'text'. */
const char *mf_text_last_lines(const char *text, guint lines);

/* Appends 'text' line by line, each with 'prefix' before it and a newline behind it. */
void mf_text_append_indented(GString *to, const char *prefix, const char *text);

/* "1 target", "2 targets". Owned by the caller. */
char *mf_text_count(guint64 count, const char *noun);

/* A point in time, microseconds since 1970, in ISO 8601: "2026-11-21T14:00:00.123Z". Owned by the
 * caller. */
char *mf_text_time(gint64 wall_time_us);
