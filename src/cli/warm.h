/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* mayfly warm: the saved machines of the cache. 'argv' starts with the verb itself; the result is
 * the exit status. */
int mf_cli_warm(int argc, char **argv);

/* Describes its verbs (cli/syntax.h). */
void mf_cli_warm_describe(GPtrArray *verbs);
