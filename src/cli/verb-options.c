/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/verb-options.h"

#include <string.h>

#include "base/error.h"
#include "base/suggest.h"
#include "cli/cli.h"
#include "cli/option-words.h"
#include "cli/syntax.h"

/* What messages call the program, and the syntax leaves out. */
#define PROGRAM_PREFIX "mayfly "

struct _MfVerbOptions {
    char *program, *summary; /* owned */
    char *description;       /* owned; or NULL */
    GArray *entries;         /* owned; of GOptionEntry, zero-terminated, with borrowed texts */
    int *verbose_level;      /* borrowed; or NULL */
    MfOperands operands;
    char ***words; /* borrowed; where the operands go; or NULL */
    gboolean ends_at_operand;
};

MfVerbOptions *
mf_verb_options_new(const char *program, const char *summary, const char *description)
{
    MfVerbOptions *self = g_new0(MfVerbOptions, 1);

    self->program = g_strdup(program);
    self->summary = g_strdup(summary);
    self->description = g_strdup(description);
    self->entries = g_array_new(TRUE, FALSE, sizeof(GOptionEntry));
    return self;
}

void
mf_verb_options_free(MfVerbOptions *self)
{
    if (!self)
        return;
    g_free(self->program);
    g_free(self->summary);
    g_free(self->description);
    g_array_unref(self->entries);
    g_free(self);
}

void
mf_verb_options_add(MfVerbOptions *self, const GOptionEntry *entries)
{
    for (; entries->long_name; entries++)
        g_array_append_vals(self->entries, entries, 1);
}

static gboolean
count_verbose(const char *name, const char *value, gpointer data, GError **error)
{
    MfVerbOptions *self = data;

    ++*self->verbose_level;
    return TRUE;
}

void
mf_verb_options_add_verbose(MfVerbOptions *self, int *level)
{
    const GOptionEntry entries[] = {{"verbose", 'v', G_OPTION_FLAG_NO_ARG, G_OPTION_ARG_CALLBACK,
                                     (gpointer)count_verbose,
                                     "Say what is done and why; twice for more", NULL},
                                    {NULL}};

    self->verbose_level = level;
    mf_verb_options_add(self, entries);
}

void
mf_verb_options_add_operands(MfVerbOptions *self, const MfOperands *operands, char ***ret_words)
{
    self->operands = *operands;
    self->words = ret_words;
}

void
mf_verb_options_end_at_operand(MfVerbOptions *self)
{
    self->ends_at_operand = TRUE;
}

static GOptionContext *
make_context(MfVerbOptions *self, char ***ret_words)
{
    const GOptionEntry operands[] = {
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, ret_words, NULL, NULL}, {NULL}};
    GOptionContext *context = g_option_context_new(self->operands.shown);
    GOptionGroup *group = g_option_group_new("verb", "", "", self, NULL);

    g_option_group_add_entries(group, (const GOptionEntry *)(gconstpointer)self->entries->data);
    g_option_group_add_entries(group, operands);
    g_option_context_set_main_group(context, group);
    g_option_context_set_strict_posix(context, self->ends_at_operand);
    g_option_context_set_summary(context, self->summary);
    g_option_context_set_description(context, self->description);
    return context;
}

/* The option that is most likely meant by the one that GOption did not know; NULL when there is
 * none. Borrowed. */
static const char *
suggest_option(const MfVerbOptions *self, char **words, const GError *cause)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    if (!g_error_matches(cause, G_OPTION_ERROR, G_OPTION_ERROR_UNKNOWN_OPTION))
        return NULL;
    for (guint i = 0; i < self->entries->len; i++) {
        const GOptionEntry *entry = &g_array_index(self->entries, GOptionEntry, i);

        if (!(entry->flags & G_OPTION_FLAG_HIDDEN))
            g_ptr_array_add(names, (gpointer)entry->long_name);
    }
    g_ptr_array_add(names, NULL);
    for (; *words && !g_str_equal(*words, "--"); words++) {
        if (!g_str_has_prefix(*words, "--") || !strstr(cause->message, *words))
            continue;
        g_autofree char *name = g_strndup(*words + 2, strcspn(*words + 2, "="));

        return mf_suggest(name, (const char *const *)names->pdata);
    }
    return NULL;
}

static void
set_option_error(const MfVerbOptions *self, char **words, const GError *cause, GError **error)
{
    const char *meant = suggest_option(self, words, cause);

    if (meant)
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "%s: did you mean --%s? ('%s --help' lists the options.)", cause->message,
                    meant, self->program);
    else
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG, "%s ('%s --help' lists the options).",
                    cause->message, self->program);
}

static gboolean
check_operands(const MfVerbOptions *self, char **words, GError **error)
{
    guint count = words ? g_strv_length(words) : 0;

    if (count > self->operands.max && self->operands.needed)
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "'%s' takes %s, and does not know what to do with '%s'; '%s --help' tells "
                    "more.",
                    self->program, self->operands.needed, words[self->operands.max], self->program);
    else if (count > self->operands.max)
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "'%s' does not know what to do with '%s'; '%s --help' tells more.",
                    self->program, words[self->operands.max], self->program);
    else if (count < self->operands.min)
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG, "'%s' needs %s; '%s --help' tells more.",
                    self->program, self->operands.needed, self->program);
    else
        return TRUE;
    return FALSE;
}

gboolean
mf_verb_options_read(MfVerbOptions *self, int argc, char **argv, GError **error)
{
    g_auto(GStrv) operands = NULL;
    g_autoptr(GOptionContext) context = make_context(self, &operands);
    g_auto(GStrv) words = mf_option_words_split(self->entries, argc, argv, self->ends_at_operand);
    g_autoptr(GError) cause = NULL;

    g_set_prgname(self->program);
    if (!g_option_context_parse_strv(context, &words, &cause)) {
        set_option_error(self, words, cause, error);
        return FALSE;
    }
    if (!check_operands(self, operands, error))
        return FALSE;
    if (self->words)
        *self->words = g_steal_pointer(&operands);
    return TRUE;
}

gboolean
mf_verb_options_parse(MfVerbOptions *self, int argc, char **argv)
{
    g_autoptr(GError) error = NULL;

    if (mf_verb_options_read(self, argc, argv, &error))
        return TRUE;
    mf_cli_complain("%s", error->message);
    return FALSE;
}

void
mf_verb_options_describe(const MfVerbOptions *self, GPtrArray *verbs)
{
    const char *operands = self->operands.shown ? self->operands.shown : "";

    g_return_if_fail(g_str_has_prefix(self->program, PROGRAM_PREFIX));
    mf_syntax_add(verbs, self->program + strlen(PROGRAM_PREFIX), operands, self->summary,
                  self->description, self->entries);
}
