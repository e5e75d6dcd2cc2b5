/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

#include "wire/frame.h"
#include "wire/guest-protocol.h"

/*
 * A scenario's question for a snapshot (SNRQ) and the host's answer (SNRP).
 */

typedef struct {
    guint32 id; /* not 0 */
    /* Not 0, but otherwise as the guest sent it: one that nobody knows has to be answered too. */
    guint32 kind;
    char *tag; /* owned; valid UTF-8 */
} MfSnapshotRequest;

/* Reads the payload of a frame whose checksum is right. FALSE, and nothing written, when it is no
 * request. */
gboolean mf_snapshot_request_init(MfSnapshotRequest *self, const struct mf_frame *frame);
void mf_snapshot_request_clear(MfSnapshotRequest *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MfSnapshotRequest, mf_snapshot_request_clear)

/* Writes the payload of an answer; of a longer 'reason' its first MF_SNAPSHOT_TEXT_SIZE bytes. */
void mf_snapshot_reply_encode(guint8 ret_payload[MF_SNAPSHOT_MESSAGE_SIZE], guint32 id,
                              guint32 status, const char *reason);
