/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/persona.h"

#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/option-words.h"
#include "cli/syntax.h"
#include "report/config-list.h"
#include "suite/config-file.h"
#include "suite/persona-store.h"
#include "wire/json.h"

typedef struct {
    char *config; /* owned; or NULL */
    gboolean json, sources;
    char **operands;    /* owned; or NULL */
    char *directory;    /* owned; of the config file; NULL: there is none */
    GPtrArray *entries; /* owned; of MfPersonaEntry: all that there are */
} Arguments;

static void
arguments_clear(Arguments *self)
{
    g_free(self->config);
    g_strfreev(self->operands);
    g_free(self->directory);
    g_clear_pointer(&self->entries, g_ptr_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Arguments, arguments_clear)

/* Prints 'document', which is taken. */
static void
print_json(json_object *document)
{
    puts(json_object_to_json_string_ext(document, JSON_C_TO_STRING_PRETTY |
                                                      JSON_C_TO_STRING_SPACED |
                                                      JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(document);
}

static json_object *
new_text(const char *text)
{
    g_autofree char *valid = text ? g_utf8_make_valid(text, -1) : NULL;

    return valid ? json_object_new_string(valid) : NULL;
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

    json_object_object_add(object, "path", new_text(persona->path));
    json_object_object_foreach (persona->tree, key, value)
        json_object_object_add(object, key, json_object_get(value));
    return object;
}

/* Those that are wrong are complained of, and left out. */
static int
list(const Arguments *self)
{
    g_autoptr(GPtrArray) personas = g_ptr_array_new_with_free_func((GDestroyNotify)mf_persona_free);
    int status = 0, width = 0;

    for (guint i = 0; i < self->entries->len; i++) {
        g_autoptr(GError) error = NULL;
        MfPersona *persona = mf_persona_store_load(self->entries->pdata[i], &error);

        if (persona) {
            g_ptr_array_add(personas, persona);
            width = MAX(width, (int)strlen(persona->config->id));
        } else {
            mf_cli_complain("%s", error->message);
            status = MF_EXIT_BAD_CONFIG;
        }
    }
    if (self->json) {
        json_object *array = json_object_new_array();

        for (guint i = 0; i < personas->len; i++)
            json_object_array_add(array, persona_to_json(personas->pdata[i]));
        print_json(array);
        return status;
    }
    for (guint i = 0; i < personas->len; i++) {
        const MfPersona *persona = personas->pdata[i];

        printf("%-*s  %s (%s)\n", width, persona->config->id, persona->config->name,
               describe_place(persona->path));
    }
    return status;
}

static int
show(const Arguments *self)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MfPersona) persona =
        mf_persona_store_find(self->directory, self->operands[0], NULL, &error);
    g_autoptr(GPtrArray) trees = g_ptr_array_new();

    if (!persona) {
        mf_cli_complain("%s", error->message);
        return MF_EXIT_USAGE;
    }
    if (self->json) {
        print_json(persona_to_json(persona));
        return 0;
    }
    g_ptr_array_add(trees, persona->tree);
    g_autofree char *text = mf_config_list_text(trees, self->sources);
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
        json_object_object_add(result, "persona", new_text(word));
        json_object_object_add(result, "path", persona ? new_text(persona->path) : NULL);
        json_object_object_add(result, "good", json_object_new_boolean(persona != NULL));
        json_object_object_add(result, "message", error ? new_text(error->message) : NULL);
        json_object_array_add(results, result);
    }
    return persona != NULL;
}

static int
check(const Arguments *self)
{
    json_object *results = self->json ? json_object_new_array() : NULL;
    gboolean good = TRUE;

    for (char **word = self->operands; word && *word; word++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(MfPersona) persona = load_word(self, *word, &error);

        good = check_one(*word, persona, error, results) && good;
    }
    for (guint i = 0; !self->operands && i < self->entries->len; i++) {
        const MfPersonaEntry *entry = self->entries->pdata[i];
        g_autoptr(GError) error = NULL;
        g_autoptr(MfPersona) persona = mf_persona_store_load(entry, &error);

        good = check_one(entry->id, persona, error, results) && good;
    }
    if (results)
        print_json(results);
    return good ? 0 : MF_EXIT_BAD_CONFIG;
}

static const struct {
    const char *name, *operands, *summary;
    guint operands_min, operands_max;
    int (*run)(const Arguments *self);
} verbs[] = {
    {"list", "", "show the personas that there are, and where", 0, 0, list},
    {"show", "ID", "show what a persona says", 1, 1, show},
    {"check", "[ID|FILE]...", "check personas, or all that there are", 0, G_MAXUINT, check},
};

