/* SPDX-License-Identifier: Apache-2.0 */
#include "run/tail.h"

MfTail *
mf_tail_new(gsize cap)
{
    MfTail *self = g_new0(MfTail, 1);

    self->bytes = g_byte_array_new();
    self->cap = cap;
    return self;
}

void
mf_tail_free(MfTail *self)
{
    if (!self)
        return;
    g_byte_array_unref(self->bytes);
    g_free(self);
}

/* What is beyond the cap goes only once there is as much again, so that each byte moves once. */
void
mf_tail_append(MfTail *self, GBytes *bytes)
{
    gsize size;
    const guint8 *data = g_bytes_get_data(bytes, &size);
    gsize taken = MIN(size, self->cap);
    gsize kept = self->cap - taken;

    if (taken == 0)
        return;
    if (self->bytes->len + taken > 2 * self->cap)
        g_byte_array_remove_range(self->bytes, 0, (guint)(self->bytes->len - kept));
    g_byte_array_append(self->bytes, data + (size - taken), (guint)taken);
}

GBytes *
mf_tail_get(const MfTail *self)
{
    gsize size = MIN(self->bytes->len, self->cap);

    return g_bytes_new(self->bytes->data + (self->bytes->len - size), size);
}
