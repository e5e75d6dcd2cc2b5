/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* The verb 'mayfly config': argv[0] is "config". Returns the exit status: 0, 2 (wrong use), 69 (the
 * host failed) or 78 (the config file, a variable or a setting is wrong). */
int mf_cli_config(int argc, char **argv);

/* Describes the verb (cli/syntax.h). */
void mf_cli_config_describe(GPtrArray *verbs);
