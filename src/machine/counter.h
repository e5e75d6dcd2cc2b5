/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

#include "machine/arch.h"

/* The cycle counter of an emulated processor, which QEMU makes of the host's. */

/*
 * Its rate in kHz, for a processor of 'guest_arch' on this host: whole MHz, so that it is the same
 * each time. 0 where the counter does not keep time: on x86 it does where the host's kernel takes
 * its own for a clock. Takes 2 ms, once.
 */
guint mf_counter_get_khz(MfArch guest_arch);

/* What that is made of: pure functions. Whether the counter is among the clocks that Linux says are
 * available; and the rate of one that went that far in that time, 0 for what cannot be. */
gboolean mf_counter_is_clock(const char *clocks);
guint mf_counter_judge(guint64 cycles, guint64 nanoseconds);
