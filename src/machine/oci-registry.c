/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/oci-registry.h"

#include <string.h>

#include "base/error.h"
#include "machine/oci-credentials.h"
#include "wire/json.h"

#define TOKEN_DOCUMENT_MAX (1U << 20)
#define TOKEN_MAX          16384

struct MfOciRegistry {
    MfHttp *http;        /* owned */
    char *shown;         /* owned */
    char *base;          /* owned */
    char *repository;    /* owned */
    char *token_url;     /* owned; NULL until the registry wants a token */
    char *authorization; /* owned; NULL until it wants any */
    char *credentials;   /* owned; the user's, as such a header's value; NULL: none, or not looked
                          * for yet */
};

/* A document or a blob that is asked for: the data of its task. */
typedef struct {
    MfOciRegistry *registry; /* borrowed */
    char *wanted;            /* owned; a tag or a sum */
    char *url;               /* owned */
    gboolean renewed;        /* with a token got for this */
    MfDownload *download;    /* borrowed; NULL for a document */
    MfDownloadProgressFunc progress;
    gpointer progress_data;
} Ask;

static void
ask_free(Ask *self)
{
    g_free(self->wanted);
    g_free(self->url);
    g_free(self);
}

MfOciRegistry *
mf_oci_registry_new(const MfOciReference *reference, const char *shown, GError **error)
{
    MfHttp *http = mf_http_new(error);
    MfOciRegistry *self;

    if (!http)
        return NULL;
    self = g_new0(MfOciRegistry, 1);
    self->http = http;
    self->shown = g_strdup(shown);
    self->base = g_strdup(reference->base);
    self->repository = g_strdup(reference->repository);
    return self;
}

void
mf_oci_registry_free(MfOciRegistry *self)
{
    if (!self)
        return;
    mf_http_free(self->http);
    g_free(self->shown);
    g_free(self->base);
    g_free(self->repository);
    g_free(self->token_url);
    g_free(self->authorization);
    g_free(self->credentials);
    g_free(self);
}

/* Reads NAME=VALUE or NAME="VALUE" at *at, and goes behind it and the comma. Both are owned by the
 * caller; FALSE at the end, or at what is neither. */
static gboolean
next_parameter(const char **at, char **ret_name, char **ret_value)
{
    const char *name = *at + strspn(*at, " \t,");
    gsize length = strcspn(name, "=, \t");
    const char *value = name + length + 1;
    GString *text;

    if (length == 0 || name[length] != '=')
        return FALSE;
    text = g_string_new(NULL);
    if (*value == '"') {
        for (value++; *value && *value != '"'; value++) {
            if (*value == '\\' && value[1])
                value++;
            g_string_append_c(text, *value);
        }
        value += *value == '"';
    } else {
        gsize bare = strcspn(value, ", \t");

        g_string_append_len(text, value, (gssize)bare);
        value += bare;
    }
    *at = value;
    *ret_name = g_ascii_strdown(name, (gssize)length);
    *ret_value = g_string_free(text, FALSE);
    return TRUE;
}

char *
mf_oci_challenge_url(const char *header, const char *base)
{
    static const char scheme[] = "Bearer ";
    g_autoptr(GString) query = g_string_new(NULL);
    g_autofree char *realm = NULL;
    const char *at = header + strlen(scheme);
    char *name, *value;

    if (g_ascii_strncasecmp(header, scheme, strlen(scheme)) != 0)
        return NULL;
    while (next_parameter(&at, &name, &value)) {
        g_autofree char *escaped = g_uri_escape_string(value, NULL, FALSE);

        if (g_str_equal(name, "service") || g_str_equal(name, "scope"))
            g_string_append_printf(query, "%s%s=%s", query->len ? "&" : "", name, escaped);
        if (g_str_equal(name, "realm") && !realm)
            realm = g_steal_pointer(&value);
        g_free(name);
        g_free(value);
    }
    if (!realm || !(g_str_has_prefix(realm, "https://") ||
                    (g_str_has_prefix(realm, "http://") && g_str_has_prefix(base, "http://"))))
        return NULL;
    if (query->len == 0)
        return g_steal_pointer(&realm);
    return g_strconcat(realm, strchr(realm, '?') ? "&" : "?", query->str, NULL);
}

/* A token goes into a header as it is: what would end that header is none. */
static gboolean
is_token(const char *text)
{
    gsize length = strlen(text);

    for (gsize i = 0; i < length; i++)
        if (!g_ascii_isgraph(text[i]))
            return FALSE;
    return length > 0 && length <= TOKEN_MAX;
}

