/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/http.h"

#include <glib-unix.h>
#include <string.h>

#include "base/error.h"
#include "base/parse.h"
#include "base/source.h"
#include "config.h"
#include "machine/lazy-curl.h"

#define CONNECT_TIMEOUT_S 30L
#define STALL_TIMEOUT_S   60L /* without a single byte */
#define REDIRECTS_MAX     8L

/* What a server says beside a status that is no success. */
#define REFUSAL_MAX 65536

/* What to wait after each try but the last, in ms, unless the server says it. */
static const int delays[] = {500, 1000, 2000, 4000};

struct MfHttp {
    CURLM *multi; /* owned */
    guint timer;
    GTask *task; /* owned; what is being fetched, NULL for nothing */
};

/* One fetch: the data of its task. */
typedef struct {
    MfHttp *client; /* borrowed */
    MfHttpRequest request;
    CURL *easy;                 /* owned */
    struct curl_slist *headers; /* owned */
    char message[CURL_ERROR_SIZE];
    GSource *cancelled;  /* owned; NULL when it cannot be */
    GByteArray *kept;    /* owned; the body, where it is not passed on */
    guint64 received;    /* bytes of the body */
    guint tries, waited; /* so far; ms */
    guint pause;         /* source, while it waits for the next try */
    char *challenge;     /* owned */
    GError *error;       /* owned; why we ended it */
} Fetch;

void
mf_http_response_free(MfHttpResponse *self)
{
    if (!self)
        return;
    g_free(self->content_type);
    g_free(self->challenge);
    g_clear_pointer(&self->body, g_bytes_unref);
    g_free(self);
}

gboolean
mf_http_is_loopback(const char *host)
{
    g_autofree char *bare = g_strdup(host);
    gsize length = strlen(bare);

    if (*bare == '[' && length > 1 && bare[length - 1] == ']') {
        bare[length - 1] = '\0';
        memmove(bare, bare + 1, length - 1);
    }
    if (g_ascii_strcasecmp(bare, "localhost") == 0)
        return TRUE;

    g_autoptr(GInetAddress) address = g_inet_address_new_from_string(bare);
    return address && g_inet_address_get_is_loopback(address);
}

static void
fetch_free(Fetch *self)
{
    curl_slist_free_all(self->headers);
    mf_source_clear(&self->cancelled);
    g_clear_handle_id(&self->pause, g_source_remove);
    g_byte_array_unref(self->kept);
    g_free(self->challenge);
    g_clear_error(&self->error);
    g_free(self);
}

static guint
status_of(Fetch *self)
{
    long status = 0;

    curl_easy_getinfo(self->easy, CURLINFO_RESPONSE_CODE, &status);
    return (guint)status;
}

/* A failure that another try may not have. */
static gboolean
is_passing(CURLcode code)
{
    switch (code) {
    case CURLE_PARTIAL_FILE:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
        return TRUE;
    default:
        return FALSE;
    }
}

static MfHttpResponse *
response_new(Fetch *self)
{
    MfHttpResponse *response = g_new0(MfHttpResponse, 1);
    const char *type = NULL;

    curl_easy_getinfo(self->easy, CURLINFO_CONTENT_TYPE, &type);
    response->status = status_of(self);
    response->content_type = g_strdup(type);
    response->challenge = g_steal_pointer(&self->challenge);
    response->body = g_bytes_new(self->kept->data, self->kept->len);
    return response;
}

static void
detach(Fetch *self)
{
    if (!self->easy)
        return;
    curl_multi_remove_handle(self->client->multi, self->easy);
    g_clear_pointer(&self->easy, curl_easy_cleanup);
}

int
mf_http_choose_delay(guint status, guint tries, gint64 retry_after, guint waited)
{
    gboolean busy = status == 429 || status == 500 || (status >= 502 && status <= 504);
    gint64 delay;

    if (!busy || tries < 1 || tries > G_N_ELEMENTS(delays))
        return -1;
    delay = retry_after > 0 ? MIN(retry_after, G_MAXINT32) * 1000 : delays[tries - 1];
    return delay <= (gint64)MF_HTTP_PATIENCE_MS - waited ? (int)delay : -1;
}

static gboolean
on_paused(gpointer data)
{
    Fetch *self = data;

    self->pause = 0;
    curl_multi_add_handle(self->client->multi, self->easy);
    return G_SOURCE_REMOVE;
}

