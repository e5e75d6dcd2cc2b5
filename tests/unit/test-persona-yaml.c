/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/persona-yaml.h"

#include <glib/gstdio.h>
#include <string.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/tempdir.h"
#include "suite/persona-store.h"

#define ROUNDS 10000
#define SEED   20261121

static const char complete[] = "# A persona of the harness.\n"
                               "schema_version: 1\n"
                               "id: x1\n"
                               "vendor: Lenovo\n"
                               "display_name: \"ThinkPad, X1\"\n"
                               "year: 2023\n"
                               "source:\n"
                               "  kind: community_report\n"
                               "  ref_: https://example.org/1\n"
                               "  captured_at: '2024-03-15'\n"
                               "dmi:\n"
                               "  sys_vendor: LENOVO\n"
                               "  product_name: 21HM\n"
                               "  bios_vendor: LENOVO\n"
                               "  bios_version: N3VET18W\n"
                               "  bios_date: 03/15/2024\n"
                               "  board_name: 'Board, \"1\" é'\n"
                               "secure_boot:\n"
                               "  ovmf_variant: ms_enrolled\n"
                               "tpm:\n"
                               "  version: \"2.0\"\n"
                               "kernel:\n"
                               "  lockdown: inherit\n"
                               "quirks:\n"
                               "  - tag: fast-boot\n"
                               "    description: It is on.\n"
                               "scenarios:\n"
                               "  boot: run\n"
                               "  kexec: skip\n";

static MfPersona *
read_text(const char *text, gsize size, GError **error)
{
    json_object *tree = mf_persona_yaml_read(text, size, "x1.yaml", error);

    return tree ? mf_persona_new(tree, "x1", "/p/x1.yaml", error) : NULL;
}

static void
test_every_key_has_its_effect(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MfPersona) persona = read_text(complete, strlen(complete), &error);
    g_autoptr(MfTarget) target = mf_target_new();

    g_assert_no_error(error);
    g_assert_cmpstr(persona->config->name, ==, "ThinkPad, X1");
    g_assert_cmpstr(persona->config->vendor, ==, "Lenovo");
    g_assert_cmpint(persona->config->year, ==, 2023);
    g_assert_cmpstr(persona->config->source->reference, ==, "https://example.org/1");
    g_assert_cmpuint(persona->config->quirks->len, ==, 1);
    g_assert_cmpuint(g_strv_length(persona->config->skip), ==, 1);
    g_assert_cmpstr(persona->config->skip[0], ==, "kexec");

    mf_persona_apply(persona, target, TRUE);
    g_assert_cmpstr(target->machine, ==, "q35");
    g_assert_true(target->uefi);
    g_assert_cmpint(target->secure_boot, ==, MF_SECURE_BOOT_MS);
    g_assert_cmpint(target->tpm, ==, MF_TPM_2_0);
    g_assert_cmpstr(target->smbios->values[MF_SMBIOS_BIOS_DATE], ==, "03/15/2024");
    g_assert_cmpstr(target->smbios->values[MF_SMBIOS_BOARD_NAME], ==, "Board, \"1\" é");
    g_assert_cmpstr(target->smbios->values[MF_SMBIOS_BOARD_VENDOR], ==, "LENOVO");
}

#define HEAD "schema_version: 1\nid: x1\ndisplay_name: X\n"

static void
test_what_is_wrong_is_refused_with_its_place(void)
{
    static const struct {
        const char *text, *message;
    } bad[] = {
        {"", "x1.yaml:1:1: There is nothing in the file."},
        {"id: x1\n", "x1.yaml:1:1: A persona in YAML is a mapping with schema_version: 1."},
        {"- 1\n", "x1.yaml:1:1: A persona in YAML is a mapping with schema_version: 1."},
        {"schema_version: 2\nid: x1\n",
         "x1.yaml:1:17: Key 'schema_version' is '2', but it can only be '1' here."},
        {HEAD "colour: red\n", "x1.yaml:4:9: There is no key 'colour'."},
        {HEAD "dmi:\n  sys_vender: A\n",
         "x1.yaml:5:15: There is no key 'dmi.sys_vender' (did you mean 'dmi.sys_vendor'?)."},
        {HEAD "dmi:\n  chassis_type: 10\n",
         "x1.yaml:5:17: Key 'dmi.chassis_type' has no effect on QEMU's machines: leave it out."},
        {HEAD "tpm:\n  manufacturer: IFX\n",
         "x1.yaml:5:17: Key 'tpm.manufacturer' has no effect on QEMU's machines: leave it out."},
        {HEAD "kernel:\n  lockdown: integrity\n",
         "x1.yaml:5:13: Key 'kernel.lockdown' is 'integrity', but it can only be 'inherit' here."},
        {HEAD "scenarios:\n  boot: perhaps\n",
         "x1.yaml:5:9: Key 'scenarios.boot' is 'perhaps', but one of run, skip is expected."},
        {HEAD "tpm:\n  version: \"3\"\n",
         "x1.yaml:5:12: Key 'hardware.tpm' is \"3\", but one of none, 1.2, 2.0 is expected."},
        {HEAD "dmi:\n  sys_vendor: \"a\\0b\"\n",
         "x1.yaml:5:15: Key 'hardware.smbios.sys_vendor' is \"a\\u0000b\", but a text that is not "
         "empty is expected."},
        {HEAD "id: x1\n", "x1.yaml:4:1: The key is there already."},
        {HEAD "? [a]\n: b\n", "x1.yaml:4:3: A key is a text without NUL."},
        {HEAD "secure_boot:\n  ovmf_variant: custom_pk\n",
         "x1.yaml:5:17: Target '/' has the key 'secure_boot', which needs 'secure_boot_vars'"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(MfPersona) persona = read_text(bad[i].text, strlen(bad[i].text), &error);

        g_assert_null(persona);
        g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
        g_test_message("%s", error->message);
        g_assert_true(g_str_has_prefix(error->message, bad[i].message));
    }
}

static void
write_file(const char *path, const char *text)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(mf_file_replace(path, text, strlen(text), 0600, &error));
    g_assert_no_error(error);
}

