/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * The name that somebody gives to a payload's control group, and the limits that can be set there.
 * No GLib here: the host checks them before anything boots, and the guest does before it believes
 * the host.
 */
#define MF_CGROUP_NAME_MAX 1024

/* NULL when the name is good; then *ret_name (or NULL) is where it starts behind its leading
 * slashes, in 'name', which makes "/a" and "a" the same. Otherwise what is wrong, to be put behind
 * "the cgroup name ...": a byte that is NUL, nothing but slashes, a ".." among its parts, or more
 * than MF_CGROUP_NAME_MAX bytes. They are looked for in this order. */
const char *mf_cgroup_name_problem(const char *name, size_t length, const char **ret_name);

/* Whether that is one of the files by which a payload can be limited. */
bool mf_cgroup_limit_is_known(const char *file, size_t length);
