/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* mayfly warm: the saved machines of the cache. 'argv' starts with the verb itself; the result is
 * the exit status. */
int mf_cli_warm(int argc, char **argv);
