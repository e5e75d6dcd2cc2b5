/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/show-config.h"

#include <stdio.h>

#include "cli/cli.h"
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

static MfVerbOptions *
make_options(Arguments *arguments)
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
        {NULL}};
    const MfOperands target = {"[TARGET]", "one target", 0, 1};
    MfVerbOptions *options = mf_verb_options_new(
        "mayfly config",
        "Show the targets of the config file with all that has a say in them: defaults, "
        "the file, its profile, MAYFLY_* variables and --set.",
        "Example:\n  mayfly config --sources --profile ci");

    mf_verb_options_add(options, entries);
    mf_verb_options_add_operands(options, &target, &arguments->operands);
    return options;
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

void
mf_cli_config_describe(GPtrArray *verbs)
{
    Arguments arguments = {0};
    g_autoptr(MfVerbOptions) options = make_options(&arguments);

    mf_verb_options_describe(options, verbs);
}

int
mf_cli_config(int argc, char **argv)
{
    g_auto(Arguments) arguments = {0};
    g_autoptr(MfVerbOptions) options = make_options(&arguments);
    g_autoptr(MfConfig) config = NULL;
    g_autoptr(GPtrArray) some = NULL;
    g_autoptr(GError) error = NULL;
    const GPtrArray *targets;
    g_autofree char *text = NULL;

    if (!mf_verb_options_parse(options, argc, argv))
        return MF_EXIT_USAGE;
    mf_cli_set_verbosity(arguments.verbose);
    config = load(&arguments, &error);
    if (!config)
        return mf_cli_fail(error, MF_EXIT_BAD_CONFIG);
    targets = mf_config_get_targets(config);
    if (arguments.operands) {
        targets = some = mf_config_list_find(targets, arguments.operands[0], &error);
        if (!some)
            return mf_cli_fail(error, MF_EXIT_USAGE);
    }
    text = arguments.json ? mf_config_list_json(targets, arguments.sources)
                          : mf_config_list_text(targets, arguments.sources);
    fputs(text, stdout);
    return 0;
}
