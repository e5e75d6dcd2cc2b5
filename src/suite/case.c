/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/case.h"

#include <string.h>

#include "base/cache.h"

/* Hexadecimal digits of the hash: enough that two names of one file do not meet. */
#define HASH_DIGITS 8

static gboolean
is_fit(char letter)
{
    return g_ascii_isalnum(letter) || (letter && strchr("._-", letter));
}

static gboolean
is_fit_as_it_is(const char *name)
{
    size_t length = 0;

    while (is_fit(name[length]))
        length++;
    /* A leading dot hides a file, or names a directory; a hyphen makes an option of it. */
    return length > 0 && !name[length] && length <= MF_CASE_ID_MAX && !strchr(".-", name[0]);
}

char *
mf_case_make_id(const char *name)
{
    if (is_fit_as_it_is(name))
        return g_strdup(name);

    g_autofree char *hash = mf_cache_key(name, NULL);
    g_autoptr(GString) id = g_string_new(NULL);

    for (const char *at = name; *at && id->len < MF_CASE_ID_MAX - HASH_DIGITS - 1; at++) {
        if (is_fit(*at) && (id->len > 0 || !strchr(".-", *at)))
            g_string_append_c(id, *at);
        else if (id->len > 0 && id->str[id->len - 1] != '-')
            g_string_append_c(id, '-');
    }
    if (id->len > 0 && id->str[id->len - 1] != '-')
        g_string_append_c(id, '-');
    g_string_append_len(id, hash, HASH_DIGITS);
    return g_string_free(g_steal_pointer(&id), FALSE);
}

char *
mf_case_make_scenario(const char *name, const char *persona)
{
    const char *settings = g_strrstr(name, " [");
    g_autofree char *own = persona ? g_strconcat("persona=", persona, NULL) : NULL;
    g_autoptr(GString) scenario = g_string_new(NULL);
    const char *separator = " [";

    if (!own || !settings || !g_str_has_suffix(name, "]"))
        return g_strdup(name);

    g_autofree char *inside = g_strndup(settings + 2, strlen(settings) - 3);
    g_auto(GStrv) parts = g_strsplit(inside, ", ", -1);
    g_string_append_len(scenario, name, settings - name);
    for (char **part = parts; *part; part++) {
        if (g_str_equal(*part, own))
            continue;
        g_string_append_printf(scenario, "%s%s", separator, *part);
        separator = ", ";
    }
    g_string_append(scenario, *separator == ',' ? "]" : "");
    return g_string_free(g_steal_pointer(&scenario), FALSE);
}

void
mf_case_free(MfCase *self)
{
    if (!self)
        return;
    g_free(self->name);
    g_free(self->id);
    g_free(self->persona);
    g_strfreev(self->tags);
    mf_target_free(self->target);
    g_free(self->skip_reason);
    g_free(self->file);
    g_free(self);
}
