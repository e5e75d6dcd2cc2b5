/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

/* CLOCK_MONOTONIC, in microseconds and in milliseconds. */
int64_t mfg_clock_us(void);
int64_t mfg_clock_ms(void);
