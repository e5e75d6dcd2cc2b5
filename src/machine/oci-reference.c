/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/oci-reference.h"

#include <string.h>

#include "base/error.h"
#include "machine/http.h"

#define SCHEME      "oci://"
#define SCHEME_HTTP "oci+http://"
#define SUM_PREFIX  "sha256:"
#define SUM_LENGTH  64
#define SUM_SHOWN   12
#define NAME_LENGTH 255
#define HOST_PATTERN                                                                               \
    "^([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\\[[0-9A-Fa-f:.]+\\])(:[0-9]{1,5})?$"
#define NAME_PATTERN "^[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*)*$"
#define TAG_PATTERN  "^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$"

gboolean
mf_oci_reference_recognise(const char *text)
{
    return g_str_has_prefix(text, SCHEME) || g_str_has_prefix(text, SCHEME_HTTP);
}

void
mf_oci_reference_free(MfOciReference *self)
{
    if (!self)
        return;
    g_free(self->base);
    g_free(self->repository);
    g_free(self->tag);
    g_free(self->digest);
    g_free(self);
}

gboolean
mf_oci_digest_is_valid(const char *text)
{
    const char *sum = text + strlen(SUM_PREFIX);

    return g_str_has_prefix(text, SUM_PREFIX) && strlen(sum) == SUM_LENGTH &&
           strspn(sum, "0123456789abcdef") == SUM_LENGTH;
}

static gboolean
refuse(const char *text, const char *what, GError **error)
{
    g_autofree char *shown = g_utf8_make_valid(text, -1);

    g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                "'%s' names no image: %s; expected oci://REGISTRY[:PORT]/NAME[:TAG] or "
                "oci://REGISTRY[:PORT]/NAME@sha256:SUM.",
                shown, what);
    return FALSE;
}

static gboolean
matches(const char *pattern, const char *text)
{
    return g_regex_match_simple(pattern, text, G_REGEX_DOLLAR_ENDONLY, 0);
}

/* "localhost" of "localhost:5000". */
static char *
host_of(const char *registry)
{
    const char *bracket = strchr(registry, ']');
    const char *colon = strchr(bracket ? bracket : registry, ':');

    return colon ? g_strndup(registry, (gsize)(colon - registry)) : g_strdup(registry);
}

/* Takes "@sha256:..." and ":TAG" off the end of 'name'. */
static void
split_name(MfOciReference *self, char *name)
{
    char *at = strchr(name, '@');
    char *colon;

    if (at) {
        self->digest = g_strdup(at + 1);
        *at = '\0';
    }
    colon = strchr(name, ':');
    if (colon) {
        self->tag = g_strdup(colon + 1);
        *colon = '\0';
    } else if (!at) {
        self->tag = g_strdup("latest");
    }
    self->repository = g_strdup(name);
}

static gboolean
check(const MfOciReference *self, const char *text, GError **error)
{
    if (strlen(self->repository) > NAME_LENGTH || !matches(NAME_PATTERN, self->repository))
        return refuse(text, "a name is words of lower-case letters and digits with '/' between",
                      error);
    if (self->tag && !matches(TAG_PATTERN, self->tag))
        return refuse(text, "a tag is of letters, digits, '.', '_' and '-'", error);
    if (self->digest && !mf_oci_digest_is_valid(self->digest))
        return refuse(text, "a sum is 'sha256:' and 64 lower-case hexadecimal digits", error);
    return TRUE;
}

MfOciReference *
mf_oci_reference_parse(const char *text, GError **error)
{
    g_autoptr(MfOciReference) self = g_new0(MfOciReference, 1);
    gboolean explicit_http = g_str_has_prefix(text, SCHEME_HTTP);
    const char *rest = text + strlen(explicit_http ? SCHEME_HTTP : SCHEME);
    const char *slash = strchr(rest, '/');

    if (!slash) {
        refuse(text, "the registry or the name is missing", error);
        return NULL;
    }

    g_autofree char *registry = g_strndup(rest, (gsize)(slash - rest));
    g_autofree char *host = host_of(registry);
    g_autofree char *name = g_strdup(slash + 1);
    if (!matches(HOST_PATTERN, registry)) {
        refuse(text, "the registry is no host with or without a port", error);
        return NULL;
    }
    split_name(self, name);
    if (!check(self, text, error))
        return NULL;
    self->base = g_strconcat(explicit_http || mf_http_is_loopback(host) ? "http://" : "https://",
                             registry, NULL);
    return g_steal_pointer(&self);
}

char *
mf_oci_reference_entry_name(const MfOciReference *self)
{
    g_autofree char *last = g_path_get_basename(self->repository);

    if (self->tag)
        return g_strconcat(last, "/", self->tag, NULL);
    return g_strdup_printf("%s/%.*s", last, SUM_SHOWN, self->digest + strlen(SUM_PREFIX));
}
