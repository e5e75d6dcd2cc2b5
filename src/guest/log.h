/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What went wrong beside the protocols: one line each, "mayfly-guest: ...". To standard error at
 * first; as PID 1 to the kernel log as errors, which even a quiet console shows.
 */

/* From now on lines go to /dev/kmsg. Does nothing when that cannot be opened. */
void mfg_log_to_kernel(void);

/* One line, without the newline. */
void mfg_log(const char *format, ...) __attribute__((format(printf, 1, 2)));
