/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/persona.h"

#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/subverbs.h"
#include "report/config-list.h"
#include "suite/config-file.h"
#include "suite/persona-store.h"
#include "wire/json.h"

enum { HAS_SOURCES = 1 };

typedef struct {
    char *config; /* owned; or NULL */
    gboolean json, sources;
    char **operands; /* owned; or NULL */
    char *directory; /* owned; of the config file; NULL: there is none */
} Arguments;

static void
arguments_clear(Arguments *self)
{
    g_free(self->config);
    g_strfreev(self->operands);
    g_free(self->directory);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Arguments, arguments_clear)

static MfVerbOptions *
make_options(const MfSubverb *verb, Arguments *self)
{
    const GOptionEntry entries[] = {
        {"config", 'c', 0, G_OPTION_ARG_FILENAME, &self->config,
         "Look beside FILE, instead of beside mayfly.toml or vmtest.toml", "FILE"},
        {"json", 0, 0, G_OPTION_ARG_NONE, &self->json, "Print JSON instead of text", NULL},
        {NULL}};
    const GOptionEntry sources[] = {{"sources", 0, 0, G_OPTION_ARG_NONE, &self->sources,
                                     "Say where each value is written", NULL},
                                    {NULL}};
    MfVerbOptions *options = mf_subverb_new_options(verb, &self->operands);

    mf_verb_options_add(options, entries);
    if (verb->options & HAS_SOURCES)
        mf_verb_options_add(options, sources);
    return options;
}

/* FALSE, and said, when the words are wrong. */
static gboolean
begin(const MfSubverb *verb, Arguments *self, int argc, char **argv)
{
    g_autoptr(MfVerbOptions) options = make_options(verb, self);
    g_autofree char *here = g_get_current_dir();
    g_autofree char *file = NULL;

    if (!mf_verb_options_parse(options, argc, argv))
        return FALSE;
    file = self->config ? g_canonicalize_filename(self->config, NULL)
                        : mf_config_file_find(here, NULL);
    self->directory = file ? g_path_get_dirname(file) : NULL;
    return TRUE;
}

/* Where it is, for people. */
static const char *
describe_place(const char *path)
{
    return path ? path : "in mayfly itself";
}

/* The file's keys and, as "path", where it is: null for one of mayfly's own. */
static json_object *
persona_to_json(const MfPersona *persona)
{
    json_object *object = json_object_new_object();

    json_object_object_add(object, "path", mf_json_new_text(persona->path));
    json_object_object_foreach (persona->tree, key, value)
        json_object_object_add(object, key, json_object_get(value));
    return object;
}

static void
print_json(json_object *document)
{
    g_autofree char *text = mf_json_to_text(document);

    fputs(text, stdout);
}

static void
print_list(const GPtrArray *personas)
{
    int width = 0;

    for (guint i = 0; i < personas->len; i++) {
        const MfPersona *persona = personas->pdata[i];

        width = MAX(width, (int)strlen(persona->config->id));
    }
    for (guint i = 0; i < personas->len; i++) {
        const MfPersona *persona = personas->pdata[i];

        printf("%-*s  %s (%s)\n", width, persona->config->id, persona->config->name,
               describe_place(persona->path));
    }
}

/* Those that are wrong are complained of, and left out. */
static int
list(const MfSubverb *verb, int argc, char **argv)
{
    g_auto(Arguments) self = {0};
    g_autoptr(GPtrArray) personas = g_ptr_array_new_with_free_func((GDestroyNotify)mf_persona_free);
    int status = 0;

    if (!begin(verb, &self, argc, argv))
        return MF_EXIT_USAGE;

    g_autoptr(GPtrArray) entries = mf_persona_store_list(self.directory);

    for (guint i = 0; i < entries->len; i++) {
        g_autoptr(GError) error = NULL;
        MfPersona *persona = mf_persona_store_load(entries->pdata[i], &error);

        if (persona) {
            g_ptr_array_add(personas, persona);
        } else {
            mf_cli_complain("%s", error->message);
            status = MF_EXIT_BAD_CONFIG;
        }
    }
    if (!self.json) {
        print_list(personas);
        return status;
    }

    g_autoptr(json_object) array = json_object_new_array();

    for (guint i = 0; i < personas->len; i++)
        json_object_array_add(array, persona_to_json(personas->pdata[i]));
    print_json(array);
    return status;
}

