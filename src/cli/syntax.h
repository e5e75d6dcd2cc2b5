/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <json.h>

/*
 * What can be written on mayfly's command line, as the verbs' own option tables say it: the manual
 * page and the shells' completions are made from this, so that neither can miss an option.
 */
typedef struct {
    char *name;        /* owned; "run", "kernel pull" */
    char *operands;    /* owned; what follows the options: "[--] COMMAND..."; "" for nothing */
    char *summary;     /* owned; a sentence */
    char *description; /* owned; paragraphs; or NULL */
    GArray *options;   /* owned; of GOptionEntry with static texts, whose targets are not valid */
} MfSyntax;

/* An array of MfSyntax, to be described into. Owned by the caller. */
GPtrArray *mf_syntax_new(void);

/* Adds a verb. 'entries' are of GOptionEntry, with static texts; hidden ones are left out. */
void mf_syntax_add(GPtrArray *verbs, const char *name, const char *operands, const char *summary,
                   const char *description, const GArray *entries);

/* An array of {"name", "operands", "summary", "description", "options": [{"long", "short", "value",
 * "several", "help"}]}: "value" is null for an option that takes none, "several" says whether it
 * can be given more than once. Owned by the caller. */
json_object *mf_syntax_to_json(const GPtrArray *verbs);
