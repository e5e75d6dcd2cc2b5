/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* What a guest wrote, made fit for people: valid UTF-8 without escape sequences and without control
 * characters but newline and tab, so fit for a terminal and for XML too. A byte that is no UTF-8
 * becomes U+FFFD; a carriage return ends a line. Owned by the caller. */
char *mf_plain_text(const void *data, gsize size);

/* The same as one line for a sentence: each newline and tab is a space, there are none at its
 * ends, and it has at most 'max' bytes. Owned by the caller. */
char *mf_plain_line(const void *data, gsize size, gsize max);

/* Cuts valid UTF-8 after at most 'max' bytes, at the border of a character. */
void mf_plain_cut(char *text, gsize max);
