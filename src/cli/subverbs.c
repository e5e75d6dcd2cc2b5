/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/subverbs.h"

#include <stdio.h>
#include <string.h>

#include "base/suggest.h"
#include "cli/cli.h"

static const char *
get_name(const MfSubverb *self)
{
    return strrchr(self->program, ' ') + 1;
}

static void
print_help(const char *verb, const MfSubverb *subverbs, const char *text, FILE *to)
{
    fprintf(to, "Usage: mayfly %s VERB [OPTION]... [ARGUMENT]...\n\n%s%sVerbs:\n", verb,
            text ? text : "", text ? "\n\n" : "");
    for (const MfSubverb *one = subverbs; one->program; one++)
        fprintf(to, "  %-8s %s\n", get_name(one), one->summary);
    fprintf(to, "\n'mayfly %s VERB --help' tells more.\n", verb);
}

static void
complain_of_name(const char *verb, const MfSubverb *subverbs, const char *name)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    g_autofree char *hint = NULL;
    const char *near;

    for (const MfSubverb *one = subverbs; one->program; one++)
        g_ptr_array_add(names, (gpointer)get_name(one));
    g_ptr_array_add(names, NULL);
    near = mf_suggest(name, (const char *const *)names->pdata);
    hint = near ? g_strdup_printf(" (did you mean '%s'?)", near) : g_strdup("");
    mf_cli_complain(
        "'%s' is not something that 'mayfly %s' can do%s; 'mayfly %s --help' lists what is.", name,
        verb, hint, verb);
}

int
mf_subverbs_run(const MfSubverb *subverbs, const char *text, int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : NULL;

    if (g_strcmp0(name, "-h") == 0 || g_strcmp0(name, "--help") == 0) {
        print_help(argv[0], subverbs, text, stdout);
        return 0;
    }
    for (const MfSubverb *one = subverbs; name && one->program; one++)
        if (g_str_equal(name, get_name(one)))
            return one->run(one, argc - 1, argv + 1);
    if (name)
        complain_of_name(argv[0], subverbs, name);
    else
        print_help(argv[0], subverbs, text, stderr);
    return MF_EXIT_USAGE;
}

MfVerbOptions *
mf_subverb_new_options(const MfSubverb *self, char ***ret_words)
{
    g_autofree char *sentence = g_strconcat(self->summary, ".", NULL);
    MfVerbOptions *options;

    sentence[0] = g_ascii_toupper(sentence[0]);
    options = mf_verb_options_new(self->program, sentence, self->description);
    mf_verb_options_add_operands(options, &self->operands, ret_words);
    return options;
}
