/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/smbios.h"

#include <string.h>

#include "base/error.h"
#include "base/parse.h"
#include "base/suggest.h"

#define TYPES 4

/* Of a field of QEMU's -smbios. */
static const struct {
    const char *name;
    guint type;
    const char *option;
} fields[] = {
    [MF_SMBIOS_BIOS_VENDOR] = {"bios_vendor", 0, "vendor"},
    [MF_SMBIOS_BIOS_VERSION] = {"bios_version", 0, "version"},
    [MF_SMBIOS_BIOS_DATE] = {"bios_date", 0, "date"},
    [MF_SMBIOS_BIOS_RELEASE] = {"bios_release", 0, "release"},
    [MF_SMBIOS_SYS_VENDOR] = {"sys_vendor", 1, "manufacturer"},
    [MF_SMBIOS_PRODUCT_NAME] = {"product_name", 1, "product"},
    [MF_SMBIOS_PRODUCT_VERSION] = {"product_version", 1, "version"},
    [MF_SMBIOS_PRODUCT_SERIAL] = {"product_serial", 1, "serial"},
    [MF_SMBIOS_PRODUCT_UUID] = {"product_uuid", 1, "uuid"},
    [MF_SMBIOS_PRODUCT_SKU] = {"product_sku", 1, "sku"},
    [MF_SMBIOS_PRODUCT_FAMILY] = {"product_family", 1, "family"},
    [MF_SMBIOS_BOARD_VENDOR] = {"board_vendor", 2, "manufacturer"},
    [MF_SMBIOS_BOARD_NAME] = {"board_name", 2, "product"},
    [MF_SMBIOS_BOARD_VERSION] = {"board_version", 2, "version"},
    [MF_SMBIOS_BOARD_SERIAL] = {"board_serial", 2, "serial"},
    [MF_SMBIOS_BOARD_ASSET_TAG] = {"board_asset_tag", 2, "asset"},
    [MF_SMBIOS_CHASSIS_VENDOR] = {"chassis_vendor", 3, "manufacturer"},
    [MF_SMBIOS_CHASSIS_VERSION] = {"chassis_version", 3, "version"},
    [MF_SMBIOS_CHASSIS_SERIAL] = {"chassis_serial", 3, "serial"},
    [MF_SMBIOS_CHASSIS_ASSET_TAG] = {"chassis_asset_tag", 3, "asset"},
};
G_STATIC_ASSERT(G_N_ELEMENTS(fields) == MF_N_SMBIOS_FIELDS);

MfSmbios *
mf_smbios_new(void)
{
    return g_new0(MfSmbios, 1);
}

MfSmbios *
mf_smbios_copy(const MfSmbios *self)
{
    MfSmbios *copy;

    if (!self)
        return NULL;
    copy = mf_smbios_new();
    for (MfSmbiosField field = 0; field < MF_N_SMBIOS_FIELDS; field++)
        copy->values[field] = g_strdup(self->values[field]);
    return copy;
}

void
mf_smbios_free(MfSmbios *self)
{
    if (!self)
        return;
    for (MfSmbiosField field = 0; field < MF_N_SMBIOS_FIELDS; field++)
        g_free(self->values[field]);
    g_free(self);
}

const char *
mf_smbios_field_name(MfSmbiosField field)
{
    return fields[field].name;
}

MfSmbiosField
mf_smbios_field_find(const char *name)
{
    MfSmbiosField field = 0;

    while (field < MF_N_SMBIOS_FIELDS && !g_str_equal(fields[field].name, name))
        field++;
    return field;
}

static gboolean
is_release(const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, ".", -1);
    guint64 number;

    return g_strv_length(parts) == 2 &&
           mf_parse_uint(parts[0], "major release", 0, G_MAXUINT8, &number, NULL) &&
           mf_parse_uint(parts[1], "minor release", 0, G_MAXUINT8, &number, NULL);
}

/* Of valid UTF-8 without NUL: those of ASCII and of ISO 6429. */
static gboolean
has_control_character(const char *text)
{
    for (; *text; text = g_utf8_next_char(text))
        if (g_unichar_iscntrl(g_utf8_get_char(text)))
            return TRUE;
    return FALSE;
}

