/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <json.h>

/*
 * What the kernel counts of a control group, as JSON.
 */

/* The numbers in a file of the kernel's: one alone, as that; "key number" lines as an object of
 * numbers; "key name=number ..." lines as an object of objects. What is no number ("max") is left
 * out. NULL when nothing is there. */
json_object *mfg_cgroup_stat_parse(const char *text);

/* An object with a member for each statistics file that the group at 'directory_fd' has: processor
 * time, memory, processes, input and output, and the pressure of those. What it counts is since the
 * group was made. NULL without memory. */
json_object *mfg_cgroup_stat_read(int directory_fd);
