/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>
#include <json.h>

#include "wire/transport.h"

/*
 * A QMP client: greeting, capabilities, commands with ids and deadlines, events.
 * Protocol: QEMU's docs/interop/qmp-spec. The commands in use are generated from qapi/qmp.json:
 * mf_qmp_<command>_async() / _finish() in "qapi/qmp-commands.h".
 */
#define MF_TYPE_QMP (mf_qmp_get_type())
G_DECLARE_FINAL_TYPE(MfQmp, mf_qmp, MF, QMP, GObject)

/* The longest line accepted; the longest known, the reply to query-qmp-schema, has 0.2 MB. */
#define MF_QMP_LINE_MAX (8u << 20)

/* 'transport' is referenced. A call that is not completed yet holds a reference to the client. */
MfQmp *mf_qmp_new(MfTransport *transport);

/* Awaits the greeting and negotiates capabilities; once. MF_ERROR_TIMEOUT, CANCELLED, PROTOCOL,
 * REMOTE, LOST; a client that failed to open is of no further use. A 'timeout_ms' of 0 is no
 * deadline, here and below. */
void mf_qmp_open_async(MfQmp *self, guint timeout_ms, GCancellable *cancellable,
                       GAsyncReadyCallback callback, gpointer user_data);
gboolean mf_qmp_open_finish(MfQmp *self, GAsyncResult *result, GError **error);

/* QEMU's version from the greeting, e.g. 7, 2, 22; zeros before it. */
void mf_qmp_get_version(MfQmp *self, guint *ret_major, guint *ret_minor, guint *ret_micro);

/* One command. 'arguments' (an object or NULL) is consumed. The finish function returns the
 * "return" value, owned by the caller (json_object_put); NULL is JSON null, so look at the error:
 * it returns FALSE with MF_ERROR_REMOTE ("<class>: <desc>"), TIMEOUT, CANCELLED, PROTOCOL, LOST,
 * or whatever reason the client was closed with.
 *
 * Before open has completed a command is refused with MF_ERROR_PROTOCOL. Commands may overlap. A
 * late reply, to a command that timed out or was cancelled, is dropped. Everything else that the
 * protocol does not allow (not JSON, a line beyond MF_QMP_LINE_MAX, an unknown id, no greeting)
 * ends the connection: what is pending fails with MF_ERROR_PROTOCOL, and "closed" follows. */
void
mf_qmp_execute_async(MfQmp *self, const char *command, json_object *arguments, guint timeout_ms,
                     GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
gboolean
mf_qmp_execute_finish(MfQmp *self, GAsyncResult *result, json_object **ret_value, GError **error);

/* As execute, and passes 'fd' (duplicated; the caller keeps its own) along with the command by
 * SCM_RIGHTS, as getfd and add-fd want it. MF_ERROR_PROTOCOL when the transport cannot. */
void mf_qmp_execute_with_fd_async(MfQmp *self, const char *command, json_object *arguments, int fd,
                                  guint timeout_ms, GCancellable *cancellable,
                                  GAsyncReadyCallback callback, gpointer user_data);

/* Fails everything pending, once, with a copy of 'reason', and closes the transport. Emits nothing;
 * on a closed client it does nothing. */
void mf_qmp_close(MfQmp *self, const GError *reason);

/* Signals:
 *   "event"  (const char *name, json_object *data)   data borrowed, may be NULL; "event::STOP"
 *                                                     connects to one event alone
 *   "closed" (GError *reason)                         the peer hung up or broke the protocol; once,
 *                                                     after what was pending has failed
 */
