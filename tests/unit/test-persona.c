/* SPDX-License-Identifier: Apache-2.0 */
#include <glib/gstdio.h>
#include <string.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/tempdir.h"
#include "report/config-list.h"
#include "suite/case-build.h"
#include "suite/config.h"
#include "suite/origin.h"
#include "suite/persona-store.h"
#include "suite/toml.h"

#define HOSTILE_ROUNDS 10000
#define HOSTILE_SEED   20261121
#define SHIPPED_MIN    6

/* The user's configuration, and what is a project's in a test. */
static char *config_home, *project;

static void
write_file(const char *directory, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(directory, name, NULL);
    g_autofree char *parent = g_path_get_dirname(path);
    g_autoptr(GError) error = NULL;

    g_mkdir_with_parents(parent, 0700);
    g_assert_true(mf_file_replace(path, text, strlen(text), 0600, &error));
    g_assert_no_error(error);
}

/* Empties both directories. */
static void
clear_places(void)
{
    char *const places[] = {config_home, project};

    for (gsize i = 0; i < G_N_ELEMENTS(places); i++) {
        mf_tempdir_remove(places[i]);
        g_mkdir(places[i], 0700);
    }
}

static MfPersona *
read_text(const char *id, const char *text, GError **error)
{
    g_autofree char *file = g_strconcat(id, ".toml", NULL);
    json_object *tree = mf_toml_parse(text, strlen(text), file, error);

    return tree ? mf_persona_new(tree, id, NULL, error) : NULL;
}

static void
test_each_shipped_persona_is_good_and_says_where_its_facts_are_from(void)
{
    g_autoptr(GPtrArray) entries = NULL;

    clear_places();
    entries = mf_persona_store_list(project);
    g_assert_cmpuint(entries->len, >=, SHIPPED_MIN);
    for (guint i = 0; i < entries->len; i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(MfPersona) persona = mf_persona_store_load(entries->pdata[i], &error);

        g_assert_no_error(error);
        g_assert_null(persona->path);
        g_assert_nonnull(persona->config->source);
        g_assert_true(persona->config->hardware->has_arch);
        if (i > 0)
            g_assert_cmpstr(((MfPersonaEntry *)entries->pdata[i - 1])->id, <,
                            ((MfPersonaEntry *)entries->pdata[i])->id);
    }
}

#define HEAD "id = 'x'\nname = 'X'\n"

static void
test_what_is_wrong_is_refused_with_its_place(void)
{
    static const struct {
        const char *text, *message;
    } bad[] = {
        {"name = 'X'\n[hardware]\n", "x.toml:1:1: The key 'id' is missing."},
        {HEAD, "x.toml:1:1: The key 'hardware' is missing."},
        {"id = 'y'\nname = 'X'\n[hardware]\n",
         "x.toml:1:6: The id 'y' is not the name of the file, which is 'x'."},
        {"id = 'X'\nname = 'X'\n[hardware]\n", "x.toml:1:6: 'X' is not the id of a persona: "
                                               "expected at most 64 lowercase letters, digits "
                                               "and hyphens, with no hyphen at an end."},
        {HEAD "colour = 'red'\n[hardware]\n", "x.toml:3:1: There is no key 'colour'."},
        {HEAD "[hardware]\nkernel = 'k'\n", "x.toml:4:1: There is no key 'hardware.kernel'."},
        {HEAD "[hardware]\ntpm = '3'\n",
         "x.toml:4:7: Key 'hardware.tpm' is \"3\", but one of none, 1.2, 2.0 is expected."},
        {HEAD "[hardware]\nvm.memory = '1M'\n",
         "x.toml:4:13: Key 'vm.memory' is too little: a guest needs at least 64M."},
        {HEAD "[hardware]\nsmbios.sys_vendor = \"a\\tb\"\n",
         "x.toml:4:21: Key 'smbios.sys_vendor' is wrong: The SMBIOS field 'sys_vendor' has a "
         "control character, such as a line break, which is no part of a text."},
        {HEAD "[hardware]\nsmbios.sys_vendor = \"a\\u0000b\"\n",
         "x.toml:4:21: Key 'hardware.smbios.sys_vendor' is \"a\\u0000b\", but a text that is not "
         "empty is expected."},
        {HEAD "[hardware]\narch = 'riscv64'\ntpm = '2.0'\n",
         "x.toml:5:7: Key 'tpm' is wrong: QEMU's machines of riscv64 have no TPM: leave it out."},
        {HEAD "[[quirks]]\ntag = 'A_b'\ndescription = 'd'\n[hardware]\n",
         "x.toml:4:7: 'A_b' is not the tag of a quirk: expected lowercase letters, digits and "
         "hyphens, with no hyphen at an end."},
        {HEAD "[[quirks]]\ntag = '-a'\ndescription = 'd'\n[hardware]\n",
         "x.toml:4:7: '-a' is not the tag of a quirk: expected lowercase letters, digits and "
         "hyphens, with no hyphen at an end."},
        {HEAD "[hardware.smbios]\nsys_vendor = 'TEST_ONLY_NOT_FOR_PRODUCTION PK'\n",
         "x.toml:4:14: A persona is not made of what is marked TEST_ONLY_NOT_FOR_PRODUCTION."},
        {HEAD "source = { type = 'hearsay', reference = 'r' }\n[hardware]\n",
         "x.toml:3:19: Key 'source.type' is \"hearsay\", but one of community_report, "
         "lvfs_catalog, vendor_docs, emulator is expected."},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(MfPersona) persona = read_text("x", bad[i].text, &error);

        g_assert_null(persona);
        g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
        g_assert_cmpstr(error->message, ==, bad[i].message);
    }
}

