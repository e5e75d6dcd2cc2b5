/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * How many VMs this host carries at once.
 */
typedef struct {
    guint cpus;     /* that this process may run on */
    guint64 memory; /* bytes that are free for VMs; G_MAXUINT64 when nothing says */
} MfCapacity;

/* From the CPU affinity, /proc/meminfo, and the limit of the control group. */
void mf_capacity_probe(MfCapacity *ret_capacity);

/* "MemAvailable:" of a /proc/meminfo, in bytes; 0 when it does not say. */
guint64 mf_capacity_parse_meminfo(const char *text);

/* What of the host's memory is to be counted for each of 'cases' (of MfCase), in bytes. */
guint64 mf_jobs_cost(const GPtrArray *cases);

/* From 1 to 'n_cases': a VM for each CPU, as far as 'cost' bytes for each fit into the memory. */
guint mf_jobs_choose(const MfCapacity *capacity, guint64 cost, guint n_cases);
