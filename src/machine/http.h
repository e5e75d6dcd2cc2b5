/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

/*
 * A client that fetches over HTTPS, one thing at a time, on the main loop; connections are kept
 * for the next. Redirects are followed, from https to https alone. The proxies of the environment
 * are used, but not for this host.
 */
typedef struct MfHttp MfHttp;

/* For how long all waits for another try may take together. */
#define MF_HTTP_PATIENCE_MS 60000

/* Called with each piece of the body of a success; 'position' is where in the whole it belongs.
 * FALSE ends the transfer with that error. */
typedef gboolean (*MfHttpBodyFunc)(const void *data, gsize size, guint64 position,
                                   gpointer user_data, GError **error);

typedef struct {
    const char *url;
    const char *accept;        /* media types; NULL for any */
    const char *authorization; /* the value of that header; NULL for none */
    guint64 offset;            /* the bytes before it are not wanted; the server may send them */
    guint64 max;               /* a longer body is refused; with 'offset' this counts the whole */
    MfHttpBodyFunc body;       /* NULL: the body is kept, and part of the response */
    gpointer body_data;
} MfHttpRequest;

typedef struct {
    guint status;
    char *content_type; /* NULL when there was none */
    char *challenge;    /* WWW-Authenticate; NULL when there was none */
    GBytes *body;       /* without a body function, or when the status is no success */
} MfHttpResponse;

void mf_http_response_free(MfHttpResponse *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfHttpResponse, mf_http_response_free)

/* Whether 'host' (a name or an address, an IPv6 one with or without brackets) is this host. */
gboolean mf_http_is_loopback(const char *host);

/* MF_ERROR_HOST when there is no libcurl. */
MfHttp *mf_http_new(GError **error);

/* What to wait, in ms, before the same is asked for again after an answer with 'status', the
 * 'tries'-th (from 1), that asked for 'retry_after' seconds (0: for none), where 'waited' ms went
 * into waits before; -1 for not at all. A pure function. */
int mf_http_choose_delay(guint status, guint tries, gint64 retry_after, guint waited);

/* Nothing may be being fetched. */
void mf_http_free(MfHttp *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfHttp, mf_http_free)

/* What 'request' points to is used until the completion. A server that has no time (429, 500, 502,
 * 503, 504) is asked again, a few times, when it wants to be, within MF_HTTP_PATIENCE_MS. */
void mf_http_get_async(MfHttp *self, const MfHttpRequest *request, GCancellable *cancellable,
                       GAsyncReadyCallback callback, gpointer user_data);

/* The response, whatever its status; owned by the caller. MF_ERROR_LOST (the connection broke or
 * stood still; it may be worth another try), MF_ERROR_REMOTE (no such host, refused, a
 * certificate, ...), MF_ERROR_PROTOCOL (more than 'max' bytes), MF_ERROR_CANCELLED, or the body
 * function's own. */
MfHttpResponse *mf_http_get_finish(GAsyncResult *result, GError **error);