/* Whether the same is going to be asked for again. */
static gboolean
try_again(Fetch *self, CURLcode code)
{
    curl_off_t retry_after = 0;
    int delay = -1;

    self->tries++;
    curl_easy_getinfo(self->easy, CURLINFO_RETRY_AFTER, &retry_after);
    if (code == CURLE_OK)
        delay = mf_http_choose_delay(status_of(self), self->tries, retry_after, self->waited);
    if (delay < 0)
        return FALSE;
    g_info("'%s' answered with status %u and is asked again in %d ms.", self->request.url,
           status_of(self), delay);
    curl_multi_remove_handle(self->client->multi, self->easy);
    g_byte_array_set_size(self->kept, 0);
    self->waited += (guint)delay;
    self->pause = g_timeout_add((guint)delay, on_paused, self);
    return TRUE;
}

/* The end of what is being fetched, whatever it is. The client may be gone afterwards. */
static void
conclude(MfHttp *client, CURLcode code)
{
    g_autoptr(GTask) task = g_steal_pointer(&client->task);
    Fetch *self = g_task_get_task_data(task);
    g_autoptr(MfHttpResponse) response = response_new(self);

    detach(self);
    if (self->error)
        g_task_return_error(task, g_steal_pointer(&self->error));
    else if (code == CURLE_OK)
        g_task_return_pointer(task, g_steal_pointer(&response),
                              (GDestroyNotify)mf_http_response_free);
    else
        g_task_return_new_error(task, MF_ERROR, is_passing(code) ? MF_ERROR_LOST : MF_ERROR_REMOTE,
                                "'%s' cannot be fetched: %s.", self->request.url,
                                *self->message ? self->message : curl_easy_strerror(code));
}

static void
proceed(MfHttp *self, curl_socket_t fd, int events)
{
    int running = 0, left = 0;
    gboolean done = FALSE;
    CURLcode code = CURLE_OK;
    CURLMsg *message;

    curl_multi_socket_action(self->multi, fd, events, &running);
    while ((message = curl_multi_info_read(self->multi, &left))) {
        done = message->msg == CURLMSG_DONE;
        code = message->data.result;
    }
    if (done && self->task && !try_again(g_task_get_task_data(self->task), code))
        conclude(self, code);
}

static gboolean
on_socket_ready(int fd, GIOCondition condition, gpointer data)
{
    int events = 0;

    if (condition & (G_IO_IN | G_IO_HUP))
        events |= CURL_CSELECT_IN;
    if (condition & G_IO_OUT)
        events |= CURL_CSELECT_OUT;
    if (condition & G_IO_ERR)
        events |= CURL_CSELECT_ERR;
    proceed(data, fd, events);
    return G_SOURCE_CONTINUE;
}

/* The library says what it waits for on a socket: 'previous' is the source of the last time. */
static int
on_socket_wanted(CURL *easy, curl_socket_t fd, int what, void *data, void *previous)
{
    MfHttp *self = data;
    GIOCondition condition = 0;
    guint source = 0;

    if (previous)
        g_source_remove(GPOINTER_TO_UINT(previous));
    if (what & CURL_POLL_IN)
        condition |= G_IO_IN;
    if (what & CURL_POLL_OUT)
        condition |= G_IO_OUT;
    if (what != CURL_POLL_REMOVE)
        source = g_unix_fd_add(fd, condition, on_socket_ready, self);
    curl_multi_assign(self->multi, fd, GUINT_TO_POINTER(source));
    return 0;
}

static gboolean
on_timer(gpointer data)
{
    MfHttp *self = data;

    self->timer = 0;
    proceed(self, CURL_SOCKET_TIMEOUT, 0);
    return G_SOURCE_REMOVE;
}

static int
on_timer_wanted(CURLM *multi, long milliseconds, void *data)
{
    MfHttp *self = data;

    g_clear_handle_id(&self->timer, g_source_remove);
    if (milliseconds >= 0)
        self->timer = g_timeout_add((guint)milliseconds, on_timer, self);
    return 0;
}

MfHttp *
mf_http_new(GError **error)
{
    MfHttp *self;

    if (!mf_lazy_curl_load(error))
        return NULL;
    self = g_new0(MfHttp, 1);
    self->multi = curl_multi_init();
    curl_multi_setopt(self->multi, CURLMOPT_SOCKETFUNCTION, on_socket_wanted);
    curl_multi_setopt(self->multi, CURLMOPT_SOCKETDATA, self);
    curl_multi_setopt(self->multi, CURLMOPT_TIMERFUNCTION, on_timer_wanted);
    curl_multi_setopt(self->multi, CURLMOPT_TIMERDATA, self);
    return self;
}

void
mf_http_free(MfHttp *self)
{
    if (!self)
        return;
    curl_multi_cleanup(self->multi);
    g_clear_handle_id(&self->timer, g_source_remove);
    g_free(self);
}

