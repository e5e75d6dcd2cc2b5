/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * The options of one verb: what "mayfly VERB --help" shows, and how its words are read. For verbs
 * whose options are all in one table.
 */

/* 'entries' end with an empty one, and are added to 'known'; their texts are borrowed, as is
 * 'description'. 'operands' is NULL for a verb that shows none. Owned by the caller. */
GOptionContext *
mf_verb_options_new(GArray *known, const char *verb, const char *operands,
                    const GOptionEntry *entries, const char *summary, const char *description);

/* Reads the words behind argv[0] as 'program' ("mayfly VERB"). FALSE when they are wrong, which is
 * reported here. */
gboolean mf_verb_options_parse(GOptionContext *context, const GArray *known, const char *program,
                               int argc, char **argv);
