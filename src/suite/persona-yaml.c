/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/persona-yaml.h"

#include <string.h>
#include <yaml.h>

#include "base/suggest.h"
#include "suite/origin.h"
#include "wire/json.h"

#define SCHEMA_VERSION "1"

/* Where its keys are in a persona of ours, dotted. */
static const struct {
    const char *from, *to;
} keys[] = {
    {"id", "id"},
    {"vendor", "vendor"},
    {"display_name", "name"},
    {"year", "year"},
    {"source.kind", "source.type"},
    {"source.ref_", "source.reference"},
    {"source.captured_at", "source.date"},
    {"dmi.sys_vendor", "hardware.smbios.sys_vendor"},
    {"dmi.product_name", "hardware.smbios.product_name"},
    {"dmi.product_version", "hardware.smbios.product_version"},
    {"dmi.bios_vendor", "hardware.smbios.bios_vendor"},
    {"dmi.bios_version", "hardware.smbios.bios_version"},
    {"dmi.bios_date", "hardware.smbios.bios_date"},
    {"dmi.board_name", "hardware.smbios.board_name"},
    {"secure_boot.ovmf_variant", "hardware.secure_boot"},
    {"secure_boot.custom_keyring", "hardware.secure_boot_vars"},
    {"tpm.version", "hardware.tpm"},
    {"quirks", "quirks"},
};

/* What some of its values are called here. */
static const struct {
    const char *key, *from, *to;
} values[] = {
    {"secure_boot.ovmf_variant", "ms_enrolled", "ms"},
    {"secure_boot.ovmf_variant", "custom_pk", "custom"},
    {"secure_boot.ovmf_variant", "setup_mode", "setup"},
    {"secure_boot.ovmf_variant", "disabled", "off"},
};

/* The only value of a key that has nothing to be done for; NULL: there is none. */
static const struct {
    const char *key, *value;
} inert[] = {
    {"schema_version", SCHEMA_VERSION}, {"kernel.lockdown", "inherit"}, {"dmi.chassis_type", NULL},
    {"tpm.manufacturer", NULL},         {"tpm.firmware_version", NULL},
};

typedef struct {
    const char *file;
    yaml_document_t *document;
    guint n_values;
    GError **error;
} Reader;

static MfOrigin
make_origin(const Reader *self, const yaml_mark_t *mark)
{
    return (MfOrigin){
        .kind = MF_ORIGIN_FILE,
        .name = g_intern_string(self->file),
        .line = (guint)mark->line + 1,
        .column = (guint)mark->column + 1,
    };
}

static json_object *
fail_at(const Reader *self, const yaml_mark_t *mark, const char *sentence)
{
    const MfOrigin origin = make_origin(self, mark);

    mf_origin_set_error(self->error, &origin, "%s", sentence);
    return NULL;
}

static json_object *read_node(Reader *self, int index, guint depth);

/* Whether a scalar is a number, and nothing that only looks like one. */
static gboolean
is_integer(const yaml_node_t *node, const char *text)
{
    gsize length = strlen(text);

    return node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && length > 0 && length < 10 &&
           strspn(text, "0123456789") == length && (length == 1 || *text != '0');
}

static json_object *
read_scalar(const yaml_node_t *node)
{
    const char *text = (const char *)node->data.scalar.value;

    if (is_integer(node, text))
        return json_object_new_int64(g_ascii_strtoll(text, NULL, 10));
    return json_object_new_string_len(text, (int)node->data.scalar.length);
}

static json_object *
read_sequence(Reader *self, const yaml_node_t *node, guint depth)
{
    g_autoptr(json_object) array = json_object_new_array();

    for (yaml_node_item_t *item = node->data.sequence.items.start;
         item < node->data.sequence.items.top; item++) {
        json_object *value = read_node(self, *item, depth + 1);

        if (!value)
            return NULL;
        json_object_array_add(array, value);
    }
    return g_steal_pointer(&array);
}

