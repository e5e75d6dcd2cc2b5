/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/libvirt.h"

#include "machine/lazy-libvirt.h"
#include "machine/libvirt-domain.h"

gboolean
mf_libvirt_is_built_in(void)
{
    return TRUE;
}

gboolean
mf_libvirt_load(GError **error)
{
    return mf_lazy_libvirt_load(error);
}

char *
mf_libvirt_describe(const MfSpec *spec)
{
    g_autofree char *name = mf_libvirt_domain_make_name();

    return mf_libvirt_domain_to_xml(spec, name);
}
