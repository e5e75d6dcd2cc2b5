/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/smbios.h"

#include <string.h>

#include "base/error.h"

/* Hostile strings for each field. */
#define FUZZ_ROUNDS 10000
#define FUZZ_SEED   20261121

static void
set(MfSmbios *smbios, MfSmbiosField field, const char *text)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(mf_smbios_set(smbios, field, text, strlen(text), &error));
    g_assert_no_error(error);
}

static void
assert_line(const MfSmbios *smbios, const char *const *expected)
{
    g_autoptr(MfArgv) argv = mf_argv_new("qemu");
    const char *const *words;

    mf_smbios_add_to_argv(smbios, argv);
    words = mf_argv_get(argv) + 1;
    for (; *expected; words++, expected++)
        g_assert_cmpstr(*words, ==, *expected);
    g_assert_null(*words);
}

static void
test_a_laptop_is_two_options(void)
{
    static const char *const expected[] = {
        "-smbios", "type=0,vendor=LENOVO,version=N3VET18W,date=03/15/2024",
        "-smbios", "type=1,manufacturer=LENOVO,product=21HM",
        NULL,
    };
    g_autoptr(MfSmbios) smbios = mf_smbios_new();

    set(smbios, MF_SMBIOS_SYS_VENDOR, "LENOVO");
    set(smbios, MF_SMBIOS_PRODUCT_NAME, "21HM");
    set(smbios, MF_SMBIOS_BIOS_VENDOR, "LENOVO");
    set(smbios, MF_SMBIOS_BIOS_VERSION, "N3VET18W");
    set(smbios, MF_SMBIOS_BIOS_DATE, "03/15/2024");
    assert_line(smbios, expected);
}

static void
test_every_field_has_its_place_in_one_of_four_types(void)
{
    static const char *const expected[] = {
        "-smbios",
        "type=0,vendor=bios_vendor,version=bios_version,date=bios_date,release=4.11",
        "-smbios",
        "type=1,manufacturer=sys_vendor,product=product_name,version=product_version,"
        "serial=product_serial,uuid=00112233-4455-6677-8899-aabbccddeeff,sku=product_sku,"
        "family=product_family",
        "-smbios",
        "type=2,manufacturer=board_vendor,product=board_name,version=board_version,"
        "serial=board_serial,asset=board_asset_tag",
        "-smbios",
        "type=3,manufacturer=chassis_vendor,version=chassis_version,serial=chassis_serial,"
        "asset=chassis_asset_tag",
        NULL,
    };
    g_autoptr(MfSmbios) smbios = mf_smbios_new();

    for (MfSmbiosField field = 0; field < MF_N_SMBIOS_FIELDS; field++) {
        const char *name = mf_smbios_field_name(field);

        g_assert_cmpint(mf_smbios_field_find(name), ==, field);
        set(smbios, field,
            field == MF_SMBIOS_BIOS_RELEASE   ? "4.11"
            : field == MF_SMBIOS_PRODUCT_UUID ? "00112233-4455-6677-8899-aabbccddeeff"
                                              : name);
    }
    assert_line(smbios, expected);

    g_autoptr(MfSmbios) copy = mf_smbios_copy(smbios);
    assert_line(copy, expected);
}

static void
test_only_a_comma_is_doubled(void)
{
    static const char *const expected[] = {
        "-smbios", "type=1,manufacturer=a;b|c&d,product=Standard PC (Q35 + ICH9,, 2009)",
        "-smbios", "type=2,product=\"`e$(f)g\\h,version=a=b,,c=d",
        NULL,
    };
    g_autoptr(MfSmbios) smbios = mf_smbios_new();

    set(smbios, MF_SMBIOS_SYS_VENDOR, "a;b|c&d");
    set(smbios, MF_SMBIOS_PRODUCT_NAME, "Standard PC (Q35 + ICH9, 2009)");
    set(smbios, MF_SMBIOS_BOARD_NAME, "\"`e$(f)g\\h");
    set(smbios, MF_SMBIOS_BOARD_VERSION, "a=b,c=d");
    assert_line(smbios, expected);
}

static void
test_without_fields_there_is_no_option(void)
{
    static const char *const expected[] = {NULL};
    g_autoptr(MfSmbios) smbios = mf_smbios_new();

    assert_line(smbios, expected);
}

