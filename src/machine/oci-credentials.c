/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/oci-credentials.h"

#include <string.h>

#include "base/error.h"
#include "base/fd.h"
#include "machine/http.h"
#include "wire/json.h"

/* What keeps Docker Hub's images, and what its credentials are called. */
#define HUB      "registry-1.docker.io"
#define HUB_NAME "index.docker.io"

char *
mf_oci_credentials_get_path(void)
{
    const char *named = g_getenv(MF_OCI_CREDENTIALS_ENV);
    const char *docker = g_getenv("DOCKER_CONFIG");

    if (named && *named)
        return g_strdup(named);
    if (docker && *docker)
        return g_build_filename(docker, "config.json", NULL);
    return g_build_filename(g_get_home_dir(), ".docker", "config.json", NULL);
}

/* The registry that a key which is a URL is of; the key itself when it is none. Owned by the
 * caller. */
static char *
name_of_key(const char *key)
{
    const char *scheme = strstr(key, "://");
    const char *name = scheme ? scheme + strlen("://") : key;

    return scheme ? g_strndup(name, strcspn(name, "/")) : g_strdup(name);
}

/* The entry for 'name', the name of a registry or of what is in one. */
static gboolean
find_entry(const MfJson *auths, const char *name, MfJson *ret_entry)
{
    json_object_object_foreach (auths->value, key, value) {
        g_autofree char *named = name_of_key(key);

        if (g_str_equal(named, name) && mf_json_find(auths, key, ret_entry))
            return json_object_is_type(value, json_type_object);
    }
    return FALSE;
}

static gboolean
find_nearest(const MfJson *auths, const char *registry, const char *repository, MfJson *ret_entry)
{
    g_autofree char *name = g_strconcat(registry, "/", repository, NULL);
    gsize registry_length = strlen(registry);

    for (;;) {
        char *slash = strrchr(name, '/');

        if (find_entry(auths, name, ret_entry))
            return TRUE;
        if (!slash || (gsize)(slash - name) < registry_length)
            break;
        *slash = '\0';
    }
    return g_str_equal(registry, HUB) && find_entry(auths, HUB_NAME, ret_entry);
}

/* Whether 'auth' is the one way to write "USER:PASSWORD" in base64: it goes into a header as it
 * is. */
static gboolean
is_secret(const char *auth)
{
    gsize size;
    g_autofree guchar *secret = g_base64_decode(auth, &size);
    g_autofree char *again = g_base64_encode(secret, size);
    gboolean good = size <= MF_OCI_CREDENTIALS_SECRET_MAX && memchr(secret, ':', size) &&
                    g_str_equal(again, auth);

    memset(secret, 0, size);
    return good;
}

gboolean
mf_oci_credentials_parse(const char *text, gsize size, const char *registry, const char *repository,
                         char **ret_authorization)
{
    g_autoptr(json_object) value = NULL;
    MfJson auths, entry, member;
    const char *auth;

    if (!mf_json_parse(text, size, MF_OCI_CREDENTIALS_MAX, &value, NULL))
        return FALSE;

    MfJson top = mf_json_top(value, "the credentials");
    if (!mf_json_as_object(&top, NULL))
        return FALSE;
    *ret_authorization = NULL;
    if (!mf_json_find(&top, "auths", &auths))
        return TRUE;
    if (!mf_json_as_object(&auths, NULL))
        return FALSE;
    /* Where a program keeps the credentials there is an entry without any. */
    if (!find_nearest(&auths, registry, repository, &entry) ||
        !mf_json_find(&entry, "auth", &member))
        return TRUE;
    if (!mf_json_as_string(&member, &auth, NULL) || !is_secret(auth))
        return FALSE;
    *ret_authorization = g_strconcat("Basic ", auth, NULL);
    return TRUE;
}

gboolean
mf_oci_credentials_find(const char *registry, const char *repository, char **ret_authorization,
                        GError **error)
{
    g_autofree char *path = mf_oci_credentials_get_path();
    g_autoptr(GError) failure = NULL;
    g_autoptr(GBytes) bytes = NULL;
    const char *named = g_getenv(MF_OCI_CREDENTIALS_ENV);
    const char *text;
    gsize size;

    if (!(named && *named) && !g_file_test(path, G_FILE_TEST_EXISTS)) {
        *ret_authorization = NULL;
        return TRUE;
    }
    bytes = mf_file_read(path, MF_OCI_CREDENTIALS_MAX, &failure);
    if (!bytes) {
        mf_error_take_foreign(error, MF_ERROR_CONFIG, g_steal_pointer(&failure),
                              "The credentials for registries in '%s' cannot be read", path);
        return FALSE;
    }
    text = g_bytes_get_data(bytes, &size);
    if (mf_oci_credentials_parse(text ? text : "", size, registry, repository, ret_authorization))
        return TRUE;
    g_set_error(
        error, MF_ERROR, MF_ERROR_CONFIG,
        "The credentials for '%s' in '%s' are of no known form: expected JSON with \"auths\", "
        "and there for a registry \"auth\", USER:PASSWORD in base64.",
        registry, path);
    return FALSE;
}

gboolean
mf_oci_credentials_may_go_to(const char *url)
{
    g_autoptr(GUri) uri = g_uri_parse(url, G_URI_FLAGS_NONE, NULL);

    return uri && (g_str_equal(g_uri_get_scheme(uri), "https") ||
                   (g_str_equal(g_uri_get_scheme(uri), "http") && g_uri_get_host(uri) &&
                    mf_http_is_loopback(g_uri_get_host(uri))));
}
