/* SPDX-License-Identifier: Apache-2.0 */
/* In the place of http.c where mayfly is built without libcurl. */
#include "base/error.h"
#include "machine/http.h"

void
mf_http_response_free(MfHttpResponse *self)
{
    g_assert(!self);
}

gboolean
mf_http_is_loopback(const char *host)
{
    return FALSE;
}

MfHttp *
mf_http_new(GError **error)
{
    g_set_error(error, MF_ERROR, MF_ERROR_HOST,
                "This mayfly was built without libcurl and cannot fetch by URL: build it with "
                "'-Dcurl=enabled'.");
    return NULL;
}

void
mf_http_free(MfHttp *self)
{
    g_assert(!self);
}

void
mf_http_get_async(MfHttp *self, const MfHttpRequest *request, GCancellable *cancellable,
                  GAsyncReadyCallback callback, gpointer user_data)
{
    g_assert_not_reached();
}

MfHttpResponse *
mf_http_get_finish(GAsyncResult *result, GError **error)
{
    g_assert_not_reached();
}
