/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/option-words.h"

#include <string.h>

gboolean
mf_option_takes_value(const GOptionEntry *entry)
{
    return entry->arg != G_OPTION_ARG_NONE && !(entry->flags & G_OPTION_FLAG_NO_ARG);
}

/* Whether "--name" takes the next word; "--name=value" has its value already. */
static gboolean
long_takes_next(const GArray *entries, const char *name)
{
    for (guint i = 0; i < entries->len; i++) {
        const GOptionEntry *entry = &g_array_index(entries, GOptionEntry, i);

        if (g_str_equal(entry->long_name, name))
            return mf_option_takes_value(entry);
    }
    return FALSE;
}

static gboolean
letter_takes_value(const GArray *entries, char letter)
{
    for (guint i = 0; i < entries->len; i++) {
        const GOptionEntry *entry = &g_array_index(entries, GOptionEntry, i);

        if (entry->short_name == letter)
            return mf_option_takes_value(entry);
    }
    return FALSE;
}

/* The value in a word of one-letter options, at its end when it is the next word; NULL for none. */
static const char *
find_value(const GArray *entries, const char *word)
{
    for (const char *letter = word + 1; *letter; letter++)
        if (letter_takes_value(entries, *letter))
            return letter + 1;
    return NULL;
}

char **
mf_option_words_split(const GArray *entries, int argc, char **argv, gboolean strict)
{
    g_autoptr(GStrvBuilder) words = g_strv_builder_new();
    gboolean is_value = TRUE; /* argv[0] is no option either */
    int i = 0;

    for (; i < argc && (is_value || !g_str_equal(argv[i], "--")); i++) {
        const char *word = argv[i];
        gboolean is_option = !is_value && word[0] == '-' && word[1];

        if (strict && !is_value && !is_option)
            break;
        is_value = FALSE;
        if (is_option && word[1] == '-') {
            is_value = long_takes_next(entries, word + 2);
        } else if (is_option) {
            const char *value = find_value(entries, word);

            if (value && *value) {
                g_autofree char *option = g_strndup(word, (gsize)(value - word));

                g_strv_builder_add(words, option);
                word = value;
            } else {
                is_value = value != NULL;
            }
        }
        g_strv_builder_add(words, word);
    }
    for (; i < argc; i++)
        g_strv_builder_add(words, argv[i]);
    return g_strv_builder_end(words);
}
