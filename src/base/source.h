/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

/* Has the main loop call 'func' when 'cancellable' is cancelled, also when it already is; unlike a
 * handler of its signal, never from another thread nor from within g_cancellable_cancel(). Owned by
 * the caller, to be ended with mf_source_clear(); NULL where 'cancellable' is. */
GSource *
mf_source_add_cancelled(GCancellable *cancellable, GCancellableSourceFunc func, gpointer data);

/* Destroys what is in *source, if anything is, and leaves NULL in its place. */
void mf_source_clear(GSource **source);
