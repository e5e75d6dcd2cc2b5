/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/persona.h"

#include <string.h>

#include "suite/config-read.h"
#include "suite/config-smbios.h"
#include "suite/config-tree.h"
#include "suite/origin.h"
#include "wire/json.h"

/* A mark in files that must never be taken for real ones. */
#define TEST_ONLY "TEST_ONLY_NOT_FOR_PRODUCTION"

#define WORD_CHARACTERS "abcdefghijklmnopqrstuvwxyz0123456789-"

/* What is about the firmware, which a kernel is started without. */
#define VARS "secure_boot_vars"
static const char *const firmware_keys[] = {"uefi", "secure_boot", VARS, NULL};

static gboolean
is_word(const char *text)
{
    gsize length = strlen(text);

    return length > 0 && strspn(text, WORD_CHARACTERS) == length && text[0] != '-' &&
           text[length - 1] != '-';
}

gboolean
mf_persona_is_id(const char *id)
{
    return is_word(id) && strlen(id) <= MF_PERSONA_ID_MAX;
}

static gboolean
check_id(const MfPersona *self, const char *id, GError **error)
{
    const char *own = self->config->id;

    if (!mf_persona_is_id(own)) {
        mf_origin_set_error(error, mf_origin_get(json_object_object_get(self->tree, "id")),
                            "'%s' is not the id of a persona: expected at most %d lowercase "
                            "letters, digits and hyphens, with no hyphen at an end.",
                            own, MF_PERSONA_ID_MAX);
        return FALSE;
    }
    if (g_str_equal(own, id))
        return TRUE;
    mf_origin_set_error(error, mf_origin_get(json_object_object_get(self->tree, "id")),
                        "The id '%s' is not the name of the file, which is '%s'.", own, id);
    return FALSE;
}

static gboolean
check_quirks(const MfPersona *self, GError **error)
{
    const GPtrArray *quirks = self->config->quirks;
    json_object *array = json_object_object_get(self->tree, "quirks");

    for (guint i = 0; quirks && i < quirks->len; i++) {
        const MfConfigPersonaQuirk *quirk = quirks->pdata[i];
        json_object *place = json_object_array_get_idx(array, i);

        if (is_word(quirk->tag))
            continue;
        mf_origin_set_error(error, mf_origin_get(json_object_object_get(place, "tag")),
                            "'%s' is not the tag of a quirk: expected lowercase letters, digits "
                            "and hyphens, with no hyphen at an end.",
                            quirk->tag);
        return FALSE;
    }
    return TRUE;
}

/* No text may have the mark of test keys and the like. */
static gboolean
check_texts(json_object *value, GError **error)
{
    struct json_object_iterator at, end;

    if (json_object_is_type(value, json_type_string)) {
        if (!strstr(json_object_get_string(value), TEST_ONLY))
            return TRUE;
        mf_origin_set_error(error, mf_origin_get(value),
                            "A persona is not made of what is marked " TEST_ONLY ".");
        return FALSE;
    }
    for (size_t i = 0;
         json_object_is_type(value, json_type_array) && i < json_object_array_length(value); i++)
        if (!check_texts(json_object_array_get_idx(value, i), error))
            return FALSE;
    if (!json_object_is_type(value, json_type_object))
        return TRUE;
    end = json_object_iter_end(value);
    for (at = json_object_iter_begin(value); !json_object_iter_equal(&at, &end);
         json_object_iter_next(&at))
        if (!check_texts(json_object_iter_peek_value(&at), error))
            return FALSE;
    return TRUE;
}

/* Adds copies of what 'lower' has and 'target' has not, or has as a default only. */
static void
put_below(json_object *target, json_object *lower, const char *const *left_out)
{
    json_object_object_foreach (lower, key, value) {
        json_object *own = json_object_object_get(target, key);
        const MfOrigin *origin = mf_origin_get(own);

        if (left_out && g_strv_contains(left_out, key))
            continue;
        if (json_object_is_type(own, json_type_object) &&
            json_object_is_type(value, json_type_object))
            put_below(own, value, NULL);
        else if (!own || (origin && origin->kind == MF_ORIGIN_DEFAULT))
            json_object_object_add(target, key, mf_origin_copy_tree(value));
    }
}

static gboolean
check_arch(const MfPersona *self, json_object *target, GError **error)
{
    const MfConfigHardware *hardware = self->config->hardware;
    const char *own = hardware->has_arch ? mf_config_arch_to_string(hardware->arch) : NULL;
    json_object *arch = json_object_object_get(target, "arch");

    if (!own || !json_object_is_type(arch, json_type_string) ||
        g_str_equal(json_object_get_string(arch), own))
        return TRUE;
    mf_origin_set_error(error, mf_origin_get(arch),
                        "The persona '%s' is a computer of %s, and the target is for %s.",
                        self->config->id, own, json_object_get_string(arch));
    return FALSE;
}