/* What to make of a refusal. Owned by the caller. */
static char *
explain_credentials(MfOciRegistry *self)
{
    g_autofree char *path = mf_oci_credentials_get_path();

    if (self->credentials)
        return g_strdup_printf("the credentials in '%s' may be wrong, or not be for it.", path);
    if (!mf_oci_credentials_may_go_to(self->base))
        return g_strdup("it may not be public, and credentials go by https only.");
    return g_strdup_printf(
        "it may not be public, or not there, and '%s' has no credentials for it.", path);
}

static gboolean
take_token(MfOciRegistry *self, const MfHttpResponse *response, GError **error)
{
    g_autofree char *what = g_strdup_printf("the token for '%s'", self->shown);
    g_autoptr(json_object) value = NULL;
    const char *token;
    gsize size;
    const char *text = g_bytes_get_data(response->body, &size);

    if (response->status != 200) {
        g_autofree char *hint = explain_credentials(self);

        g_set_error(error, MF_ERROR, MF_ERROR_REMOTE,
                    "There is no token for '%s': '%s' answered with status %u; %s", self->shown,
                    self->token_url, response->status, hint);
        return FALSE;
    }
    if (!mf_json_parse(text ? text : "", size, TOKEN_DOCUMENT_MAX, &value, error))
        return FALSE;

    MfJson top = mf_json_top(value, what), member;
    const char *name = mf_json_find(&top, "token", &member) ? "token" : "access_token";
    if (!mf_json_get_string(&top, name, &token, error))
        return FALSE;
    if (!is_token(token)) {
        g_set_error(error, MF_ERROR, MF_ERROR_PROTOCOL,
                    "The token for '%s' is none: it is empty, too long, or has characters that no "
                    "token has.",
                    self->shown);
        return FALSE;
    }
    g_free(self->authorization);
    self->authorization = g_strconcat("Bearer ", token, NULL);
    return TRUE;
}

static void ask(GTask *task);

static void
on_token(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GTask) task = data;
    Ask *self = g_task_get_task_data(task);
    GError *error = NULL;
    g_autoptr(MfHttpResponse) response = mf_http_get_finish(result, &error);

    if (!response || !take_token(self->registry, response, &error))
        g_task_return_error(task, error);
    else
        ask(g_steal_pointer(&task));
}

/* Gets a token for what is asked, once, and asks again. Takes the task. */
static void
renew(GTask *task)
{
    Ask *self = g_task_get_task_data(task);
    MfOciRegistry *registry = self->registry;
    const MfHttpRequest request = {
        .url = registry->token_url,
        .authorization =
            mf_oci_credentials_may_go_to(registry->token_url) ? registry->credentials : NULL,
        .max = TOKEN_DOCUMENT_MAX,
    };

    self->renewed = TRUE;
    mf_http_get_async(registry->http, &request, g_task_get_cancellable(task), on_token, task);
}

/* Learns from the challenge how to ask. FALSE without an error when that is of no help. */
static gboolean
take_challenge(MfOciRegistry *self, const char *challenge, GError **error)
{
    static const char basic[] = "Basic ";
    const char *name = strstr(self->base, "://") + strlen("://");

    if (!self->credentials && mf_oci_credentials_may_go_to(self->base) &&
        !mf_oci_credentials_find(name, self->repository, &self->credentials, error))
        return FALSE;
    g_free(self->token_url);
    self->token_url = mf_oci_challenge_url(challenge, self->base);
    if (self->token_url)
        return TRUE;
    if (!self->credentials || g_ascii_strncasecmp(challenge, basic, strlen(basic)) != 0)
        return FALSE;
    g_free(self->authorization);
    self->authorization = g_strdup(self->credentials);
    return TRUE;
}

/* Takes the task. */
static void
ask_again(GTask *task)
{
    Ask *self = g_task_get_task_data(task);

    if (self->registry->token_url) {
        renew(task);
    } else {
        self->renewed = TRUE;
        ask(task);
    }
}

static GError *
explain_status(Ask *self, guint status)
{
    MfOciRegistry *registry = self->registry;

    if (status == 404)
        return g_error_new(MF_ERROR, MF_ERROR_CONFIG, "The registry has no image '%s'.",
                           registry->shown);
    if (status == 401 || status == 403) {
        g_autofree char *hint = explain_credentials(registry);

        return g_error_new(MF_ERROR, MF_ERROR_REMOTE,
                           "The registry does not give '%s' (status %u): %s", registry->shown,
                           status, hint);
    }
    return g_error_new(MF_ERROR, MF_ERROR_REMOTE,
                       "The manifest of '%s' cannot be fetched: the registry answered with status "
                       "%u.",
                       registry->shown, status);
}

