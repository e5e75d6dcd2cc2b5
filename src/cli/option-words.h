/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * The words of a command line as GOption understands them: it knows "-j 4", but not "-j4", which
 * make, ninja and getopt have taught everybody.
 */

/* Whether the option has a value, which may be the next word. */
gboolean mf_option_takes_value(const GOptionEntry *entry);

/* A copy of 'argv', NULL-terminated and owned by the caller, in which a value that sticks to its
 * one-letter option is a word of its own. 'entries' (of GOptionEntry) are the options that there
 * are. With 'strict', options end at the first operand; they end at "--" always. The program's
 * name, argv[0], is left alone. */
char **mf_option_words_split(const GArray *entries, int argc, char **argv, gboolean strict);
