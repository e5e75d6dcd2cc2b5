/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What the program does when it is invoked as "vmtest": options and habits of that tool. 'argv' is
 * the program's; the result is the exit status. */
int mf_cli_vmtest(int argc, char **argv);