static void
test_tags_of_quirks_are_words(void)
{
    static const char *const good[] = {"fast-boot-default-on", "a", "a1", "abc-123", "0-x"};
    static const char *const bad[] = {"-leading", "trailing-", "UPPER", "has_underscore",
                                      "has space"};

    for (gsize i = 0; i < G_N_ELEMENTS(good) + G_N_ELEMENTS(bad); i++) {
        gboolean is_good = i < G_N_ELEMENTS(good);
        g_autofree char *text =
            g_strdup_printf(HEAD "[[quirks]]\ntag = '%s'\ndescription = 'd'\n[hardware]\n",
                            is_good ? good[i] : bad[i - G_N_ELEMENTS(good)]);
        g_autoptr(MfPersona) persona = read_text("x", text, NULL);

        g_assert_cmpint(persona != NULL, ==, is_good);
    }
}

static void
test_an_id_leads_out_of_no_directory(void)
{
    static const char *const bad[] = {"", "..", "../x", "a/b", ".x", "a.b", "-a", "a-", "A", "é"};
    g_autofree char *longest = g_strnfill(MF_PERSONA_ID_MAX, 'a');
    g_autofree char *longer = g_strnfill(MF_PERSONA_ID_MAX + 1, 'a');

    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_false(mf_persona_is_id(bad[i]));
    g_assert_true(mf_persona_is_id(longest));
    g_assert_false(mf_persona_is_id(longer));
}

static const char *
name_of(const char *id)
{
    static char name[64];
    g_autoptr(GError) error = NULL;
    g_autoptr(MfPersona) persona = mf_persona_store_find(project, id, NULL, &error);

    g_assert_no_error(error);
    g_strlcpy(name, persona->config->name, sizeof name);
    return name;
}

static void
test_the_project_goes_before_the_user_and_the_user_before_mayfly(void)
{
    clear_places();
    g_assert_cmpstr(name_of("qemu-pc"), ==, "QEMU, i440FX");
    write_file(config_home, "mayfly/personas/qemu-pc.toml",
               "id = 'qemu-pc'\nname = 'the user'\n[hardware]\n");
    g_assert_cmpstr(name_of("qemu-pc"), ==, "the user");
    write_file(project, "personas/qemu-pc.toml",
               "id = 'qemu-pc'\nname = 'the project'\n[hardware]\n");
    g_assert_cmpstr(name_of("qemu-pc"), ==, "the project");
}

