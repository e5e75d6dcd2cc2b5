/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "cli/verb-options.h"

/* A verb of a verb: "pull" of 'mayfly kernel'. All of it is static. */
typedef struct _MfSubverb MfSubverb;

struct _MfSubverb {
    const char *program; /* "mayfly kernel pull"; its last word is the name */
    MfOperands operands;
    const char *summary;     /* a phrase of a list: "fetch a kernel with its modules" */
    const char *description; /* paragraphs; or NULL */
    guint options;           /* which it has: flags of the verb's own */
    /* 'argv' starts with the name; the result is the exit status. */
    int (*run)(const MfSubverb *self, int argc, char **argv);
};

/* Runs the one of 'subverbs' that argv[1] names; argv[0] is the verb. The last of them has no
 * program. --help lists them, with 'text', a paragraph, above (NULL for none); so does the standard
 * error where the name is missing. A wrong name is reported here. */
int mf_subverbs_run(const MfSubverb *subverbs, const char *text, int argc, char **argv);

/* Options with the verb's texts, and what goes to *ret_words: see mf_verb_options_new(). Owned by
 * the caller. */
MfVerbOptions *mf_subverb_new_options(const MfSubverb *self, char ***ret_words);