/* What speaks against the value, as the end of a sentence; NULL for nothing. 'text' has a NUL
 * behind its 'size' bytes. */
static const char *
find_fault(MfSmbiosField field, const char *text, gsize size)
{
    if (memchr(text, '\0', size))
        return "has a NUL character, at which its text would end";
    if (size > MF_SMBIOS_VALUE_MAX)
        return "is too long: it has at most " G_STRINGIFY(MF_SMBIOS_VALUE_MAX) " bytes";
    if (!g_utf8_validate(text, (gssize)size, NULL))
        return "is not UTF-8";
    if (has_control_character(text))
        return "has a control character, such as a line break, which is no part of a text";
    /* Linux shows such a text as an empty one. */
    if (strspn(text, " ") == size)
        return "is empty: leave it out";
    if (field == MF_SMBIOS_BIOS_RELEASE && !is_release(text))
        return "is not a release: two numbers up to 255 with a point between them are expected";
    if (field == MF_SMBIOS_PRODUCT_UUID && !g_uuid_string_is_valid(text))
        return "is not a UUID, such as 00112233-4455-6677-8899-aabbccddeeff";
    return NULL;
}

gboolean
mf_smbios_set(MfSmbios *self, MfSmbiosField field, const char *text, gsize size, GError **error)
{
    g_autofree char *value = g_malloc(size + 1);
    const char *fault;

    memcpy(value, text, size);
    value[size] = '\0';
    fault = find_fault(field, value, size);
    if (fault) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG, "The SMBIOS field '%s' %s.",
                    fields[field].name, fault);
        return FALSE;
    }
    g_free(self->values[field]);
    self->values[field] = g_steal_pointer(&value);
    return TRUE;
}

/* Sets *error to what is meant by a name that is no field's. */
static void
fail_unknown(const char *name, GError **error)
{
    const char *names[MF_N_SMBIOS_FIELDS + 1] = {NULL};
    const char *near;

    for (MfSmbiosField field = 0; field < MF_N_SMBIOS_FIELDS; field++)
        names[field] = fields[field].name;
    near = mf_suggest(name, names);
    if (near)
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "There is no SMBIOS field '%s': did you mean '%s'?", name, near);
    else
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "There is no SMBIOS field '%s': it is the name of a file in /sys/class/dmi/id, "
                    "such as product_name.",
                    name);
}

gboolean
mf_smbios_parse(MfSmbios *self, const char *text, GError **error)
{
    const char *equals = strchr(text, '=');

    if (!equals) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "'%s' is not FIELD=TEXT, such as product_name=Laptop.", text);
        return FALSE;
    }

    g_autofree char *name = g_strndup(text, (gsize)(equals - text));
    MfSmbiosField field = mf_smbios_field_find(name);
    if (field == MF_N_SMBIOS_FIELDS) {
        fail_unknown(name, error);
        return FALSE;
    }
    return mf_smbios_set(self, field, equals + 1, strlen(equals + 1), error);
}

gboolean
mf_smbios_check_machine(MfArch arch, gboolean uefi, GError **error)
{
    /* ARM's machines hand the tables to UEFI, and to nobody else. */
    if (arch == MF_ARCH_X86_64 || (arch == MF_ARCH_AARCH64 && uefi))
        return TRUE;
    g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                "A machine of %s has no SMBIOS tables%s: leave the SMBIOS fields out.",
                mf_arch_name(arch), arch == MF_ARCH_AARCH64 ? " without UEFI" : "");
    return FALSE;
}

void
mf_smbios_add_to_argv(const MfSmbios *self, MfArgv *argv)
{
    for (guint type = 0; type < TYPES; type++) {
        g_autoptr(GString) options = g_string_new(NULL);

        for (MfSmbiosField field = 0; field < MF_N_SMBIOS_FIELDS; field++) {
            if (fields[field].type != type || !self->values[field])
                continue;
            g_autofree char *escaped = mf_argv_escape_value(self->values[field]);
            g_string_append_printf(options, ",%s=%s", fields[field].option, escaped);
        }
        if (options->len == 0)
            continue;
        mf_argv_add(argv, "-smbios");
        mf_argv_addf(argv, "type=%u%s", type, options->str);
    }
}
