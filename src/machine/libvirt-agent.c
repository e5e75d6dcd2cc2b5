/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/libvirt-agent.h"

#include <stdlib.h>
#include <string.h>

#include "machine/libvirt-link.h"
#include "machine/libvirt-reply.h"
#include "wire/json.h"
#include "wire/line.h"
#include "wire/qga.h"

/* For longer than any client waits. */
#define ANSWER_TIMEOUT_S 60

/* In libvirt's message on a command that the agent refuses, before the command's name. */
#define AGENT_COMMAND "QEMU agent command '"

#define SYNC_MARKED "guest-sync-delimited"

/* libvirt reads replies as they are, without a mark ahead of them, and knows the other request of
 * this kind. */
char *
mf_libvirt_agent_translate(const char *line, gboolean *ret_marked)
{
    const char *text = *(const guint8 *)line == MF_LINE_SENTINEL ? line + 1 : line;
    g_autoptr(json_object) request = NULL;
    json_object *name;

    if (!mf_json_parse(text, strlen(text), MF_QGA_LINE_MAX, &request, NULL) ||
        !json_object_object_get_ex(request, "execute", &name))
        return NULL;
    *ret_marked = g_strcmp0(json_object_get_string(name), SYNC_MARKED) == 0;
    if (*ret_marked)
        json_object_object_add(request, "execute", json_object_new_string("guest-sync"));
    return g_strdup(json_object_to_json_string_ext(request, JSON_C_TO_STRING_PLAIN));
}

const char *
mf_libvirt_agent_get_reason(const char *message)
{
    const char *command = strstr(message, AGENT_COMMAND);
    const char *colon = command ? strstr(command, "': ") : NULL;

    return colon ? colon + strlen("': ") : message;
}

/* The agent's own word. Anything else is for want of one: whoever asked has a deadline, and hears
 * of a domain that is gone from elsewhere. */
static gboolean
is_refusal(virErrorPtr error)
{
    return (error->domain == VIR_FROM_QEMU && error->code == VIR_ERR_INTERNAL_ERROR) ||
           strstr(error->message, AGENT_COMMAND);
}

char *
mf_libvirt_agent_answer(const char *line, gpointer link)
{
    gboolean marked = FALSE;
    g_autofree char *request = mf_libvirt_agent_translate(line, &marked);
    char *reply, *answer;

    if (!request)
        return NULL;
    reply =
        virDomainQemuAgentCommand(((MfLibvirtLink *)link)->domain, request, ANSWER_TIMEOUT_S, 0);
    if (reply) {
        answer = g_strconcat(marked ? "\xff" : "", reply, NULL);
        free(reply);
        return answer;
    }
    if (marked || !is_refusal(virGetLastError()))
        return NULL;
    return mf_libvirt_reply_new_error(mf_libvirt_agent_get_reason(virGetLastErrorMessage()), NULL);
}