static void
test_what_is_no_text_of_a_table_is_refused_by_the_fields_name(void)
{
    static const struct {
        MfSmbiosField field;
        const char *text;
        gsize size;
        const char *fault;
    } bad[] = {
        {MF_SMBIOS_SYS_VENDOR, "a\0b", 3, "'sys_vendor' has a NUL character"},
        {MF_SMBIOS_SYS_VENDOR, "\0", 1, "'sys_vendor' has a NUL character"},
        {MF_SMBIOS_BOARD_NAME, "", 0, "'board_name' is empty"},
        {MF_SMBIOS_BOARD_NAME, "   ", 3, "'board_name' is empty"},
        {MF_SMBIOS_BIOS_DATE, "a\nb", 3, "'bios_date' has a control character"},
        {MF_SMBIOS_BIOS_DATE, "a\x7f", 2, "'bios_date' has a control character"},
        {MF_SMBIOS_BIOS_DATE, "a\xc2\x85", 3, "'bios_date' has a control character"},
        {MF_SMBIOS_BIOS_VERSION, "\xff", 1, "'bios_version' is not UTF-8"},
        {MF_SMBIOS_BIOS_RELEASE, "1", 1, "'bios_release' is not a release"},
        {MF_SMBIOS_BIOS_RELEASE, "1.256", 5, "'bios_release' is not a release"},
        {MF_SMBIOS_BIOS_RELEASE, "1.2.3", 5, "'bios_release' is not a release"},
        {MF_SMBIOS_BIOS_RELEASE, "1. 2", 4, "'bios_release' is not a release"},
        {MF_SMBIOS_PRODUCT_UUID, "0011", 4, "'product_uuid' is not a UUID"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(MfSmbios) smbios = mf_smbios_new();
        g_autoptr(GError) error = NULL;

        g_assert_false(mf_smbios_set(smbios, bad[i].field, bad[i].text, bad[i].size, &error));
        g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
        g_test_message("%s", error->message);
        g_assert_nonnull(strstr(error->message, bad[i].fault));
        g_assert_null(smbios->values[bad[i].field]);
    }
}

static void
test_a_value_is_taken_up_to_its_longest_and_no_further(void)
{
    g_autofree char *longest = g_strnfill(MF_SMBIOS_VALUE_MAX, 'x');
    g_autofree char *longer = g_strnfill(MF_SMBIOS_VALUE_MAX + 1, 'x');
    g_autoptr(MfSmbios) smbios = mf_smbios_new();
    g_autoptr(GError) error = NULL;

    set(smbios, MF_SMBIOS_PRODUCT_SKU, longest);
    g_assert_false(mf_smbios_set(smbios, MF_SMBIOS_PRODUCT_SKU, longer, strlen(longer), &error));
    g_assert_cmpstr(error->message, ==,
                    "The SMBIOS field 'product_sku' is too long: it has at most 255 bytes.");
    g_assert_cmpstr(smbios->values[MF_SMBIOS_PRODUCT_SKU], ==, longest);
}

static void
test_an_option_names_its_field(void)
{
    static const struct {
        const char *text, *message;
    } bad[] = {
        {"product_name", "'product_name' is not FIELD=TEXT, such as product_name=Laptop."},
        {"prodct_name=x", "There is no SMBIOS field 'prodct_name': did you mean 'product_name'?"},
        {"=x", "There is no SMBIOS field '': it is the name of a file in /sys/class/dmi/id, such "
               "as product_name."},
        {"board_name=", "The SMBIOS field 'board_name' is empty: leave it out."},
    };
    g_autoptr(MfSmbios) smbios = mf_smbios_new();

    g_assert_true(mf_smbios_parse(smbios, "product_name=a=b, c", NULL));
    g_assert_cmpstr(smbios->values[MF_SMBIOS_PRODUCT_NAME], ==, "a=b, c");
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_false(mf_smbios_parse(smbios, bad[i].text, &error));
        g_assert_cmpstr(error->message, ==, bad[i].message);
    }
}

