/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include "guest/children.h"

/*
 * Signals 'command' (0: it has exited), all its descendants and all orphans. It reaches whoever
 * left the command's process group, because this process is PID 1 or a subreaper, where orphans end
 * up. The other children that somebody waits for are spared, with their descendants. Returns how
 * many there were: with processes that fork meanwhile it takes several rounds until that is 0. With
 * signal 0 they are only counted.
 */
size_t mfg_descendants_signal(const struct mfg_children *children, pid_t command, int number);
