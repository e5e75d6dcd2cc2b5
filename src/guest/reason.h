/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * Where a step that fails puts the one sentence that the host will show.
 */
struct mfg_reason {
    char *text; /* borrowed */
    size_t size;
};

/* Writes the sentence, cut to what fits and always terminated. Returns false, for the caller to
 * return in turn. errno is left as it was. */
bool mfg_fail(const struct mfg_reason *reason, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
