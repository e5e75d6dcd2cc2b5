/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/libvirt-reply.h"

#include <string.h>

#include "wire/json.h"
#include "wire/qmp.h"

static char *
to_line(json_object *message, json_object *id)
{
    if (id)
        json_object_object_add(message, "id", json_object_get(id));
    return g_strdup(json_object_to_json_string_ext(message, JSON_C_TO_STRING_PLAIN));
}

char *
mf_libvirt_reply_new_error(const char *message, json_object *id)
{
    g_autoptr(json_object) reply = json_object_new_object();
    json_object *error = json_object_new_object();

    json_object_object_add(error, "class", json_object_new_string("GenericError"));
    json_object_object_add(error, "desc", json_object_new_string(message));
    json_object_object_add(reply, "error", error);
    return to_line(reply, id);
}

char *
mf_libvirt_reply_new_empty(json_object *id)
{
    g_autoptr(json_object) reply = json_object_new_object();

    json_object_object_add(reply, "return", json_object_new_object());
    return to_line(reply, id);
}

char *
mf_libvirt_reply_restore_id(const char *reply, json_object *id)
{
    g_autoptr(json_object) parsed = NULL;

    if (!mf_json_parse(reply, strlen(reply), MF_QMP_LINE_MAX, &parsed, NULL) ||
        !json_object_is_type(parsed, json_type_object))
        return mf_libvirt_reply_new_error("libvirt passed on a reply that is no JSON object", id);
    json_object_object_del(parsed, "id");
    return to_line(parsed, id);
}

char *
mf_libvirt_reply_new_greeting(gulong version)
{
    g_autoptr(json_object) greeting = json_object_new_object();
    json_object *qmp = json_object_new_object();
    json_object *all = json_object_new_object();
    json_object *qemu = json_object_new_object();

    json_object_object_add(qemu, "major", json_object_new_int64((gint64)(version / 1000000)));
    json_object_object_add(qemu, "minor", json_object_new_int64((gint64)(version / 1000 % 1000)));
    json_object_object_add(qemu, "micro", json_object_new_int64((gint64)(version % 1000)));
    json_object_object_add(all, "qemu", qemu);
    json_object_object_add(all, "package", json_object_new_string(""));
    json_object_object_add(qmp, "version", all);
    json_object_object_add(qmp, "capabilities", json_object_new_array());
    json_object_object_add(greeting, "QMP", qmp);
    return to_line(greeting, NULL);
}

char *
mf_libvirt_reply_new_event(const char *name, const char *data)
{
    g_autoptr(json_object) event = json_object_new_object();
    g_autoptr(json_object) parsed = NULL;

    json_object_object_add(event, "event", json_object_new_string(name));
    if (data && mf_json_parse(data, strlen(data), MF_QMP_LINE_MAX, &parsed, NULL) &&
        json_object_is_type(parsed, json_type_object))
        json_object_object_add(event, "data", g_steal_pointer(&parsed));
    return to_line(event, NULL);
}
