/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* What a guest wrote, made fit for people: valid UTF-8 without escape sequences and without control
 * characters but newline and tab, so fit for a terminal and for XML too. A byte that is no UTF-8
 * becomes U+FFFD; a carriage return ends a line. Owned by the caller. */
char *mf_plain_text(const void *data, gsize size);
