/* SPDX-License-Identifier: Apache-2.0 */
#include "base/template.h"

#include <string.h>

#include "base/error.h"

static unsigned
line_of(const char *text, const char *at)
{
    unsigned line = 1;

    for (; text < at; text++)
        line += *text == '\n';
    return line;
}

/* The length of the name at 'at'. */
static size_t
name_length(const char *at)
{
    size_t length = 0;

    while (g_ascii_isalnum(at[length]) || at[length] == '_' || at[length] == '-')
        length++;
    return length;
}

char *
mf_template_render(const char *text, const char *origin, GHashTable *values, GError **error)
{
    g_autoptr(GString) rendered = g_string_new(NULL);
    const char *at = text;

    for (;;) {
        const char *hole = strstr(at, "{{");

        if (!hole) {
            g_string_append(rendered, at);
            return g_string_free(g_steal_pointer(&rendered), FALSE);
        }
        g_string_append_len(rendered, at, hole - at);
        if (g_str_has_prefix(hole, "{{{{")) {
            g_string_append(rendered, "{{");
            at = hole + 4;
            continue;
        }

        size_t length = name_length(hole + 2);
        if (length == 0 || !g_str_has_prefix(hole + 2 + length, "}}")) {
            g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                        "%s:%u: '{{' is not followed by a name and '}}' (write '{{{{' for a "
                        "literal one).",
                        origin, line_of(text, hole));
            return NULL;
        }

        g_autofree char *name = g_strndup(hole + 2, length);
        const char *value = g_hash_table_lookup(values, name);
        if (!value) {
            g_set_error(error, MF_ERROR, MF_ERROR_CONFIG, "%s:%u: the variable '%s' is not known.",
                        origin, line_of(text, hole), name);
            return NULL;
        }
        g_string_append(rendered, value);
        at = hole + 4 + length;
    }
}
