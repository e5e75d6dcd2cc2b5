/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/argv.h"
#include "machine/arch.h"

/*
 * What a machine says of itself in its SMBIOS tables, types 0 to 3. A field is called as the
 * guest's Linux calls it: the name of its file in /sys/class/dmi/id.
 */
typedef enum {
    MF_SMBIOS_BIOS_VENDOR,
    MF_SMBIOS_BIOS_VERSION,
    MF_SMBIOS_BIOS_DATE,
    MF_SMBIOS_BIOS_RELEASE, /* MAJOR.MINOR, of numbers up to 255 */
    MF_SMBIOS_SYS_VENDOR,
    MF_SMBIOS_PRODUCT_NAME,
    MF_SMBIOS_PRODUCT_VERSION,
    MF_SMBIOS_PRODUCT_SERIAL,
    MF_SMBIOS_PRODUCT_UUID,
    MF_SMBIOS_PRODUCT_SKU,
    MF_SMBIOS_PRODUCT_FAMILY,
    MF_SMBIOS_BOARD_VENDOR,
    MF_SMBIOS_BOARD_NAME,
    MF_SMBIOS_BOARD_VERSION,
    MF_SMBIOS_BOARD_SERIAL,
    MF_SMBIOS_BOARD_ASSET_TAG,
    MF_SMBIOS_CHASSIS_VENDOR,
    MF_SMBIOS_CHASSIS_VERSION,
    MF_SMBIOS_CHASSIS_SERIAL,
    MF_SMBIOS_CHASSIS_ASSET_TAG,
    MF_N_SMBIOS_FIELDS,
} MfSmbiosField;

/* Bytes of one value: all fields at their longest stay far below what the tables can hold. */
#define MF_SMBIOS_VALUE_MAX 255

typedef struct {
    char *values[MF_N_SMBIOS_FIELDS]; /* owned; NULL: what the firmware says by itself */
} MfSmbios;

MfSmbios *mf_smbios_new(void);
MfSmbios *mf_smbios_copy(const MfSmbios *self);
void mf_smbios_free(MfSmbios *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfSmbios, mf_smbios_free)

/* "bios_vendor"; and back, MF_N_SMBIOS_FIELDS for what is no field. */
const char *mf_smbios_field_name(MfSmbiosField field);
MfSmbiosField mf_smbios_field_find(const char *name);

/* Sets a field to 'size' bytes of text: UTF-8 of 1 to MF_SMBIOS_VALUE_MAX bytes that is not all
 * spaces and has no control characters, among them NUL; the release and the UUID in their forms.
 * MF_ERROR_CONFIG, naming the field. */
gboolean
mf_smbios_set(MfSmbios *self, MfSmbiosField field, const char *text, gsize size, GError **error);

/* The same of an option's "FIELD=TEXT". */
gboolean mf_smbios_parse(MfSmbios *self, const char *text, GError **error);

/* Whether a machine of 'arch', whose firmware is UEFI or not, shows its tables to the guest.
 * MF_ERROR_CONFIG. */
gboolean mf_smbios_check_machine(MfArch arch, gboolean uefi, GError **error);

/* One -smbios for each type of which a field is set. */
void mf_smbios_add_to_argv(const MfSmbios *self, MfArgv *argv);
