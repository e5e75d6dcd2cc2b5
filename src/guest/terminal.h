/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * A pseudo-terminal for a command.
 */

/* Opens a pair, both ends close-on-exec. Returns false with errno. */
bool mfg_terminal_open(uint16_t rows, uint16_t columns, int *ret_master, int *ret_slave);

void mfg_terminal_resize(int master, uint16_t rows, uint16_t columns);

/* What has to be written to 'master' for the reader to see an end of input, if it reads lines:
 * returns the number of bytes, 0 to 2. 'at_line_start': nothing, or a newline, was written last. */
int mfg_terminal_end_of_input(int master, bool at_line_start, uint8_t ret_bytes[2]);
