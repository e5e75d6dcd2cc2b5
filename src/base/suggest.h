/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* The one of 'candidates' (NULL-terminated) that 'word' is most likely a misspelling of: at most a
 * third of its letters left out, added, replaced or swapped with their neighbour; of at most three
 * letters the first one is right, or swapped. The first of several that are as near. Borrowed; NULL
 * when none is near. */
const char *mf_suggest(const char *word, const char *const *candidates);
