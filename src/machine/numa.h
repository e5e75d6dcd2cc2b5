/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* A node of the guest's memory. */
typedef struct {
    guint64 memory; /* bytes; 0 for a node of CPUs only */
    char *cpus;     /* owned; "0-3" or "4"; NULL for a node without CPUs */
} MfNumaNode;

MfNumaNode *mf_numa_node_new(guint64 memory, const char *cpus);
void mf_numa_node_free(MfNumaNode *self);
