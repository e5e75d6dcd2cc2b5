/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <json.h>

#include "suite/origin.h"

/*
 * Variables in the strings of a config file: {{name}} stands for the value of 'name', and {{{{ for
 * two braces. Of an odd number of braces the first one is itself: "{{{name}}" is "{" and a value.
 * A name has letters, digits, '_', '-' and '.'; env.NAME is a variable of the environment.
 *
 * A variable may be a text that has variables in it. What a value brings along is never read again.
 */
typedef struct _MfVariables MfVariables;

/* How far variables may refer to variables. */
#define MF_VARIABLES_DEPTH_MAX 32
/* Bytes that a string may grow to. */
#define MF_VARIABLES_TEXT_MAX (1u << 20)

/* 'environment' (NAME=VALUE, borrowed) is what env.NAME reads. */
MfVariables *mf_variables_new(char **environment);
void mf_variables_free(MfVariables *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfVariables, mf_variables_free)

/* Gives 'name' a value, which is no text with variables; NULL: it has none, and using it is an
 * error that says so. Replaces what 'name' was. */
void mf_variables_set(MfVariables *self, const char *name, const char *value);

/* Makes 'name' a text with variables: a string of the file, of which a reference is kept. */
void mf_variables_set_text(MfVariables *self, const char *name, json_object *text);

/* 'name' gets its value later. As long as there is such a name, what the functions below return is
 * a text with variables again: {{name}} is still in it, and {{{{ for braces that are meant. */
void mf_variables_defer(MfVariables *self, const char *name);

/* Adds those of a [variables] table, each a string. MF_ERROR_CONFIG at the place of what is no
 * table or no string, has no proper name, or is named like one of those set before. */
gboolean mf_variables_add_table(MfVariables *self, json_object *table, GError **error);

/* The same for all of env.NAME. */
void mf_variables_defer_environment(MfVariables *self);

/* Whether the variables of 'table', which were added, refer to no variable that refers to itself,
 * used or not. MF_ERROR_CONFIG at the place where the circle closes. */
gboolean mf_variables_check_cycles(MfVariables *self, json_object *table, GError **error);

/* The text with its variables replaced, owned by the caller. MF_ERROR_CONFIG, at 'origin' or at the
 * place of the variable that is wrong: unknown, refers to itself, grows past a limit. */
char *
mf_variables_expand(MfVariables *self, const char *text, const MfOrigin *origin, GError **error);

/* A copy of 'tree' with the variables of all its strings (not of its keys) replaced and the origins
 * kept. Owned by the caller. A NULL tree is a null, which TOML has not, and gives NULL; look at
 * 'error' to tell. */
json_object *mf_variables_expand_tree(MfVariables *self, json_object *tree, GError **error);

/* The text with variables that stands for 'plain'. Owned by the caller. */
char *mf_variables_escape(const char *plain);

/* What 'text' stands for if no variables are in it, else NULL. Owned by the caller. */
char *mf_variables_unescape(const char *text);
