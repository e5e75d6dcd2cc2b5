/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "cli/test-options.h"

/* mayfly test: the targets of a config file. 'argv' starts with the verb itself; the result is the
 * exit status. */
int mf_cli_test(int argc, char **argv);

/* The same, for options that have been read. */
int mf_test_run(const MfTestOptions *options);
