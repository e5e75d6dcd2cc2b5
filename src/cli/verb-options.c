/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/verb-options.h"

#include "cli/cli.h"
#include "cli/option-words.h"

GOptionContext *
mf_verb_options_new(GArray *known, const char *verb, const char *operands,
                    const GOptionEntry *entries, const char *summary, const char *description)
{
    GOptionContext *context = g_option_context_new(operands);
    GOptionGroup *group = g_option_group_new(verb, "", "", NULL, NULL);

    mf_option_words_add(known, group, entries);
    g_option_context_set_main_group(context, group);
    g_option_context_set_summary(context, summary);
    g_option_context_set_description(context, description);
    return context;
}

gboolean
mf_verb_options_parse(GOptionContext *context, const GArray *known, const char *program, int argc,
                      char **argv)
{
    gboolean strict = g_option_context_get_strict_posix(context);
    g_auto(GStrv) words = mf_option_words_split(known, argc, argv, strict);
    g_autoptr(GError) error = NULL;

    g_set_prgname(program);
    if (g_option_context_parse_strv(context, &words, &error))
        return TRUE;
    mf_cli_complain("%s; '%s --help' tells more.", error->message, program);
    return FALSE;
}