/* A document that is asked for by its sum has that sum. */
static GBytes *
take_document(Ask *self, const MfHttpResponse *response, GError **error)
{
    g_autofree char *sum = g_compute_checksum_for_bytes(G_CHECKSUM_SHA256, response->body);
    g_autofree char *digest = g_strconcat("sha256:", sum, NULL);

    if (strchr(self->wanted, ':') && !g_str_equal(digest, self->wanted)) {
        g_set_error(error, MF_ERROR, MF_ERROR_PROTOCOL,
                    "The manifest of '%s' is refused: its sum is %s where %s is expected.",
                    self->registry->shown, digest, self->wanted);
        return NULL;
    }
    return g_bytes_ref(response->body);
}

static void
on_document(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GTask) task = data;
    Ask *self = g_task_get_task_data(task);
    MfOciRegistry *registry = self->registry;
    GError *error = NULL;
    g_autoptr(MfHttpResponse) response = mf_http_get_finish(result, &error);
    GBytes *document = NULL;

    if (response && response->status == 401 && response->challenge && !self->renewed &&
        take_challenge(registry, response->challenge, &error)) {
        ask_again(g_steal_pointer(&task));
        return;
    }
    if (response && response->status == 200)
        document = take_document(self, response, &error);
    else if (response && !error)
        error = explain_status(self, response->status);
    if (document)
        g_task_return_pointer(task, document, (GDestroyNotify)g_bytes_unref);
    else
        g_task_return_error(task, error);
}

static void
on_downloaded(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GTask) task = data;
    Ask *self = g_task_get_task_data(task);
    GError *error = NULL;
    guint status;

    if (mf_download_run_finish(result, &status, &error)) {
        g_task_return_boolean(task, TRUE);
    } else if (status == 401 && self->registry->token_url && !self->renewed) {
        /* Tokens are for minutes, and a large layer on a slow line takes longer. */
        g_error_free(error);
        renew(g_steal_pointer(&task));
    } else {
        g_task_return_error(task, error);
    }
}

/* Takes the task. */
static void
ask(GTask *task)
{
    Ask *self = g_task_get_task_data(task);
    MfOciRegistry *registry = self->registry;
    GCancellable *cancellable = g_task_get_cancellable(task);
    const MfHttpRequest request = {
        .url = self->url,
        .accept = MF_OCI_MANIFEST_TYPES,
        .authorization = registry->authorization,
        .max = MF_OCI_MANIFEST_MAX,
    };

    if (self->download)
        mf_download_run_async(self->download, registry->http, self->url, registry->authorization,
                              self->progress, self->progress_data, cancellable, on_downloaded,
                              task);
    else
        mf_http_get_async(registry->http, &request, cancellable, on_document, task);
}

static GTask *
ask_new(MfOciRegistry *self, const char *kind, const char *wanted, GCancellable *cancellable,
        GAsyncReadyCallback callback, gpointer user_data)
{
    GTask *task = g_task_new(NULL, cancellable, callback, user_data);
    Ask *ask = g_new0(Ask, 1);

    ask->registry = self;
    ask->wanted = g_strdup(wanted);
    ask->url = g_strdup_printf("%s/v2/%s/%s/%s", self->base, self->repository, kind, wanted);
    g_task_set_check_cancellable(task, FALSE);
    g_task_set_task_data(task, ask, (GDestroyNotify)ask_free);
    return task;
}

void
mf_oci_registry_get_manifest_async(MfOciRegistry *self, const char *wanted,
                                   GCancellable *cancellable, GAsyncReadyCallback callback,
                                   gpointer user_data)
{
    ask(ask_new(self, "manifests", wanted, cancellable, callback, user_data));
}

GBytes *
mf_oci_registry_get_manifest_finish(GAsyncResult *result, GError **error)
{
    return g_task_propagate_pointer(G_TASK(result), error);
}

void
mf_oci_registry_download_async(MfOciRegistry *self, MfDownload *download, const char *digest,
                               MfDownloadProgressFunc progress, gpointer progress_data,
                               GCancellable *cancellable, GAsyncReadyCallback callback,
                               gpointer user_data)
{
    GTask *task = ask_new(self, "blobs", digest, cancellable, callback, user_data);
    Ask *data = g_task_get_task_data(task);

    data->download = download;
    data->progress = progress;
    data->progress_data = progress_data;
    ask(task);
}

gboolean
mf_oci_registry_download_finish(GAsyncResult *result, GError **error)
{
    return g_task_propagate_boolean(G_TASK(result), error);
}