/* Notes the header that is wanted; each response of a redirection starts anew. */
static size_t
on_header(char *line, size_t one, size_t size, void *data)
{
    static const char name[] = "www-authenticate:";
    Fetch *self = data;

    if (size >= 5 && strncmp(line, "HTTP/", 5) == 0)
        g_clear_pointer(&self->challenge, g_free);
    if (size > strlen(name) && g_ascii_strncasecmp(line, name, strlen(name)) == 0) {
        g_free(self->challenge);
        self->challenge = g_strstrip(g_strndup(line + strlen(name), size - strlen(name)));
    }
    return size;
}

/* A body that is no success is a few words; what is beyond them is not worth reading. */
static size_t
keep_refusal(Fetch *self, const char *data, size_t size)
{
    gsize space = REFUSAL_MAX - MIN(self->kept->len, REFUSAL_MAX);

    g_byte_array_append(self->kept, (const guint8 *)data, (guint)MIN(size, space));
    return size;
}

static size_t
on_body(char *data, size_t one, size_t size, void *user_data)
{
    Fetch *self = user_data;
    guint status = status_of(self);
    /* 206 is the part that was asked for; with 200 a server ignores that it was. */
    guint64 position = self->received + (status == 206 ? self->request.offset : 0);

    if (status < 200 || status >= 300)
        return keep_refusal(self, data, size);
    if (size > self->request.max || position > self->request.max - size) {
        g_set_error(&self->error, MF_ERROR, MF_ERROR_PROTOCOL,
                    "'%s' is refused: it is longer than the %" G_GUINT64_FORMAT
                    " bytes that it can have.",
                    self->request.url, self->request.max);
        return 0;
    }
    self->received += size;
    if (!self->request.body)
        g_byte_array_append(self->kept, (const guint8 *)data, (guint)size);
    else if (!self->request.body(data, size, position, self->request.body_data, &self->error))
        return 0;
    return size;
}

/* Not from within a call of the library's. */
static gboolean
on_cancelled(GCancellable *cancellable, gpointer data)
{
    MfHttp *self = data;
    Fetch *fetch = g_task_get_task_data(self->task);

    g_clear_error(&fetch->error);
    g_set_error(&fetch->error, MF_ERROR, MF_ERROR_CANCELLED, "Fetching '%s' was cancelled.",
                fetch->request.url);
    conclude(self, CURLE_OK);
    return G_SOURCE_REMOVE;
}

static void
set_options(Fetch *self)
{
    gboolean secure = g_str_has_prefix(self->request.url, "https://");
    const char *protocols = secure ? "https" : "http,https";
    CURL *easy = self->easy;

    curl_easy_setopt(easy, CURLOPT_URL, self->request.url);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, protocols);
    curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, protocols);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(easy, CURLOPT_MAXREDIRS, REDIRECTS_MAX);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT_S);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, STALL_TIMEOUT_S);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "mayfly/" MF_VERSION);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, self->message);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, self->headers);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, self);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, self);
}

static void
add_header(Fetch *self, const char *name, const char *value)
{
    g_autofree char *line = value ? g_strconcat(name, ": ", value, NULL) : NULL;

    if (line)
        self->headers = curl_slist_append(self->headers, line);
}

void
mf_http_get_async(MfHttp *self, const MfHttpRequest *request, GCancellable *cancellable,
                  GAsyncReadyCallback callback, gpointer user_data)
{
    g_autoptr(GUri) uri = g_uri_parse(request->url, G_URI_FLAGS_PARSE_RELAXED, NULL);
    Fetch *fetch = g_new0(Fetch, 1);

    g_assert(!self->task);
    self->task = g_task_new(NULL, cancellable, callback, user_data);
    g_task_set_check_cancellable(self->task, FALSE); /* said in our words */
    g_task_set_task_data(self->task, fetch, (GDestroyNotify)fetch_free);
    fetch->client = self;
    fetch->request = *request;
    fetch->kept = g_byte_array_new();
    fetch->easy = curl_easy_init();
    add_header(fetch, "Accept", request->accept);
    add_header(fetch, "Authorization", request->authorization);
    set_options(fetch);
    if (uri && g_uri_get_host(uri) && mf_http_is_loopback(g_uri_get_host(uri)))
        curl_easy_setopt(fetch->easy, CURLOPT_PROXY, "");
    if (request->offset > 0) {
        g_autofree char *range = g_strdup_printf("%" G_GUINT64_FORMAT "-", request->offset);

        curl_easy_setopt(fetch->easy, CURLOPT_RANGE, range);
    }
    fetch->cancelled = mf_source_add_cancelled(cancellable, on_cancelled, self);
    curl_multi_add_handle(self->multi, fetch->easy);
}

MfHttpResponse *
mf_http_get_finish(GAsyncResult *result, GError **error)
{
    return g_task_propagate_pointer(G_TASK(result), error);
}
