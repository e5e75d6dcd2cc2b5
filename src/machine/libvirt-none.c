/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"
#include "machine/libvirt.h"

/* In place of the backend, where mayfly is built without it. */

gboolean
mf_libvirt_is_built_in(void)
{
    return FALSE;
}

MfMachine *
mf_libvirt_launch(const MfSpec *spec, GError **error)
{
    g_set_error(error, MF_ERROR, MF_ERROR_HOST,
                "This mayfly was built without libvirt, and cannot connect to '%s'.",
                spec->connect);
    return NULL;
}

char *
mf_libvirt_describe(const MfSpec *spec)
{
    return g_strdup_printf("A machine of '%s', which this mayfly was built without.\n",
                           spec->connect);
}
