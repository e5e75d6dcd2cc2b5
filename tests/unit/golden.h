/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Compares 'text' with the file tests/golden/<name>; with MAYFLY_REGENERATE=1 in the environment
 * writes the file instead. A difference fails the test and prints both. */
void golden_assert(const char *name, const char *text);
