/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"
#include "machine/libvirt.h"

/* In place of the backend, where mayfly is built without it. */

gboolean
mf_libvirt_is_built_in(void)
{
    return FALSE;
}

gboolean
mf_libvirt_load(GError **error)
{
    g_set_error(error, MF_ERROR, MF_ERROR_HOST, "This mayfly was built without libvirt.");
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

void
mf_libvirt_open_agent_async(const char *uri, const char *name, GAsyncReadyCallback callback,
                            gpointer user_data)
{
    g_autoptr(GTask) task = g_task_new(NULL, NULL, callback, user_data);

    g_task_return_new_error(task, MF_ERROR, MF_ERROR_HOST,
                            "This mayfly was built without libvirt, and cannot connect to '%s'.",
                            uri);
}

MfTransport *
mf_libvirt_open_agent_finish(GAsyncResult *result, GError **error)
{
    return g_task_propagate_pointer(G_TASK(result), error);
}
