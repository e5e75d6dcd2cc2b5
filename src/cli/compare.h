/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* "mayfly compare": what changed between two results of a suite. 'argv' starts with the verb; the
 * result is the exit status. */
int mf_cli_compare(int argc, char **argv);
void mf_cli_compare_describe(GPtrArray *verbs);
