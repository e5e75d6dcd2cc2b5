/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

/*
 * The standard streams of a program that is to be started, by their numbers: our ends of them, and
 * its own, which are closed once it has them. All descriptors are close-on-exec; -1 is none.
 */
struct mfg_ends {
    int ours[3], its[3];
};

#define MFG_ENDS_NONE ((struct mfg_ends){{-1, -1, -1}, {-1, -1, -1}})

/* Gives the program a pipe, to read from if 'stream' is 0; or the null device, of which there is no
 * end for us. Returns false with errno. */
bool mfg_ends_open_pipe(struct mfg_ends *ends, int stream);
bool mfg_ends_open_null(struct mfg_ends *ends, int stream);

/* Hands over our end of that stream; -1 when there is none. */
int mfg_ends_take(struct mfg_ends *ends, int stream);

/* Closes those that are left; errno is kept. */
void mfg_ends_clear(struct mfg_ends *ends);
