/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * A part of a kernel's configuration, that other configurations are changed by: lines
 * "CONFIG_X=value" and "# CONFIG_X is not set", and comments.
 */

/* 'base' with what 'fragment' says of its options in the place of what it said itself. Owned by the
 * caller. */
char *mf_kernel_fragment_merge(const char *base, const char *fragment);

/* The options that 'fragment' sets and 'config' does not have with that value, as
 * "CONFIG_X=value"; a module will do where 'y' is wanted. What the fragment switches off is a wish,
 * and does not count. Of strings, owned by the caller. */
GPtrArray *mf_kernel_fragment_unmet(const char *fragment, const char *config);
