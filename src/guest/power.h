/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

enum mfg_power { MFG_POWER_OFF, MFG_POWER_REBOOT, MFG_POWER_HALT };

/* Writes file systems out and ends the machine, at once: it is thrown away afterwards. Returns only
 * when that failed, with errno. */
void mfg_power_end(enum mfg_power how);

/* What an init is asked for by that signal, in the dialects of busybox and of systemd. Returns
 * false for a signal that asks for nothing. */
bool mfg_power_of_signal(int number, enum mfg_power *ret_how);