static void
test_a_file_in_toml_goes_before_one_in_yaml(void)
{
    g_autofree char *project = mf_tempdir_make(NULL);
    g_autofree char *directory = g_build_filename(project, "personas", NULL);
    g_autofree char *yaml = g_build_filename(directory, "x1.yaml", NULL);
    g_autofree char *toml = g_build_filename(directory, "x1.toml", NULL);
    g_autoptr(GError) error = NULL;

    g_mkdir(directory, 0700);
    write_file(yaml, complete);
    g_autoptr(MfPersona) alone = mf_persona_store_find(project, "x1", NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(alone->path, ==, yaml);

    write_file(toml, "id = 'x1'\nname = 'X'\n[hardware]\n");
    g_autoptr(MfPersona) both = mf_persona_store_find(project, "x1", NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(both->path, ==, toml);
    mf_tempdir_remove(project);
}

/* Each list has the one before it nine times. */
static void
test_aliases_do_not_explode(void)
{
    g_autoptr(GString) text = g_string_new(HEAD "a0: &a0 [x]\n");
    g_autoptr(GError) error = NULL;

    for (guint i = 1; i < 12; i++) {
        g_string_append_printf(text, "a%u: &a%u [", i, i);
        for (guint j = 0; j < 9; j++)
            g_string_append_printf(text, "%s*a%u", j ? ", " : "", i - 1);
        g_string_append(text, "]\n");
    }
    g_assert_null(read_text(text->str, text->len, &error));
    g_assert_nonnull(strstr(error->message, "too much, or too deep"));
}

static void
test_an_alias_of_itself_ends(void)
{
    static const char text[] = HEAD "a: &a [*a]\n";
    g_autoptr(GError) error = NULL;

    g_assert_null(read_text(text, strlen(text), &error));
    g_assert_nonnull(strstr(error->message, "too much, or too deep"));
}

/* Bytes of a good persona changed, left out or doubled. */
static void
test_a_mutated_persona_is_read_or_refused_with_a_place(void)
{
    static const char bytes[] = "\0\n\t :-[]{}&*!|>'\"%@`#,?\xff\xe2\x80\xae\xef\xbb\xbf";
    g_autoptr(GRand) rand = g_rand_new_with_seed(SEED);
    guint refused = 0;

    for (guint round = 0; round < ROUNDS; round++) {
        g_autoptr(GString) text = g_string_new(complete);
        g_autoptr(GError) error = NULL;

        for (gint32 i = g_rand_int_range(rand, 1, 4); i > 0; i--) {
            gint32 at = g_rand_int_range(rand, 0, (gint32)text->len);

            if (g_rand_boolean(rand))
                text->str[at] = bytes[g_rand_int_range(rand, 0, sizeof bytes)];
            else
                g_string_erase(text, at, 1);
        }
        g_autoptr(MfPersona) persona = read_text(text->str, text->len, &error);
        if (persona)
            continue;
        refused++;
        g_assert_true(g_str_has_prefix(error->message, "x1.yaml:"));
        g_assert_true(g_utf8_validate(error->message, -1, NULL));
    }
    g_assert_cmpuint(refused, >, ROUNDS / 10);
    g_assert_cmpuint(refused, <, ROUNDS);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/persona-yaml/every-key-has-its-effect", test_every_key_has_its_effect);
    g_test_add_func("/persona-yaml/what-is-wrong-is-refused-with-its-place",
                    test_what_is_wrong_is_refused_with_its_place);
    g_test_add_func("/persona-yaml/a-file-in-toml-goes-before-one-in-yaml",
                    test_a_file_in_toml_goes_before_one_in_yaml);
    g_test_add_func("/persona-yaml/aliases-do-not-explode", test_aliases_do_not_explode);
    g_test_add_func("/persona-yaml/an-alias-of-itself-ends", test_an_alias_of_itself_ends);
    g_test_add_func("/persona-yaml/a-mutated-persona-is-read-or-refused-with-a-place",
                    test_a_mutated_persona_is_read_or_refused_with_a_place);
    return g_test_run();
}
