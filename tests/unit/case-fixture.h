/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "suite/case.h"

/* An array of cases that owns them. */
GPtrArray *case_array_new(void);

/* Adds a case with a default target; 'tags' are separated by spaces. Returns it, borrowed. */
MfCase *case_array_add(GPtrArray *cases, const char *name, const char *tags);
