/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * The words of a command line as GOption understands them: it knows "-j 4", but not "-j4", which
 * make, ninja and getopt have taught everybody.
 */

/* What is known of the options so far: an array of GOptionEntry with borrowed texts, which the
 * caller unrefs. */
GArray *mf_option_words_new(void);

/* Adds 'entries', which end with an empty one, to the group and to 'known'. */
void mf_option_words_add(GArray *known, GOptionGroup *group, const GOptionEntry *entries);

/* For an option that counts how often it is given, in the int that is the group's data. */
gboolean mf_option_words_count(const char *name, const char *value, gpointer data, GError **error);

/* A copy of 'argv', NULL-terminated and owned by the caller, in which a value that sticks to its
 * one-letter option is a word of its own. With 'strict', options end at the first operand; they end
 * at "--" always. The program's name, argv[0], is left alone. */
char **mf_option_words_split(const GArray *known, int argc, char **argv, gboolean strict);
