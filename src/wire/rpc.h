/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

#include "wire/json.h"

/*
 * The table of live calls: what was asked and not answered yet. A call leaves it by exactly one of
 * reply, failure, deadline, cancellation or the end of the connection, and its task returns then,
 * once. Whoever owns the table speaks the protocol; the table only knows who is waiting.
 *
 * A call has an id, which the protocol may put on the wire or not. A deadline and a cancellation
 * abandon a call: nobody waits for it, but its reply may still come, which the owner is told.
 * Deadlines are of the monotonic clock; setting the wall clock does not move them.
 */
typedef struct MfRpc MfRpc;

/* The call is out of the table already; its task returns after this. */
typedef void (*MfRpcAbandonedFunc)(guint64 id, gpointer data);

MfRpc *mf_rpc_new(MfRpcAbandonedFunc abandoned, gpointer data);

/* The table must be empty, as it is when the tasks hold their source object and that the table. */
void mf_rpc_free(MfRpc *self);

/* Enters a call; 'task' is consumed, and watched for cancellation through its own cancellable.
 * 'what' begins its messages: "The QMP command 'quit'". Returns its id, from 1 and never reused;
 * 0 when the task is cancelled already: it has returned, and nothing is to be sent. */
guint64 mf_rpc_enter(MfRpc *self, GTask *task, const char *what);

/* Starts the call's deadline, from now; 0 is none. */
void mf_rpc_set_deadline(MfRpc *self, guint64 id, guint timeout_ms);

gboolean mf_rpc_is_live(MfRpc *self, guint64 id);

/* Ends a call, which must be live; 'value' (NULL is JSON's null) and 'error' are consumed. */
void mf_rpc_succeed(MfRpc *self, guint64 id, json_object *value);
void mf_rpc_fail(MfRpc *self, guint64 id, GError *error);

/* Fails every live call, the oldest first, with a copy of 'reason'. */
void mf_rpc_fail_all(MfRpc *self, const GError *reason);

/* For the finish functions: what the task returned. 'ret_value' may be NULL; else it is written on
 * success, owned by the caller. */
gboolean mf_rpc_finish(GAsyncResult *result, json_object **ret_value, GError **error);

/* The request as a line: {"execute": ..., "arguments": ..., "id": ...}. 'arguments' (an object, or
 * NULL for none) is consumed; an 'id' of 0 is left out. Owned by the caller. */
GBytes *mf_rpc_request(const char *command, json_object *arguments, guint64 id);

/* An "error" member ({"class": ..., "desc": ...}) as MF_ERROR_REMOTE "<class>: <desc>", with
 * control characters replaced and its length bounded by MF_RPC_ERROR_TEXT_MAX bytes; or the
 * MF_ERROR_PROTOCOL of one that is malformed. Owned by the caller. */
GError *mf_rpc_remote_error(const MfJson *error);

#define MF_RPC_ERROR_TEXT_MAX 4096
