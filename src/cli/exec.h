/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* The verb 'exec': a command in a domain of libvirt's that is there already. See cli.h. */
int mf_cli_exec(int argc, char **argv);
void mf_cli_exec_describe(GPtrArray *verbs);
