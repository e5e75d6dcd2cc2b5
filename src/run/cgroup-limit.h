/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* What is expected in 'file', one of those that mf_cgroup_limit_is_known(), in a guest with 'cpus'
 * processors, where 'value' is nothing that a kernel takes there: to be put behind "expected". NULL
 * when it is good, as far as can be told without the guest. Owned by the caller. */
char *mf_cgroup_limit_find_flaw(const char *file, const char *value, guint cpus);
