/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The upper layer of an overlay, while the overlay is not mounted yet. A directory that is put
 * there by then need not be copied up later, for which the kernel makes a temporary one and moves
 * it: under emulation that takes longer than everything else that is done for a mount point.
 */

/* Makes the directories of 'path' (absolute) in the layer 'upper', with the owner and mode that
 * they have in 'lower' where they are there too. Stops at what is not a plain directory there, and
 * at one with extended attributes: that is for the overlay to copy. */
void mfg_upper_make_dirs(const char *lower, const char *upper, const char *path);