gboolean
mf_persona_put_below(const MfPersona *self, json_object *target, GError **error)
{
    gboolean has_kernel = json_object_object_get(target, "kernel") != NULL;

    if (!check_arch(self, target, error))
        return FALSE;
    put_below(target, json_object_object_get(self->tree, "hardware"),
              has_kernel ? firmware_keys : NULL);
    return TRUE;
}

void
mf_persona_apply(const MfPersona *self, MfTarget *target, gboolean boots_itself)
{
    const MfConfigHardware *hardware = self->config->hardware;

    target->machine = g_strdup(hardware->machine);
    target->cpu = g_strdup(hardware->cpu);
    if (hardware->has_arch)
        mf_arch_parse(mf_config_arch_to_string(hardware->arch), &target->arch, NULL);
    if (hardware->has_tpm)
        mf_tpm_parse(mf_config_tpm_to_string(hardware->tpm), &target->tpm, NULL);
    if (hardware->smbios)
        target->smbios = mf_config_smbios_read(hardware->smbios, NULL, NULL);
    if (hardware->vm && hardware->vm->has_num_cpus)
        target->cpus = (guint)hardware->vm->num_cpus;
    if (hardware->vm && hardware->vm->has_memory)
        target->memory = hardware->vm->memory;
    if (!boots_itself)
        return;
    target->uefi = hardware->uefi;
    if (hardware->has_secure_boot)
        mf_secure_boot_parse(mf_config_secure_boot_to_string(hardware->secure_boot),
                             &target->secure_boot, NULL);
    target->secure_boot_vars = g_strdup(hardware->secure_boot_vars);
}

/* The rules of targets hold for the computer too: it is one that boots by itself. */
static gboolean
check_hardware(const MfPersona *self, GError **error)
{
    g_autoptr(json_object) target = json_object_new_object();
    static const char *const keys[] = {"name", "image", "command"};
    MfConfigTarget *config;

    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++)
        json_object_object_add(target, keys[i], json_object_new_string("/"));
    if (!mf_persona_put_below(self, target, error))
        return FALSE;
    config = mf_config_read_target(target, "/", error);
    mf_config_target_free(config);
    return config != NULL;
}

/* Says of every value in 'tree' that it is a persona's. */
static void
mark(json_object *tree)
{
    const MfOrigin *origin = mf_origin_get(tree);

    if (origin) {
        MfOrigin marked = *origin;

        marked.kind = MF_ORIGIN_PERSONA;
        mf_origin_set(tree, &marked);
    }
    if (json_object_is_type(tree, json_type_object)) {
        struct json_object_iterator at = json_object_iter_begin(tree);
        struct json_object_iterator end = json_object_iter_end(tree);

        for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at))
            mark(json_object_iter_peek_value(&at));
    }
}

/* A path is meant from the persona's file, not from that of the target that it goes into. */
static void
resolve_path(const MfPersona *self)
{
    json_object *hardware = json_object_object_get(self->tree, "hardware");
    json_object *path = json_object_object_get(hardware, VARS), *resolved;
    g_autofree char *directory = self->path ? g_path_get_dirname(self->path) : g_strdup("/");
    g_autofree char *absolute = NULL;

    if (!json_object_is_type(path, json_type_string) || json_object_get_string_len(path) == 0)
        return;
    absolute = g_canonicalize_filename(json_object_get_string(path), directory);
    resolved = json_object_new_string(absolute);
    mf_origin_set(resolved, mf_origin_get(path));
    json_object_object_add(hardware, VARS, resolved);
}

MfPersona *
mf_persona_new(json_object *tree, const char *id, const char *path, GError **error)
{
    g_autoptr(MfPersona) self = g_new0(MfPersona, 1);
    g_autoptr(json_object) checked = NULL;

    self->tree = tree;
    self->path = g_strdup(path);
    mark(tree);
    resolve_path(self);
    checked = mf_config_tree_read(&mf_config_persona_type, tree, "/", error);
    self->config = checked ? mf_config_persona_from_json(checked, error) : NULL;
    if (!self->config || !check_id(self, id, error) || !check_quirks(self, error) ||
        !check_texts(tree, error) || !check_hardware(self, error))
        return NULL;
    return g_steal_pointer(&self);
}

void
mf_persona_free(MfPersona *self)
{
    if (!self)
        return;
    json_object_put(self->tree);
    mf_config_persona_free(self->config);
    g_free(self->path);
    g_free(self);
}
