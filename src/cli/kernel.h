/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* The verb 'mayfly kernel': argv[0] is "kernel", argv[1] names what to do. Returns the exit
 * status: 0, 2 (wrong use, or nothing by that name), 69 (apt, the network or this host failed), or
 * 128 + N when signal N ended it. */
int mf_cli_kernel(int argc, char **argv);

/* Describes its verbs (cli/syntax.h). */
void mf_cli_kernel_describe(GPtrArray *verbs);