static void
test_a_wrong_persona_is_not_passed_over(void)
{
    g_autoptr(GError) error = NULL;

    clear_places();
    write_file(project, "personas/qemu-pc.toml", "id = 'qemu-pc'\n");
    g_assert_null(mf_persona_store_find(project, "qemu-pc", NULL, &error));
    g_assert_nonnull(
        strstr(error->message, "personas/qemu-pc.toml:1:1: The key 'name' is missing."));
}

static void
test_an_unknown_persona_is_answered_with_the_one_that_is_meant(void)
{
    const MfOrigin origin = {.kind = MF_ORIGIN_FILE, .name = "f", .line = 3, .column = 7};
    g_autoptr(GError) error = NULL;

    clear_places();
    g_assert_null(mf_persona_store_find(project, "qemu-q53", &origin, &error));
    g_assert_cmpstr(error->message, ==,
                    "f:3:7: There is no persona 'qemu-q53': did you mean 'qemu-q35'?");
    g_clear_error(&error);
    g_assert_null(mf_persona_store_find(NULL, "../secret", NULL, &error));
    g_assert_cmpstr(error->message, ==,
                    "There is no persona '../secret': 'mayfly persona list' shows them all.");
}

static MfConfig *
load_config(const char *name, const char *text, GError **error)
{
    g_autofree char *path = g_build_filename(project, name, NULL);
    const MfConfigSources sources = {.path = path};

    write_file(project, name, text);
    return mf_config_load(&sources, error);
}

static json_object *
first_target(const MfConfig *config)
{
    return mf_config_get_targets(config)->pdata[0];
}

static json_object *
get(json_object *tree, const char *table, const char *key)
{
    json_object *inner = table ? json_object_object_get(tree, table) : tree;

    return json_object_object_get(inner, key);
}

#define PERSONA                                                                                    \
    "id = 'box'\nname = 'Box'\n[hardware]\nmachine = 'pc'\nuefi = true\ntpm = '2.0'\n"             \
    "vm = { num_cpus = 3, memory = '512M' }\nsmbios = { sys_vendor = 'A, B', board_name = 'C' }\n"

static void
test_a_persona_is_above_the_defaults_and_below_the_targets_own_keys(void)
{
    g_autoptr(MfConfig) config = NULL;
    g_autoptr(GError) error = NULL;
    json_object *target;

    clear_places();
    write_file(project, "personas/box.toml", PERSONA);
    config = load_config("mayfly.toml",
                         "[[target]]\nname = 'a'\nkernel = 'k'\ncommand = 'true'\n"
                         "persona = 'box'\nvm.num_cpus = 5\nsmbios.board_name = 'own'\n",
                         &error);
    g_assert_no_error(error);
    target = first_target(config);
    g_assert_cmpstr(json_object_get_string(get(target, NULL, "machine")), ==, "pc");
    g_assert_cmpint(mf_origin_get(get(target, NULL, "machine"))->kind, ==, MF_ORIGIN_PERSONA);
    g_assert_cmpint(json_object_get_int(get(target, "vm", "num_cpus")), ==, 5);
    g_assert_cmpint(mf_origin_get(get(target, "vm", "num_cpus"))->kind, ==, MF_ORIGIN_FILE);
    g_assert_cmpstr(json_object_get_string(get(target, "vm", "memory")), ==, "512M");
    g_assert_cmpstr(json_object_get_string(get(target, "smbios", "sys_vendor")), ==, "A, B");
    g_assert_cmpstr(json_object_get_string(get(target, "smbios", "board_name")), ==, "own");
    g_assert_cmpint(mf_origin_get(get(target, NULL, "hostname"))->kind, ==, MF_ORIGIN_DEFAULT);

    g_autofree char *text = mf_config_list_text(mf_config_get_targets(config), TRUE);
    g_assert_nonnull(strstr(text, "personas/box.toml:4:11 (persona)"));
}

