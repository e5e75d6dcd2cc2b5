/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * What may be written behind one verb, "mayfly test" or "mayfly kernel pull": its options, and the
 * operands that follow them. --help and 'mayfly syntax' show it, and words are read by it.
 */
typedef struct _MfVerbOptions MfVerbOptions;

/* How many operands a verb takes. */
typedef struct {
    const char *shown;  /* static; behind the options: "OLD NEW"; NULL for a verb that takes none */
    const char *needed; /* static; what they are, for when there are more or less: "two results";
                         * may be NULL where none has to be there */
    guint min, max;
} MfOperands;

/* 'program' is "mayfly VERB"; 'summary' is a sentence, 'description' paragraphs, or NULL. Owned by
 * the caller. */
MfVerbOptions *
mf_verb_options_new(const char *program, const char *summary, const char *description);

void mf_verb_options_free(MfVerbOptions *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfVerbOptions, mf_verb_options_free)

/* Adds 'entries', which end with an empty one; their texts are borrowed. */
void mf_verb_options_add(MfVerbOptions *self, const GOptionEntry *entries);

/* Adds -v, which may be given more than once: *level (borrowed) counts how often it is. */
void mf_verb_options_add_verbose(MfVerbOptions *self, int *level);

/* What is no option goes to *ret_words, which the caller frees with g_strfreev(): NULL for none. */
void
mf_verb_options_add_operands(MfVerbOptions *self, const MfOperands *operands, char ***ret_words);

/* Options end at the first operand: what follows is the options of another program. */
void mf_verb_options_end_at_operand(MfVerbOptions *self);

/* Reads the words behind argv[0]. MF_ERROR_CONFIG, a sentence for who wrote them; --help prints and
 * exits. */
gboolean mf_verb_options_read(MfVerbOptions *self, int argc, char **argv, GError **error);

/* The same for who has nothing to add: FALSE has been reported. */
gboolean mf_verb_options_parse(MfVerbOptions *self, int argc, char **argv);

/* Describes the verb (cli/syntax.h). */
void mf_verb_options_describe(const MfVerbOptions *self, GPtrArray *verbs);
