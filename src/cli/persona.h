/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* The verb 'mayfly persona': argv[0] is "persona", argv[1] names what to do. Returns the exit
 * status: 0, 2 (wrong use, or no such persona), 78 (one is wrong). */
int mf_cli_persona(int argc, char **argv);

/* Describes its verbs (cli/syntax.h). */
void mf_cli_persona_describe(GPtrArray *verbs);