static json_object *
read_mapping(Reader *self, const yaml_node_t *node, guint depth)
{
    g_autoptr(json_object) table = json_object_new_object();

    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = yaml_document_get_node(self->document, pair->key);
        const char *name = (const char *)key->data.scalar.value;
        json_object *value;

        if (key->type != YAML_SCALAR_NODE || strlen(name) != key->data.scalar.length)
            return fail_at(self, &key->start_mark, "A key is a text without NUL.");
        if (json_object_object_get_ex(table, name, NULL))
            return fail_at(self, &key->start_mark, "The key is there already.");
        value = read_node(self, pair->value, depth + 1);
        if (!value)
            return NULL;
        json_object_object_add(table, name, value);
    }
    return g_steal_pointer(&table);
}

static json_object *
read_node(Reader *self, int index, guint depth)
{
    const yaml_node_t *node = yaml_document_get_node(self->document, index);
    const MfOrigin origin = make_origin(self, &node->start_mark);
    json_object *value;

    /* An alias can stand for all that is around it. */
    if (depth > MF_PERSONA_YAML_DEPTH_MAX || ++self->n_values > MF_PERSONA_YAML_VALUES_MAX)
        return fail_at(self, &node->start_mark, "This is too much, or too deep, for a persona.");
    value = node->type == YAML_MAPPING_NODE    ? read_mapping(self, node, depth)
            : node->type == YAML_SEQUENCE_NODE ? read_sequence(self, node, depth)
                                               : read_scalar(node);
    if (value)
        mf_origin_set(value, &origin);
    return value;
}

static json_object *
read_document(const char *text, gsize size, const char *file, GError **error)
{
    yaml_parser_t parser;
    yaml_document_t document;
    Reader self = {file, &document, 0, error};
    json_object *tree = NULL;

    if (!yaml_parser_initialize(&parser))
        g_error("There is no memory for a parser of YAML.");
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
    if (!yaml_parser_load(&parser, &document)) {
        g_autofree char *sentence = g_strdup_printf("This is not YAML: %s.", parser.problem);

        fail_at(&self, &parser.problem_mark, sentence);
        yaml_parser_delete(&parser);
        return NULL;
    }
    if (yaml_document_get_root_node(&document))
        tree = read_node(&self, 1, 1);
    else
        fail_at(&self, &document.start_mark, "There is nothing in the file.");
    yaml_document_delete(&document);
    yaml_parser_delete(&parser);
    return tree;
}

/*
 * From its keys to ours
 */

/* Puts 'value' (taken) at the dotted 'path'. */
static void
put(json_object *tree, const char *path, json_object *value)
{
    g_auto(GStrv) steps = g_strsplit(path, ".", -1);
    const MfOrigin *origin = mf_origin_get(value);
    char **step = steps;

    for (; step[1]; step++) {
        json_object *next = json_object_object_get(tree, *step);

        if (!next) {
            next = json_object_new_object();
            if (origin)
                mf_origin_set(next, origin);
            json_object_object_add(tree, *step, next);
        }
        tree = next;
    }
    json_object_object_add(tree, *step, value);
}

/* A text of our own, at the place of 'source'. */
static json_object *
new_text(const char *text, json_object *source)
{
    json_object *value = json_object_new_string(text);

    if (mf_origin_get(source))
        mf_origin_set(value, mf_origin_get(source));
    return value;
}

static json_object *
translate(const char *key, json_object *value)
{
    const char *text =
        json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;

    for (gsize i = 0; text && i < G_N_ELEMENTS(values); i++)
        if (g_str_equal(values[i].key, key) && g_str_equal(values[i].from, text))
            return new_text(values[i].to, value);
    return json_object_get(value);
}

