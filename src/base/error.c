/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

#include <gio/gio.h>

G_DEFINE_QUARK(mayfly, mf_error)

void
mf_error_set_errno(GError **error, MfErrorCode code, int code_errno, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error(error, MF_ERROR, code, "%s: %s", text, g_strerror(code_errno));
}

void
mf_error_take_foreign(GError **error, MfErrorCode code, GError *foreign, const char *format, ...)
{
    g_autoptr(GError) owned = foreign;
    va_list args;

    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    if (g_error_matches(owned, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        code = MF_ERROR_CANCELLED;
    g_set_error(error, MF_ERROR, code, "%s: %s", text, owned->message);
}
