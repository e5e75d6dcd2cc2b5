/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

#include "run/target.h"

/* A target of the config file, one combination of the matrix, ready to be run. */
typedef struct {
    char *name;        /* owned; the target's, with the matrix's values behind it; unique */
    char *id;          /* owned; the name as letters, digits, '.', '_' and '-', fit for a file;
                        * unique, and the same in every run */
    char **tags;       /* owned; may be NULL */
    char *persona;     /* owned; the id of the persona that it is run on; or NULL */
    MfTarget *target;  /* owned */
    guint retries;     /* further attempts after one that did not pass */
    char *skip_reason; /* owned; a sentence: what it requires is missing here; NULL: it runs */
    char *file;        /* owned; where it is written */
    guint line;
} MfCase;

/* The longest id: a file's name with room for a suffix. */
#define MF_CASE_ID_MAX 120

/* The id of the case called 'name': the name itself where that is fit for a file and no longer than
 * MF_CASE_ID_MAX, else what is fit of it and a hash of the whole. It depends on nothing else, so no
 * other case can change it. Owned by the caller. */
char *mf_case_make_id(const char *name);

/* The name without what the matrix adds to it for the persona: "boot [kernel=6.1]" of
 * "boot [kernel=6.1, persona=qemu-pc]". 'persona' is NULL for none. Owned by the caller. */
char *mf_case_make_scenario(const char *name, const char *persona);

void mf_case_free(MfCase *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfCase, mf_case_free)