static void
test_only_machines_that_show_their_tables_have_any(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(mf_smbios_check_machine(MF_ARCH_X86_64, FALSE, NULL));
    g_assert_true(mf_smbios_check_machine(MF_ARCH_AARCH64, TRUE, NULL));
    g_assert_false(mf_smbios_check_machine(MF_ARCH_RISCV64, TRUE, NULL));
    g_assert_false(mf_smbios_check_machine(MF_ARCH_S390X, FALSE, NULL));
    g_assert_false(mf_smbios_check_machine(MF_ARCH_AARCH64, FALSE, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    g_assert_nonnull(strstr(error->message, "aarch64 has no SMBIOS tables without UEFI"));
}

/*
 * Hostile strings
 */

static const char *const palette[] = {
    "a",
    "Z",
    "0",
    " ",
    ",",
    ",,",
    "=",
    "type=1",
    ",file=/etc/passwd",
    "'",
    "\"",
    "\\",
    "`id`",
    "$",
    "$(id)",
    "${X}",
    ";",
    "|",
    "&",
    "<",
    ">",
    "*",
    "?",
    "[",
    "]",
    "{",
    "}",
    "~",
    "#",
    "!",
    "%s",
    "%n",
    "\n",
    "\r",
    "\t",
    "\x1b[31m",
    "\b",
    "\x7f",
    "/",
    "../",
    "é",
    "\xf0\x9f\x90\x8b",
    "\xe2\x80\xae",
    "\xe2\x80\x8f",
    "\xd7\xa9\xd7\x9c",
    "\xe2\x81\xa6",
    "\xef\xbb\xbf",
    "\xef\xbf\xbe",
    "\xff",
    "\xc3",
    "\xc0\x80",
    "\xed\xa0\x80",
};

/* A few pieces of the palette, with a NUL in every eighth string, and a long one now and then. */
static GString *
make_hostile(GRand *rand)
{
    GString *text = g_string_new(NULL);
    gint32 pieces = g_rand_int_range(rand, 0, 50) == 0 ? 200 : g_rand_int_range(rand, 0, 8);

    for (gint32 i = 0; i < pieces; i++)
        g_string_append(text, palette[g_rand_int_range(rand, 0, G_N_ELEMENTS(palette))]);
    if (g_rand_int_range(rand, 0, 8) == 0)
        g_string_insert_len(text, g_rand_int_range(rand, 0, (gint32)text->len + 1), "", 1);
    return text;
}

/* The contract once more, in other words. */
static gboolean
is_acceptable(MfSmbiosField field, const GString *text)
{
    gboolean blank = TRUE;

    if (field == MF_SMBIOS_BIOS_RELEASE || field == MF_SMBIOS_PRODUCT_UUID)
        return FALSE;
    if (text->len > 255 || strlen(text->str) != text->len || !g_utf8_validate(text->str, -1, NULL))
        return FALSE;
    for (gsize i = 0; i < text->len; i++) {
        guchar byte = (guchar)text->str[i];

        blank = blank && byte == ' ';
        if (byte < 0x20 || byte == 0x7f)
            return FALSE;
        if (byte == 0xc2 && (guchar)text->str[i + 1] < 0xa0)
            return FALSE;
    }
    return !blank;
}

/* What QEMU reads of "type=N,NAME=VALUE": up to a comma that is not doubled. */
static char *
read_as_qemu(const char *word)
{
    const char *at = strchr(strchr(word, ',') + 1, '=') + 1;
    GString *value = g_string_new(NULL);

    for (; *at; at++) {
        if (*at == ',') {
            at++;
            /* Another option would begin here. */
            g_assert_cmpint(*at, ==, ',');
        }
        g_string_append_c(value, *at);
    }
    return g_string_free(value, FALSE);
}

static void
check_hostile(MfSmbiosField field, const GString *text)
{
    g_autoptr(MfSmbios) smbios = mf_smbios_new();
    g_autoptr(MfArgv) argv = mf_argv_new("qemu");
    g_autoptr(GError) error = NULL;
    gboolean taken = mf_smbios_set(smbios, field, text->str, text->len, &error);

    g_assert_cmpint(taken, ==, is_acceptable(field, text));
    mf_smbios_add_to_argv(smbios, argv);
    if (!taken) {
        g_autofree char *named = g_strdup_printf("'%s'", mf_smbios_field_name(field));

        g_assert_nonnull(strstr(error->message, named));
        g_assert_true(g_utf8_validate(error->message, -1, NULL));
        g_assert_null(mf_argv_get(argv)[1]);
        return;
    }
    g_assert_cmpstr(mf_argv_get(argv)[1], ==, "-smbios");
    g_assert_null(mf_argv_get(argv)[3]);

    g_autofree char *read = read_as_qemu(mf_argv_get(argv)[2]);
    g_assert_cmpstr(read, ==, text->str);
}

static void
test_hostile_strings_reach_qemu_exactly_or_are_refused(void)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(FUZZ_SEED);
    guint taken[2] = {0, 0};

    for (MfSmbiosField field = 0; field < MF_N_SMBIOS_FIELDS; field++) {
        for (guint round = 0; round < FUZZ_ROUNDS; round++) {
            g_autoptr(GString) text = make_hostile(rand);

            taken[is_acceptable(field, text) ? 1 : 0]++;
            check_hostile(field, text);
        }
    }
    /* Neither kind is rare. */
    g_assert_cmpuint(taken[0], >, FUZZ_ROUNDS);
    g_assert_cmpuint(taken[1], >, FUZZ_ROUNDS);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/smbios/a-laptop-is-two-options", test_a_laptop_is_two_options);
    g_test_add_func("/smbios/every-field-has-its-place-in-one-of-four-types",
                    test_every_field_has_its_place_in_one_of_four_types);
    g_test_add_func("/smbios/only-a-comma-is-doubled", test_only_a_comma_is_doubled);
    g_test_add_func("/smbios/without-fields-there-is-no-option",
                    test_without_fields_there_is_no_option);
    g_test_add_func("/smbios/what-is-no-text-of-a-table-is-refused-by-the-fields-name",
                    test_what_is_no_text_of_a_table_is_refused_by_the_fields_name);
    g_test_add_func("/smbios/a-value-is-taken-up-to-its-longest-and-no-further",
                    test_a_value_is_taken_up_to_its_longest_and_no_further);
    g_test_add_func("/smbios/an-option-names-its-field", test_an_option_names_its_field);
    g_test_add_func("/smbios/only-machines-that-show-their-tables-have-any",
                    test_only_machines_that_show_their_tables_have_any);
    g_test_add_func("/smbios/hostile-strings-reach-qemu-exactly-or-are-refused",
                    test_hostile_strings_reach_qemu_exactly_or_are_refused);
    return g_test_run();
}
