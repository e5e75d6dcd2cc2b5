/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/escape.h"

gboolean
mf_escape_feed(MfEscape *self, const guint8 *data, gsize size, gint64 now)
{
    for (gsize i = 0; i < size; i++) {
        if (data[i] != MF_ESCAPE_BYTE) {
            self->times = 0;
            continue;
        }
        if (self->times == 0 || now - self->started > MF_ESCAPE_WITHIN) {
            self->times = 0;
            self->started = now;
        }
        if (++self->times == MF_ESCAPE_TIMES)
            return TRUE;
    }
    return FALSE;
}
