/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * "mayfly-guest renew", in a copy of an image's saved system, before anything else: takes the
 * record on standard input (MF_CONF_ENTROPY, MF_CONF_TIME) into effect, and the file system that
 * the program was left in, at MF_GUEST_TOOLS, away. Returns an exit status; what went wrong is on
 * standard error.
 */
int mfg_renew_main(void);
