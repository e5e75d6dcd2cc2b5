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

/* The longest line accepted: a guest-exec-status reply with both streams full (16 MiB each, as
 * base64) is one line of 44.7 MB. */
#define MF_QGA_LINE_MAX (64u << 20)

/* How long a sync request may go without any answer before another is sent. */
#define MF_QGA_SYNC_RETRY_MS 5000

/* 'transport' is referenced. A call that is not completed yet holds a reference to the client. */
MfQga *mf_qga_new(MfTransport *transport);

/* Replaces MF_QGA_SYNC_RETRY_MS, for syncs that start later. */
void mf_qga_set_sync_retry(MfQga *self, guint retry_ms);

/* Brings the channel into step; the agent need not be there yet: the request waits in the channel
 * until it is. An agent that was stopped may have taken the request with it, so another one, with
 * another id, is sent after MF_QGA_SYNC_RETRY_MS, then after twice that, and so on; the sync is
 * done when the last one is answered. MF_ERROR_TIMEOUT, CANCELLED, PROTOCOL, LOST. A 'timeout_ms'
 * of 0 is no deadline, here and below. */
void mf_qga_sync_async(MfQga *self, guint timeout_ms, GCancellable *cancellable,
                       GAsyncReadyCallback callback, gpointer user_data);
gboolean mf_qga_sync_finish(MfQga *self, GAsyncResult *result, GError **error);

/* One command, as mf_qmp_execute_async(). Commands and syncs take turns, one at a time, in order;
 * the deadline counts from when this one's turn comes. A sync precedes, within the same deadline,
 * the first command of all and any command after one that timed out, was cancelled after it was
 * sent, or whose reply was no reply (which fails that one with MF_ERROR_PROTOCOL). Of what the
 * guest sends, only a line beyond MF_QGA_LINE_MAX ends the connection. */
void
mf_qga_execute_async(MfQga *self, const char *command, json_object *arguments, guint timeout_ms,
                     GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
gboolean
mf_qga_execute_finish(MfQga *self, GAsyncResult *result, json_object **ret_value, GError **error);

/* Fails everything pending, once, with a copy of 'reason', and closes the transport. Emits nothing;
 * on a closed client it does nothing. */
void mf_qga_close(MfQga *self, const GError *reason);

/* Signal "closed" (GError *reason): the peer hung up or broke the protocol; once, after what was
 * pending has failed. */
