/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/config-smbios.h"

#include <string.h>

MfSmbios *
mf_config_smbios_read(const MfConfigSmbios *config, MfSmbiosField *ret_field, GError **error)
{
    const MfJsonType *type = &mf_config_smbios_type;
    g_autoptr(MfSmbios) smbios = mf_smbios_new();

    /* The keys are the fields' names. */
    for (gsize i = 0; i < type->n_members; i++) {
        const char *text = G_STRUCT_MEMBER(char *, config, type->members[i].offset);
        MfSmbiosField field = mf_smbios_field_find(type->members[i].name);

        g_return_val_if_fail(field < MF_N_SMBIOS_FIELDS, NULL);
        if (!text || mf_smbios_set(smbios, field, text, strlen(text), error))
            continue;
        if (ret_field)
            *ret_field = field;
        return NULL;
    }
    return g_steal_pointer(&smbios);
}
