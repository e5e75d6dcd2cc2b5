/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* "mayfly report": what is done with the results of suites. 'argv' starts with the verb itself; the
 * result is the exit status. */
int mf_cli_report(int argc, char **argv);

/* Describes its verbs (cli/syntax.h). */
void mf_cli_report_describe(GPtrArray *verbs);
