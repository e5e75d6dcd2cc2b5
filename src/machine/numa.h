/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/argv.h"

/* A node of the guest's memory. */
typedef struct {
    guint64 memory; /* bytes; 0 for a node of CPUs only */
    char *cpus;     /* owned; "0-3" or "4"; NULL for a node without CPUs */
} MfNumaNode;

/* What QEMU takes. */
#define MF_NUMA_NODES_MAX 128

MfNumaNode *mf_numa_node_new(guint64 memory, const char *cpus);
MfNumaNode *mf_numa_node_copy(const MfNumaNode *self);
void mf_numa_node_free(MfNumaNode *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfNumaNode, mf_numa_node_free)

/* Reads a --numa value, "MEMORY[,cpus=FIRST[-LAST]]", where a bare number is MiB.
 * MF_ERROR_CONFIG. */
MfNumaNode *mf_numa_node_parse(const char *text, GError **error);

/* All memory of 'nodes' (of MfNumaNode), in bytes. */
guint64 mf_numa_get_memory(const GPtrArray *nodes);

/* Whether a machine with 'cpus' CPUs can have these nodes: each CPU is in one of them, or none is
 * in any (QEMU spreads them then), and the first node has memory, which the kernel starts in; all
 * memory in whole MiB. MF_ERROR_CONFIG. */
gboolean mf_numa_check(const GPtrArray *nodes, guint cpus, GError **error);

/* 'shared': for a daemon that reads and writes the guest's memory. */
void mf_numa_add_to_argv(const GPtrArray *nodes, gboolean shared, MfArgv *argv);
