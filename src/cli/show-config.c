/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/show-config.h"

#include <stdio.h>

#include "base/error.h"
#include "cli/cli.h"
#include "cli/option-words.h"
#include "cli/syntax.h"
#include "cli/verb-options.h"
#include "report/config-list.h"
#include "suite/config.h"

typedef struct {
    char *config, *profile; /* owned; or NULL */
    char **settings;        /* owned; of --set; or NULL */
    gboolean sources, json, verbose;
    char **operands; /* owned; or NULL */
} Arguments;

static void
arguments_clear(Arguments *self)
{
    g_free(self->config);
    g_free(self->profile);
    g_strfreev(self->settings);
    g_strfreev(self->operands);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Arguments, arguments_clear)

/* 'known' is filled with the options. */
static GOptionContext *
make_context(Arguments *arguments, GArray *known)
{
    const GOptionEntry entries[] = {
        {"config", 'c', 0, G_OPTION_ARG_FILENAME, &arguments->config,
         "Read FILE instead of mayfly.toml or vmtest.toml", "FILE"},
        {"profile", 'p', 0, G_OPTION_ARG_FILENAME, &arguments->profile,
         "Apply the file's [profile.NAME]", "NAME"},
        {"set", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &arguments->settings,
         "Set KEY, such as vm.memory, in every target", "KEY=VALUE"},
        {"sources", 0, 0, G_OPTION_ARG_NONE, &arguments->sources, "Say where each value comes from",
         NULL},
        {"json", 0, 0, G_OPTION_ARG_NONE, &arguments->json, "Print JSON instead of text", NULL},
        {"verbose", 'v', 0, G_OPTION_ARG_NONE, &arguments->verbose,
         "Tell of MAYFLY_* variables that are no keys", NULL},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &arguments->operands, NULL, NULL},
        {NULL}};

    return mf_verb_options_new(
        known, "config", "[TARGET]", entries,
        "Show the targets of the config file with all that has a say in them: defaults, "
        "the file, its profile, MAYFLY_* variables and --set.",
        "Example:\n  mayfly config --sources --profile ci");
}

/* A wrong use is reported here. */
static gboolean
parse(int argc, char **argv, Arguments *arguments)
{
    g_autoptr(GArray) known = mf_option_words_new();
    g_autoptr(GOptionContext) context = make_context(arguments, known);

    if (!mf_verb_options_parse(context, known, "mayfly config", argc, argv))
        return FALSE;
    if (arguments->operands && arguments->operands[0] && arguments->operands[1]) {
        mf_cli_complain("'mayfly config' takes one target, but got '%s' and '%s'; 'mayfly config "
                        "--help' tells more.",
                        arguments->operands[0], arguments->operands[1]);
        return FALSE;
    }
    return TRUE;
}

static MfConfig *
load(const Arguments *arguments, GError **error)
{
    g_auto(GStrv) environment = g_get_environ();
    g_autoptr(GPtrArray) set = g_ptr_array_new();

    for (char **setting = arguments->settings; setting && *setting; setting++) {
        g_ptr_array_add(set, (gpointer) "--set");
        g_ptr_array_add(set, *setting);
    }
    g_ptr_array_add(set, NULL);

    const MfConfigSources sources = {.path = arguments->config,
                                     .profile = arguments->profile,
                                     .environment = environment,
                                     .set = (const char *const *)set->pdata};
    return mf_config_load(&sources, error);
}

static int
fail(const GError *error)
{
    mf_cli_complain("%s", error->message);
    return g_error_matches(error, MF_ERROR, MF_ERROR_CONFIG) ? MF_EXIT_BAD_CONFIG
                                                             : MF_EXIT_UNAVAILABLE;
}

void
mf_cli_config_describe(GPtrArray *verbs)
{
    Arguments arguments = {0};
    g_autoptr(GArray) known = mf_option_words_new();
    g_autoptr(GOptionContext) context = make_context(&arguments, known);

    mf_syntax_add_context(verbs, "config", "[TARGET]", context, known);
}

int
mf_cli_config(int argc, char **argv)
{
    g_auto(Arguments) arguments = {0};
    g_autoptr(MfConfig) config = NULL;
    g_autoptr(GPtrArray) some = NULL;
    g_autoptr(GError) error = NULL;
    const GPtrArray *targets;
    g_autofree char *text = NULL;

    if (!parse(argc, argv, &arguments))
        return MF_EXIT_USAGE;
    mf_cli_set_verbosity(arguments.verbose);
    config = load(&arguments, &error);
    if (!config)
        return fail(error);
    targets = mf_config_get_targets(config);
    if (arguments.operands && arguments.operands[0]) {
        targets = some = mf_config_list_find(targets, arguments.operands[0], &error);
        if (!some) {
            mf_cli_complain("%s", error->message);
            return MF_EXIT_USAGE;
        }
    }
    text = arguments.json ? mf_config_list_json(targets, arguments.sources)
                          : mf_config_list_text(targets, arguments.sources);
    fputs(text, stdout);
    return 0;
}
