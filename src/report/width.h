/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * Columns that text takes on a terminal: none for a combining character, two for an ideograph, and
 * up to the next multiple of 8 for a tab.
 */

/* Of one line of valid UTF-8 without control characters but tab. */
guint mf_width_of(const char *line);

/* As much of the beginning of 'line' as fits into 'columns', tabs as spaces. Owned by the caller.
 */
char *mf_width_cut(const char *line, guint columns);

/* The same line, with '...' for its middle when it does not fit into 'columns': both ends of a name
 * tell it from others. It has no tabs. Owned by the caller. */
char *mf_width_shorten(const char *line, guint columns);