static void
test_a_persona_goes_before_the_memory_of_a_vmtest_file(void)
{
    g_autoptr(MfConfig) config = NULL;
    g_autoptr(GError) error = NULL;

    clear_places();
    write_file(project, "personas/box.toml", PERSONA);
    config = load_config("vmtest.toml",
                         "[[target]]\nname = 'a'\nkernel = 'k'\ncommand = 'true'\n"
                         "persona = 'box'\n",
                         &error);
    g_assert_no_error(error);
    g_assert_cmpstr(json_object_get_string(get(first_target(config), "vm", "memory")), ==, "512M");
}

static void
test_what_is_said_of_firmware_is_for_what_boots_by_itself(void)
{
    static const char *const targets[] = {"kernel = 'k'", "image = 'i'"};

    for (gsize i = 0; i < G_N_ELEMENTS(targets); i++) {
        g_autofree char *text = g_strdup_printf(
            "[[target]]\nname = 'a'\n%s\ncommand = 'true'\npersona = 'box'\n", targets[i]);
        g_autoptr(MfConfig) config = NULL;
        g_autoptr(GError) error = NULL;

        clear_places();
        write_file(project, "personas/box.toml", PERSONA);
        config = load_config("mayfly.toml", text, &error);
        g_assert_no_error(error);
        g_assert_cmpint(json_object_get_boolean(get(first_target(config), NULL, "uefi")), ==,
                        i == 1);
    }
}

