/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <json.h>

/* Messages as QEMU and its agent would have sent them, made of what libvirt says instead. All are
 * pure functions, and what they return is owned by the caller. */

/* {"error": ...} with 'message'. 'id' is that of the request (borrowed), or NULL. */
char *mf_libvirt_reply_new_error(const char *message, json_object *id);

/* {"return": {}}, likewise. */
char *mf_libvirt_reply_new_empty(json_object *id);

/* 'reply', with 'id' for the one that libvirt gave the request, or an error if it is no JSON. */
char *mf_libvirt_reply_restore_id(const char *reply, json_object *id);

/* QMP's greeting, with a version as libvirt has it: 7002022 for 7.2.22. */
char *mf_libvirt_reply_new_greeting(gulong version);

/* An event, whose 'data' is JSON, or NULL. */
char *mf_libvirt_reply_new_event(const char *name, const char *data);
