/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/numa.h"

#include <string.h>

#include "base/error.h"
#include "base/parse.h"

#define CPUS_KEY ",cpus="

MfNumaNode *
mf_numa_node_new(guint64 memory, const char *cpus)
{
    MfNumaNode *self = g_new0(MfNumaNode, 1);

    self->memory = memory;
    self->cpus = g_strdup(cpus);
    return self;
}

MfNumaNode *
mf_numa_node_copy(const MfNumaNode *self)
{
    return mf_numa_node_new(self->memory, self->cpus);
}

void
mf_numa_node_free(MfNumaNode *self)
{
    if (!self)
        return;
    g_free(self->cpus);
    g_free(self);
}

/* "3" or "0-3". */
static gboolean
parse_cpus(const char *text, guint *ret_first, guint *ret_last, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(text, "-", 2);
    guint64 first = 0, last = 0;

    if (!mf_parse_uint(parts[0] ? parts[0] : "", "CPU of a NUMA node", 0, G_MAXUINT16, &first,
                       error) ||
        !mf_parse_uint(parts[0] && parts[1] ? parts[1] : parts[0], "CPU of a NUMA node", first,
                       G_MAXUINT16, &last, error))
        return FALSE;
    *ret_first = (guint)first;
    *ret_last = (guint)last;
    return TRUE;
}

MfNumaNode *
mf_numa_node_parse(const char *text, GError **error)
{
    const char *comma = strchr(text, ',');
    g_autofree char *size = comma ? g_strndup(text, (gsize)(comma - text)) : g_strdup(text);
    const char *cpus = comma && g_str_has_prefix(comma, CPUS_KEY) ? comma + strlen(CPUS_KEY) : NULL;
    guint64 memory;
    guint first, last;

    if (comma && !cpus) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "'%s' is not a NUMA node: expected MEMORY[,cpus=FIRST[-LAST]].", text);
        return NULL;
    }
    if (!mf_parse_size(size, MF_MIB, &memory, error) ||
        (cpus && !parse_cpus(cpus, &first, &last, error)))
        return NULL;
    return mf_numa_node_new(memory, cpus);
}

guint64
mf_numa_get_memory(const GPtrArray *nodes)
{
    guint64 sum = 0;

    for (guint i = 0; i < nodes->len; i++)
        sum += ((const MfNumaNode *)g_ptr_array_index(nodes, i))->memory;
    return sum;
}

/* Notes in 'owned' which CPUs are the node's. */
static gboolean
take_cpus(const MfNumaNode *node, gboolean *owned, guint cpus, GError **error)
{
    guint first, last;

    if (!parse_cpus(node->cpus, &first, &last, error))
        return FALSE;
    for (guint cpu = first; cpu <= last; cpu++) {
        if (cpu >= cpus || owned[cpu]) {
            g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                        cpu >= cpus ? "A NUMA node has CPU %u, and the machine has only %u CPUs "
                                      "(from 0)."
                                    : "CPU %u of %u is in two NUMA nodes.",
                        cpu, cpus);
            return FALSE;
        }
        owned[cpu] = TRUE;
    }
    return TRUE;
}

static gboolean
check_cpus(const GPtrArray *nodes, guint cpus, GError **error)
{
    g_autofree gboolean *owned = g_new0(gboolean, cpus);
    gboolean any = FALSE;

    for (guint i = 0; i < nodes->len; i++) {
        const MfNumaNode *node = g_ptr_array_index(nodes, i);

        if (node->cpus && !take_cpus(node, owned, cpus, error))
            return FALSE;
        any = any || node->cpus;
    }
    for (guint cpu = 0; any && cpu < cpus; cpu++) {
        if (owned[cpu])
            continue;
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "CPU %u is in no NUMA node: give each of the %u CPUs a node, or none.", cpu,
                    cpus);
        return FALSE;
    }
    return TRUE;
}

gboolean
mf_numa_check(const GPtrArray *nodes, guint cpus, GError **error)
{
    guint64 sum = 0;

    if (nodes->len == 0)
        return TRUE;
    if (nodes->len > MF_NUMA_NODES_MAX) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "%u NUMA nodes are more than a machine can have: at most %d.", nodes->len,
                    MF_NUMA_NODES_MAX);
        return FALSE;
    }
    for (guint i = 0; i < nodes->len; i++) {
        guint64 memory = ((const MfNumaNode *)g_ptr_array_index(nodes, i))->memory;

        if (!g_uint64_checked_add(&sum, sum, memory)) {
            g_set_error_literal(error, MF_ERROR, MF_ERROR_CONFIG,
                                "The NUMA nodes have more memory together than a machine can "
                                "have: give them less.");
            return FALSE;
        }
        if (memory % MF_MIB == 0 && (memory > 0 || i > 0))
            continue;
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "NUMA node %u has %" G_GUINT64_FORMAT " bytes of memory: expected whole MiB, "
                    "and for the first node more than none.",
                    i, memory);
        return FALSE;
    }
    return check_cpus(nodes, cpus, error);
}

void
mf_numa_add_to_argv(const GPtrArray *nodes, gboolean shared, MfArgv *argv)
{
    for (guint i = 0; i < nodes->len; i++) {
        const MfNumaNode *node = g_ptr_array_index(nodes, i);
        g_autofree char *number = g_strdup_printf("%u", i);
        g_autofree char *id = g_strdup_printf("node%u", i);
        g_autofree char *size = g_strdup_printf("%" G_GUINT64_FORMAT "M", node->memory / MF_MIB);

        if (node->memory > 0)
            mf_argv_add_option(argv, "-object",
                               shared ? "memory-backend-memfd" : "memory-backend-ram", "id", id,
                               "size", size, "share", shared ? "on" : NULL, NULL);
        mf_argv_add_option(argv, "-numa", "node", "nodeid", number, "memdev",
                           node->memory > 0 ? id : NULL, "cpus", node->cpus, NULL);
    }
}