static void
test_a_file_of_keys_is_meant_from_the_personas_own(void)
{
    g_autofree char *expected = g_build_filename(project, "personas", "keys", "vars.fd", NULL);
    g_autoptr(MfPersona) persona = NULL;
    g_autoptr(GError) error = NULL;

    clear_places();
    write_file(project, "personas/box.toml",
               "id = 'box'\nname = 'Box'\n[hardware]\nuefi = true\nsecure_boot = 'custom'\n"
               "secure_boot_vars = 'keys/vars.fd'\n");
    persona = mf_persona_store_find(project, "box", NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(persona->config->hardware->secure_boot_vars, ==, expected);
}

static void
test_a_persona_of_another_architecture_is_refused(void)
{
    g_autoptr(MfConfig) config = NULL;
    g_autoptr(GError) error = NULL;

    clear_places();
    config = load_config("mayfly.toml",
                         "[[target]]\nname = 'a'\nkernel = 'k'\ncommand = 'true'\n"
                         "arch = 'aarch64'\npersona = 'qemu-q35'\n",
                         &error);
    g_assert_null(config);
    g_assert_nonnull(strstr(error->message,
                            "mayfly.toml:5:8: The persona 'qemu-q35' is a computer of x86_64, and "
                            "the target is for aarch64."));
}

static void
assert_same_machine(const MfTarget *one, const MfTarget *other)
{
    g_assert_cmpstr(one->machine, ==, other->machine);
    g_assert_cmpstr(one->cpu, ==, other->cpu);
    g_assert_cmpint(one->arch, ==, other->arch);
    g_assert_cmpint(one->tpm, ==, other->tpm);
    g_assert_cmpint(one->uefi, ==, other->uefi);
    g_assert_cmpint(one->secure_boot, ==, other->secure_boot);
    g_assert_cmpstr(one->secure_boot_vars, ==, other->secure_boot_vars);
    g_assert_cmpuint(one->cpus, ==, other->cpus);
    g_assert_cmpuint(one->memory, ==, other->memory);
    g_assert_cmpint(one->smbios != NULL, ==, other->smbios != NULL);
    for (MfSmbiosField field = 0; one->smbios && field < MF_N_SMBIOS_FIELDS; field++)
        g_assert_cmpstr(one->smbios->values[field], ==, other->smbios->values[field]);
}

/* The case of a config file with one target. */
static GPtrArray *
build_case(const char *text)
{
    g_autofree char *path = g_build_filename(project, "mayfly.toml", NULL);
    const MfCaseBuildOptions options = {.file = path};
    g_autoptr(GError) error = NULL;
    g_autoptr(MfConfig) config = load_config("mayfly.toml", text, &error);

    g_assert_no_error(error);
    GPtrArray *cases = mf_case_build_all(mf_config_get_targets(config), &options, &error);
    g_assert_no_error(error);
    return cases;
}

static void
test_an_option_and_a_key_make_the_same_machine(void)
{
    g_autoptr(GPtrArray) entries = NULL;

    clear_places();
    entries = mf_persona_store_list(NULL);
    for (guint i = 0; i < entries->len * 2; i++) {
        const MfPersonaEntry *entry = entries->pdata[i / 2];
        g_autofree char *text =
            g_strdup_printf("[[target]]\nname = 'a'\n%s\ncommand = 'true'\npersona = '%s'\n",
                            i % 2 ? "image = 'i'" : "kernel = 'k'", entry->id);
        g_autoptr(GPtrArray) cases = build_case(text);
        g_autoptr(MfPersona) persona = mf_persona_store_load(entry, NULL);
        g_autoptr(MfTarget) target = mf_target_new();
        const MfCase *the_case = cases->pdata[0];

        mf_persona_apply(persona, target, i % 2);
        mf_target_settle(target);
        g_test_message("%s", entry->id);
        g_assert_cmpstr(the_case->persona, ==, entry->id);
        assert_same_machine(target, the_case->target);
    }
}

static void
test_personas_can_be_an_axis_of_the_matrix(void)
{
    g_autoptr(GPtrArray) cases = NULL;

    clear_places();
    cases = build_case("[[target]]\nname = 'a'\nkernel = 'k'\ncommand = 'true'\n"
                       "matrix.persona = ['qemu-pc', 'lenovo-thinkpad-t440p']\n");
    g_assert_cmpuint(cases->len, ==, 2);
    g_assert_cmpstr(((MfCase *)cases->pdata[0])->name, ==, "a [persona=qemu-pc]");
    g_assert_cmpstr(((MfCase *)cases->pdata[0])->target->machine, ==, "pc");
    g_assert_cmpint(((MfCase *)cases->pdata[1])->target->tpm, ==, MF_TPM_1_2);
}

/*
 * Hostile strings
 */

static const char *const palette[] = {
    "a",
    ",",
    ",,",
    "=",
    "'",
    "\"",
    "\\",
    "`id`",
    "$(id)",
    ";",
    "|",
    "&",
    "<script>",
    "%n",
    "\n",
    "\r",
    "\x1b[2J",
    "{{name}}",
    "{{",
    "]]",
    "#",
    "é",
    "\xe2\x80\xae",
    "\xe2\x81\xa6",
    "\xef\xbb\xbf",
    "\xf0\x9f\xa6\x8b",
    "\x7f",
    " ",
    "-",
    "..",
    "/",
    "TEST_ONLY",
};

static GString *
make_hostile(GRand *rand)
{
    GString *text = g_string_new(NULL);

    for (gint32 i = g_rand_int_range(rand, 0, 8); i > 0; i--)
        g_string_append(text, palette[g_rand_int_range(rand, 0, G_N_ELEMENTS(palette))]);
    if (g_rand_int_range(rand, 0, 10) == 0)
        g_string_insert_len(text, g_rand_int_range(rand, 0, (gint32)text->len + 1), "", 1);
    return text;
}

/* Whether it is UTF-8, but for NULs, which GLib takes for none. */
static gboolean
is_text(const GString *text)
{
    for (gsize at = 0; at < text->len; at += strlen(text->str + at) + 1)
        if (!g_utf8_validate(text->str + at, -1, NULL))
            return FALSE;
    return TRUE;
}

/* As TOML writes it, which JSON's strings are as well. */
static char *
quote(const GString *text)
{
    g_autoptr(json_object) string = json_object_new_string_len(text->str, (int)text->len);
    g_autoptr(GString) quoted =
        g_string_new(json_object_to_json_string_ext(string, JSON_C_TO_STRING_NOSLASHESCAPE));

    g_string_replace(quoted, "\x7f", "\\u007f", 0);
    return g_string_free(g_steal_pointer(&quoted), FALSE);
}

static void
test_hostile_strings_are_read_exactly_or_refused_with_a_place(void)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(HOSTILE_SEED);
    guint taken = 0;

    for (guint round = 0; round < HOSTILE_ROUNDS; round++) {
        MfSmbiosField field = (MfSmbiosField)g_rand_int_range(rand, 0, MF_N_SMBIOS_FIELDS);
        g_autoptr(GString) hostile = make_hostile(rand);
        g_autofree char *quoted = quote(hostile);
        g_autofree char *text = g_strdup_printf(HEAD "[hardware.smbios]\n%s = %s\n",
                                                mf_smbios_field_name(field), quoted);
        g_autoptr(GError) error = NULL;
        g_autoptr(MfPersona) persona = read_text("x", text, &error);
        g_autoptr(MfTarget) target = mf_target_new();

        if (!persona) {
            g_test_message("%s", error->message);
            g_assert_true(g_str_has_prefix(error->message, "x.toml:4:"));
            /* What is no UTF-8 is no TOML either, whatever key it is for. */
            if (is_text(hostile))
                g_assert_nonnull(strstr(error->message, mf_smbios_field_name(field)));
            continue;
        }
        taken++;
        mf_persona_apply(persona, target, FALSE);
        g_assert_cmpstr(target->smbios->values[field], ==, hostile->str);
    }
    g_assert_cmpuint(taken, >, HOSTILE_ROUNDS / 4);
    g_assert_cmpuint(taken, <, HOSTILE_ROUNDS);
}

