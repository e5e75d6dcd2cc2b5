/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>
#include <json.h>

#include "wire/transport.h"

/*
 * A client of the QEMU guest agent protocol (QEMU's docs/interop/qemu-ga-ref). The commands in use
 * are generated from qapi/qga.json: mf_qga_<command>_async() / _finish() in
 * "qapi/qga-commands.h".
 *
 * The agent has no ids and no greeting: the channel is brought into step by guest-sync-delimited
 * with a fresh random id, at first and after any time-out; replies that come late are dropped.
 */
#define MF_TYPE_QGA (mf_qga_get_type())
G_DECLARE_FINAL_TYPE(MfQga, mf_qga, MF, QGA, GObject)

/* 'transport' is referenced. */
MfQga *mf_qga_new(MfTransport *transport);

/* Brings the channel into step; the agent need not be there yet: the request waits in the channel
 * until it is. MF_ERROR_TIMEOUT, CANCELLED, PROTOCOL, LOST. */
void mf_qga_sync_async(MfQga *self, guint timeout_ms, GCancellable *cancellable,
                       GAsyncReadyCallback callback, gpointer user_data);
gboolean mf_qga_sync_finish(MfQga *self, GAsyncResult *result, GError **error);

/* One command, as mf_qmp_execute_async(). Commands are sent one at a time, in order; the deadline
 * counts from when this one is sent. After a time-out the next command is preceded by a sync. */
void
mf_qga_execute_async(MfQga *self, const char *command, json_object *arguments, guint timeout_ms,
                     GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
gboolean
mf_qga_execute_finish(MfQga *self, GAsyncResult *result, json_object **ret_value, GError **error);

/* Fails everything pending, once, with a copy of 'reason', and closes the transport. */
void mf_qga_close(MfQga *self, const GError *reason);

/* Signal "closed" (GError *reason): the peer hung up or broke the protocol; once. */