/* Sets *error to what is wrong with a key that is no key of ours. */
static void
refuse(const char *key, json_object *value, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    const char *near;

    for (gsize i = 0; i < G_N_ELEMENTS(inert); i++) {
        if (!g_str_equal(inert[i].key, key))
            continue;
        if (inert[i].value)
            mf_origin_set_error(error, mf_origin_get(value),
                                "Key '%s' is '%s', but it can only be '%s' here.", key,
                                json_object_get_string(value), inert[i].value);
        else
            mf_origin_set_error(error, mf_origin_get(value),
                                "Key '%s' has no effect on QEMU's machines: leave it out.", key);
        return;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++)
        g_ptr_array_add(names, (gpointer)keys[i].from);
    g_ptr_array_add(names, NULL);
    near = mf_suggest(key, (const char *const *)names->pdata);
    mf_origin_set_error(error, mf_origin_get(value), "There is no key '%s'%s%s%s.", key,
                        near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "");
}

static gboolean
take_key(json_object *persona, const char *key, json_object *value, GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
        if (!g_str_equal(keys[i].from, key))
            continue;
        put(persona, keys[i].to, translate(key, value));
        return TRUE;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(inert); i++)
        if (g_str_equal(inert[i].key, key) && inert[i].value &&
            g_str_equal(json_object_get_string(value), inert[i].value))
            return TRUE;
    refuse(key, value, error);
    return FALSE;
}

/* Which scenarios are run on it, and which are not. */
static gboolean
take_scenarios(json_object *persona, json_object *scenarios, GError **error)
{
    json_object *skip = json_object_new_array();

    put(persona, "skip", skip);
    json_object_object_foreach (scenarios, name, value) {
        const char *text = json_object_get_string(value);

        if (g_str_equal(text, "skip")) {
            json_object_array_add(skip, new_text(name, value));
        } else if (!g_str_equal(text, "run")) {
            mf_origin_set_error(error, mf_origin_get(value),
                                "Key 'scenarios.%s' is '%s', but one of run, skip is expected.",
                                name, text);
            return FALSE;
        }
    }
    return TRUE;
}

/* One key of the file; a table is its keys. */
static gboolean
take(json_object *persona, const char *key, json_object *value, GError **error)
{
    if (!json_object_is_type(value, json_type_object))
        return take_key(persona, key, value, error);
    if (g_str_equal(key, "scenarios"))
        return take_scenarios(persona, value, error);
    json_object_object_foreach (value, inner, inner_value) {
        g_autofree char *path = g_strconcat(key, ".", inner, NULL);

        if (!take_key(persona, path, inner_value, error))
            return FALSE;
    }
    return TRUE;
}

/* What the harness does without being told. */
static void
complete(json_object *persona, json_object *tree)
{
    json_object *dmi = json_object_object_get(tree, "dmi");
    json_object *vendor = json_object_object_get(dmi, "sys_vendor"), *uefi;

    if (json_object_object_get(dmi, "board_name") && vendor)
        put(persona, "hardware.smbios.board_vendor", json_object_get(vendor));
    put(persona, "hardware.arch", new_text("x86_64", tree));
    put(persona, "hardware.machine", new_text("q35", tree));
    uefi = json_object_new_boolean(TRUE);
    mf_origin_set(uefi, mf_origin_get(tree));
    put(persona, "hardware.uefi", uefi);
}

json_object *
mf_persona_yaml_read(const char *text, gsize size, const char *file, GError **error)
{
    g_autoptr(json_object) tree = read_document(text, size, file, error);
    g_autoptr(json_object) persona = json_object_new_object();

    if (!tree)
        return NULL;
    mf_origin_set(persona, mf_origin_get(tree));
    if (!json_object_is_type(tree, json_type_object) ||
        !json_object_object_get(tree, "schema_version")) {
        mf_origin_set_error(error, mf_origin_get(tree),
                            "A persona in YAML is a mapping with schema_version: " SCHEMA_VERSION
                            ".");
        return NULL;
    }
    json_object_object_foreach (tree, key, value)
        if (!take(persona, key, value, error))
            return NULL;
    complete(persona, tree);
    return g_steal_pointer(&persona);
}