int
main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    config_home = mf_tempdir_make(NULL);
    project = mf_tempdir_make(NULL);
    g_setenv("XDG_CONFIG_HOME", config_home, TRUE);
    g_test_add_func("/persona/each-shipped-persona-is-good-and-says-where-its-facts-are-from",
                    test_each_shipped_persona_is_good_and_says_where_its_facts_are_from);
    g_test_add_func("/persona/what-is-wrong-is-refused-with-its-place",
                    test_what_is_wrong_is_refused_with_its_place);
    g_test_add_func("/persona/tags-of-quirks-are-words", test_tags_of_quirks_are_words);
    g_test_add_func("/persona/an-id-leads-out-of-no-directory",
                    test_an_id_leads_out_of_no_directory);
    g_test_add_func("/persona/the-project-goes-before-the-user-and-the-user-before-mayfly",
                    test_the_project_goes_before_the_user_and_the_user_before_mayfly);
    g_test_add_func("/persona/a-wrong-persona-is-not-passed-over",
                    test_a_wrong_persona_is_not_passed_over);
    g_test_add_func("/persona/an-unknown-persona-is-answered-with-the-one-that-is-meant",
                    test_an_unknown_persona_is_answered_with_the_one_that_is_meant);
    g_test_add_func("/persona/a-persona-is-above-the-defaults-and-below-the-targets-own-keys",
                    test_a_persona_is_above_the_defaults_and_below_the_targets_own_keys);
    g_test_add_func("/persona/a-persona-goes-before-the-memory-of-a-vmtest-file",
                    test_a_persona_goes_before_the_memory_of_a_vmtest_file);
    g_test_add_func("/persona/what-is-said-of-firmware-is-for-what-boots-by-itself",
                    test_what_is_said_of_firmware_is_for_what_boots_by_itself);
    g_test_add_func("/persona/a-file-of-keys-is-meant-from-the-personas-own",
                    test_a_file_of_keys_is_meant_from_the_personas_own);
    g_test_add_func("/persona/a-persona-of-another-architecture-is-refused",
                    test_a_persona_of_another_architecture_is_refused);
    g_test_add_func("/persona/an-option-and-a-key-make-the-same-machine",
                    test_an_option_and_a_key_make_the_same_machine);
    g_test_add_func("/persona/personas-can-be-an-axis-of-the-matrix",
                    test_personas_can_be_an_axis_of_the_matrix);
    g_test_add_func("/persona/hostile-strings-are-read-exactly-or-refused-with-a-place",
                    test_hostile_strings_are_read_exactly_or_refused_with_a_place);
    status = g_test_run();
    mf_tempdir_remove(config_home);
    mf_tempdir_remove(project);
    g_free(config_home);
    g_free(project);
    return status;
}
