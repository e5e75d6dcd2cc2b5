/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/numa.h"

MfNumaNode *
mf_numa_node_new(guint64 memory, const char *cpus)
{
    MfNumaNode *self = g_new0(MfNumaNode, 1);

    self->memory = memory;
    self->cpus = g_strdup(cpus);
    return self;
}

void
mf_numa_node_free(MfNumaNode *self)
{
    if (!self)
        return;
    g_free(self->cpus);
    g_free(self);
}
