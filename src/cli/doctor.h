/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* "mayfly doctor": says what this host lacks. 'argv' starts with the verb; the result is the exit
 * status. */
int mf_cli_doctor(int argc, char **argv);

/* Describes the verb (cli/syntax.h). */
void mf_cli_doctor_describe(GPtrArray *verbs);
