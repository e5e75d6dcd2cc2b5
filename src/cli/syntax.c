/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/syntax.h"

#include "cli/option-words.h"
#include "wire/json.h"

static void
syntax_free(gpointer data)
{
    MfSyntax *self = data;

    g_free(self->name);
    g_free(self->operands);
    g_free(self->summary);
    g_free(self->description);
    g_array_unref(self->options);
    g_free(self);
}

GPtrArray *
mf_syntax_new(void)
{
    return g_ptr_array_new_with_free_func(syntax_free);
}

static gboolean
is_shown(const GOptionEntry *entry)
{
    return !(entry->flags & G_OPTION_FLAG_HIDDEN) && *entry->long_name;
}

void
mf_syntax_add(GPtrArray *verbs, const char *name, const char *operands, const char *summary,
              const char *description, const GArray *entries)
{
    MfSyntax *self = g_new0(MfSyntax, 1);

    self->name = g_strdup(name);
    self->operands = g_strdup(operands);
    self->summary = g_strdup(summary);
    self->description = g_strdup(description);
    self->options = g_array_new(FALSE, FALSE, sizeof(GOptionEntry));
    for (guint i = 0; i < entries->len; i++) {
        const GOptionEntry *entry = &g_array_index(entries, GOptionEntry, i);

        if (is_shown(entry))
            g_array_append_vals(self->options, entry, 1);
    }
    g_ptr_array_add(verbs, self);
}

/* An option that is counted, such as -v, is a callback without a value. */
static json_object *
option_to_json(const GOptionEntry *entry)
{
    json_object *object = json_object_new_object();
    const char letter[] = {entry->short_name, '\0'};
    gboolean several = entry->arg == G_OPTION_ARG_STRING_ARRAY ||
                       entry->arg == G_OPTION_ARG_FILENAME_ARRAY ||
                       entry->arg == G_OPTION_ARG_CALLBACK;

    json_object_object_add(object, "long", json_object_new_string(entry->long_name));
    json_object_object_add(object, "short", mf_json_new_text(*letter ? letter : NULL));
    json_object_object_add(
        object, "value",
        mf_json_new_text(mf_option_takes_value(entry) ? entry->arg_description : NULL));
    json_object_object_add(object, "several", json_object_new_boolean(several));
    json_object_object_add(object, "help", mf_json_new_text(entry->description));
    return object;
}

static json_object *
verb_to_json(const MfSyntax *verb)
{
    json_object *object = json_object_new_object();
    json_object *options = json_object_new_array();

    for (guint i = 0; i < verb->options->len; i++)
        json_object_array_add(options,
                              option_to_json(&g_array_index(verb->options, GOptionEntry, i)));
    json_object_object_add(object, "name", json_object_new_string(verb->name));
    json_object_object_add(object, "operands", json_object_new_string(verb->operands));
    json_object_object_add(object, "summary", mf_json_new_text(verb->summary));
    json_object_object_add(object, "description", mf_json_new_text(verb->description));
    json_object_object_add(object, "options", options);
    return object;
}

json_object *
mf_syntax_to_json(const GPtrArray *verbs)
{
    json_object *array = json_object_new_array();

    for (guint i = 0; i < verbs->len; i++)
        json_object_array_add(array, verb_to_json(verbs->pdata[i]));
    return array;
}
