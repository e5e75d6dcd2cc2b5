/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/disk.h"

MfDisk *
mf_disk_new(const char *path, const char *format, gboolean writable)
{
    MfDisk *self = g_new0(MfDisk, 1);

    self->path = g_canonicalize_filename(path, NULL);
    self->format = g_strdup(format);
    self->writable = writable;
    return self;
}

void
mf_disk_free(MfDisk *self)
{
    if (!self)
        return;
    g_free(self->path);
    g_free(self->format);
    g_free(self);
}