static GOptionContext *
make_context(Arguments *self, gsize verb, GArray *known)
{
    const GOptionEntry entries[] = {
        {"config", 'c', 0, G_OPTION_ARG_FILENAME, &self->config,
         "Look beside FILE, instead of beside mayfly.toml or vmtest.toml", "FILE"},
        {"json", 0, 0, G_OPTION_ARG_NONE, &self->json, "Print JSON instead of text", NULL},
        {"sources", 0, 0, G_OPTION_ARG_NONE, &self->sources,
         "With 'show': say where each value is written", NULL},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &self->operands, NULL, NULL},
        {NULL}};
    GOptionContext *context = g_option_context_new(verbs[verb].operands);
    GOptionGroup *group = g_option_group_new("persona", "", "", NULL, NULL);
    g_autofree char *summary = g_strconcat(verbs[verb].summary, ".", NULL);

    summary[0] = g_ascii_toupper(summary[0]);
    mf_option_words_add(known, group, entries);
    g_option_context_set_main_group(context, group);
    g_option_context_set_summary(context, summary);
    g_option_context_set_description(
        context,
        "A persona is a computer that a target's machine can be like: its SMBIOS tables, "
        "firmware,\n"
        "TPM, processor and memory. It is looked for in 'personas' beside the config file, in\n"
        "'mayfly/personas' of the user's configuration, and in mayfly itself.\n"
        "\n"
        "Example: mayfly persona show dell-xps-13-9320");
    return context;
}

/* A wrong use is reported here. */
static gboolean
parse(Arguments *self, gsize verb, int argc, char **argv)
{
    g_autoptr(GArray) known = mf_option_words_new();
    g_autoptr(GOptionContext) context = make_context(self, verb, known);
    g_autofree char *program = g_strconcat("mayfly persona ", verbs[verb].name, NULL);
    g_autoptr(GError) error = NULL;
    guint count;

    g_set_prgname(program);
    if (!g_option_context_parse(context, &argc, &argv, &error)) {
        mf_cli_complain("%s; '%s --help' tells more.", error->message, program);
        return FALSE;
    }
    count = self->operands ? g_strv_length(self->operands) : 0;
    if (count >= verbs[verb].operands_min && count <= verbs[verb].operands_max)
        return TRUE;
    if (count < verbs[verb].operands_min)
        mf_cli_complain("'%s' needs the id of a persona; 'mayfly persona list' shows them.",
                        program);
    else
        mf_cli_complain("'%s' does not know what to do with '%s'; '%s --help' tells more.", program,
                        self->operands[verbs[verb].operands_max], program);
    return FALSE;
}

static int
run_verb(gsize verb, int argc, char **argv)
{
    g_auto(Arguments) self = {0};
    g_autofree char *here = g_get_current_dir();
    g_autofree char *file = NULL;

    if (!parse(&self, verb, argc, argv))
        return MF_EXIT_USAGE;
    file =
        self.config ? g_canonicalize_filename(self.config, NULL) : mf_config_file_find(here, NULL);
    self.directory = file ? g_path_get_dirname(file) : NULL;
    self.entries = mf_persona_store_list(self.directory);
    return verbs[verb].run(&self);
}

static void
print_help(FILE *to)
{
    fputs("Usage: mayfly persona VERB [OPTION]... [ARGUMENT]...\n\nVerbs:\n", to);
    for (gsize i = 0; i < G_N_ELEMENTS(verbs); i++) {
        g_autofree char *usage = g_strconcat(verbs[i].name, " ", verbs[i].operands, NULL);

        fprintf(to, "  %-20s %s\n", usage, verbs[i].summary);
    }
    fputs("\n'mayfly persona VERB --help' tells more.\n", to);
}

void
mf_cli_persona_describe(GPtrArray *syntax)
{
    for (gsize i = 0; i < G_N_ELEMENTS(verbs); i++) {
        Arguments arguments = {0};
        g_autoptr(GArray) known = mf_option_words_new();
        g_autoptr(GOptionContext) context = make_context(&arguments, i, known);
        g_autofree char *name = g_strconcat("persona ", verbs[i].name, NULL);

        mf_syntax_add_context(syntax, name, verbs[i].operands, context, known);
    }
}

int
mf_cli_persona(int argc, char **argv)
{
    if (argc > 1 && (g_str_equal(argv[1], "-h") || g_str_equal(argv[1], "--help"))) {
        print_help(stdout);
        return 0;
    }
    for (gsize i = 0; argc > 1 && i < G_N_ELEMENTS(verbs); i++)
        if (g_str_equal(argv[1], verbs[i].name))
            return run_verb(i, argc - 1, argv + 1);
    if (argc > 1)
        mf_cli_complain("'%s' is not something 'mayfly persona' can do.", argv[1]);
    print_help(stderr);
    return MF_EXIT_USAGE;
}
