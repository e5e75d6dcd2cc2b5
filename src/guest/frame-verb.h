/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* "mayfly-guest frame [--socket SOCKET] VERB ...": sends one frame of a scenario through the door
 * that guest/scenario.h keeps open, and waits for the answer. 'arguments' are those behind "frame".
 * Returns the exit status: 0, 1 when it was refused, did not work out or could not be sent, and 2
 * for a wrong command line, with one sentence on standard error. */
int mfg_frame_verb_main(char **arguments);
