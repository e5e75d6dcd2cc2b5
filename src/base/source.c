/* SPDX-License-Identifier: Apache-2.0 */
#include "base/source.h"

GSource *
mf_source_add_cancelled(GCancellable *cancellable, GCancellableSourceFunc func, gpointer data)
{
    GSource *source = cancellable ? g_cancellable_source_new(cancellable) : NULL;

    if (source) {
        g_source_set_callback(source, G_SOURCE_FUNC(func), data, NULL);
        g_source_attach(source, NULL);
    }
    return source;
}

void
mf_source_clear(GSource **source)
{
    if (*source)
        g_source_destroy(*source);
    g_clear_pointer(source, g_source_unref);
}