static int
show(const MfSubverb *verb, int argc, char **argv)
{
    g_auto(Arguments) self = {0};
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) trees = g_ptr_array_new();

    if (!begin(verb, &self, argc, argv))
        return MF_EXIT_USAGE;

    g_autoptr(MfPersona) persona =
        mf_persona_store_find(self.directory, self.operands[0], NULL, &error);

    if (!persona)
        return mf_cli_fail(error, MF_EXIT_USAGE);
    if (self.json) {
        g_autoptr(json_object) object = persona_to_json(persona);

        print_json(object);
        return 0;
    }
    g_ptr_array_add(trees, persona->tree);
    g_autofree char *text = mf_config_list_text(trees, self.sources);

    fputs(text, stdout);
    return 0;
}

/* A word with a slash or a suffix is a file, any other one an id. */
static MfPersona *
load_word(const Arguments *self, const char *word, GError **error)
{
    if (strchr(word, '/') || !mf_persona_is_id(word))
        return mf_persona_store_load_file(word, error);
    return mf_persona_store_find(self->directory, word, NULL, error);
}

/* Says of one whether it is right; returns that. Adds to 'results' (NULL: prints). */
static gboolean
check_one(const char *word, MfPersona *persona, const GError *error, json_object *results)
{
    json_object *result;

    if (!results && persona)
        printf("%s: good (%s)\n", persona->config->id, describe_place(persona->path));
    else if (!results)
        mf_cli_complain("%s", error->message);
    if (results) {
        result = json_object_new_object();
        json_object_object_add(result, "persona", mf_json_new_text(word));
        json_object_object_add(result, "path", persona ? mf_json_new_text(persona->path) : NULL);
        json_object_object_add(result, "good", json_object_new_boolean(persona != NULL));
        json_object_object_add(result, "message", error ? mf_json_new_text(error->message) : NULL);
        json_object_array_add(results, result);
    }
    return persona != NULL;
}

static int
check(const MfSubverb *verb, int argc, char **argv)
{
    g_auto(Arguments) self = {0};
    gboolean good = TRUE;

    if (!begin(verb, &self, argc, argv))
        return MF_EXIT_USAGE;

    g_autoptr(json_object) results = self.json ? json_object_new_array() : NULL;
    g_autoptr(GPtrArray) entries = self.operands ? NULL : mf_persona_store_list(self.directory);

    for (char **word = self.operands; word && *word; word++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(MfPersona) persona = load_word(&self, *word, &error);

        good = check_one(*word, persona, error, results) && good;
    }
    for (guint i = 0; entries && i < entries->len; i++) {
        const MfPersonaEntry *entry = entries->pdata[i];
        g_autoptr(GError) error = NULL;
        g_autoptr(MfPersona) persona = mf_persona_store_load(entry, &error);

        good = check_one(entry->id, persona, error, results) && good;
    }
    if (results)
        print_json(results);
    return good ? 0 : MF_EXIT_BAD_CONFIG;
}

static const char text[] =
    "A persona is a computer that a target's machine can be like: its SMBIOS tables, firmware,\n"
    "TPM, processor and memory. It is looked for in 'personas' beside the config file, in\n"
    "'mayfly/personas' of the user's configuration, and in mayfly itself.";

static const MfSubverb verbs[] = {
    {.program = "mayfly persona list",
     .summary = "show the personas that there are, and where",
     .description = "Example: mayfly persona list",
     .run = list},
    {.program = "mayfly persona show",
     .operands = {"ID", "the id of a persona, which 'mayfly persona list' shows", 1, 1},
     .summary = "show what a persona says",
     .description = "Example: mayfly persona show dell-xps-13-9320",
     .options = HAS_SOURCES,
     .run = show},
    {.program = "mayfly persona check",
     .operands = {"[ID|FILE]...", NULL, 0, G_MAXUINT},
     .summary = "check personas, or all that there are",
     .description = "Example: mayfly persona check ./personas/board.toml",
     .run = check},
    {NULL},
};

void
mf_cli_persona_describe(GPtrArray *syntax)
{
    for (const MfSubverb *verb = verbs; verb->program; verb++) {
        Arguments arguments = {0};
        g_autoptr(MfVerbOptions) options = make_options(verb, &arguments);

        mf_verb_options_describe(options, syntax);
    }
}

int
mf_cli_persona(int argc, char **argv)
{
    return mf_subverbs_run(verbs, text, argc, argv);
}
