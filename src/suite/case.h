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
    MfTarget *target;  /* owned */
    guint retries;     /* further attempts after one that did not pass */
    char *skip_reason; /* owned; a sentence: what it requires is missing here; NULL: it runs */
    char *file;        /* owned; where it is written */
    guint line;
} MfCase;

void mf_case_free(MfCase *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfCase, mf_case_free)
