/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Loads the modules that the file 'list' names, one absolute path a line, in that order, and
 * removes them and the list: they are in the initramfs, where a file is memory, and not needed
 * twice. A module that does not load is logged and the next one tried, since only the mount or the
 * port that needs it can say whether it matters. Does nothing when there is no list. */
void mfg_modules_load(const char *list);
