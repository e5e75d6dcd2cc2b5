/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/kernel-fragment.h"

#include <string.h>

#define PREFIX     "CONFIG_"
#define OFF_PREFIX "# " PREFIX
#define OFF_SUFFIX " is not set"

/* "CONFIG_X" of a line that says something of it; NULL of others. Owned by the caller. */
static char *
option_of(const char *line)
{
    const char *equals = strchr(line, '=');

    if (g_str_has_prefix(line, PREFIX) && equals)
        return g_strndup(line, (gsize)(equals - line));
    if (g_str_has_prefix(line, OFF_PREFIX) && g_str_has_suffix(line, OFF_SUFFIX))
        return g_strndup(line + strlen("# "), strlen(line) - strlen("# ") - strlen(OFF_SUFFIX));
    return NULL;
}

/* What a text says of its options: whole lines by the option. */
static GHashTable *
read_options(const char *text)
{
    GHashTable *options = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (char **line = lines; *line; line++) {
        char *option = option_of(g_strchomp(*line));

        if (option)
            g_hash_table_replace(options, option, g_strdup(*line));
    }
    return options;
}

char *
mf_kernel_fragment_merge(const char *base, const char *fragment)
{
    g_autoptr(GHashTable) ours = read_options(fragment);
    g_auto(GStrv) lines = g_strsplit(base, "\n", -1);
    g_autoptr(GString) merged = g_string_new(NULL);

    for (char **line = lines; *line; line++) {
        g_autofree char *option = option_of(g_strchomp(*line));

        if (**line && (!option || !g_hash_table_contains(ours, option)))
            g_string_append_printf(merged, "%s\n", *line);
    }
    g_string_append(merged, fragment);
    return g_string_free(g_steal_pointer(&merged), FALSE);
}

static gboolean
is_met(const char *wanted, const char *found)
{
    const char *value = strchr(wanted, '=');
    const char *other = found ? strchr(found, '=') : NULL;

    return other &&
           (g_str_equal(value, other) || (g_str_equal(value, "=y") && g_str_equal(other, "=m")));
}

GPtrArray *
mf_kernel_fragment_unmet(const char *fragment, const char *config)
{
    g_autoptr(GHashTable) found = read_options(config);
    GPtrArray *unmet = g_ptr_array_new_with_free_func(g_free);
    g_auto(GStrv) lines = g_strsplit(fragment, "\n", -1);

    for (char **line = lines; *line; line++) {
        g_autofree char *option = option_of(g_strchomp(*line));

        if (option && g_str_has_prefix(*line, PREFIX) &&
            !is_met(*line, g_hash_table_lookup(found, option)))
            g_ptr_array_add(unmet, g_strdup(*line));
    }
    return unmet;
}
