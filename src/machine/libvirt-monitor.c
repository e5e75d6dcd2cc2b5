/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/libvirt-monitor.h"

#include <stdlib.h>
#include <string.h>

#include "machine/libvirt-link.h"
#include "machine/libvirt-reply.h"
#include "wire/json.h"
#include "wire/qmp.h"

/* The request goes without the id of ours: libvirt gives it one of its own. */
static char *
pass_on(virDomainPtr domain, json_object *request, json_object *id)
{
    g_autofree char *reply = NULL;
    char *raw = NULL;

    json_object_object_del(request, "id");
    if (virDomainQemuMonitorCommand(
            domain, json_object_to_json_string_ext(request, JSON_C_TO_STRING_PLAIN), &raw, 0) < 0)
        return mf_libvirt_reply_new_error(virGetLastErrorMessage(), id);
    reply = mf_libvirt_reply_restore_id(raw, id);
    free(raw);
    return g_steal_pointer(&reply);
}

char *
mf_libvirt_monitor_answer(const char *line, gpointer link)
{
    g_autoptr(json_object) request = NULL;
    g_autoptr(json_object) id = NULL;
    json_object *member;

    if (!mf_json_parse(line, strlen(line), MF_QMP_LINE_MAX, &request, NULL))
        return NULL;
    if (json_object_object_get_ex(request, "id", &member))
        id = json_object_get(member);
    if (json_object_object_get_ex(request, "execute", &member) &&
        g_strcmp0(json_object_get_string(member), "qmp_capabilities") == 0)
        return mf_libvirt_reply_new_empty(id);
    return pass_on(((MfLibvirtLink *)link)->domain, request, id);
}
