/* SPDX-License-Identifier: Apache-2.0 */
#include "run/snapshot-request.h"

#include <string.h>

#define SECOND 4
#define TEXT   MF_SNAPSHOT_TEXT_AT
G_STATIC_ASSERT(TEXT + MF_SNAPSHOT_TEXT_SIZE == MF_SNAPSHOT_MESSAGE_SIZE);

gboolean
mf_snapshot_request_init(MfSnapshotRequest *self, const struct mf_frame *frame)
{
    if (frame->length != MF_SNAPSHOT_MESSAGE_SIZE)
        return FALSE;

    guint32 id = mf_frame_get_u32(frame->payload);
    guint32 kind = mf_frame_get_u32(frame->payload + SECOND);
    const char *tag = (const char *)frame->payload + TEXT;

    if (id == 0 || kind == 0)
        return FALSE;
    *self = (MfSnapshotRequest){
        .id = id,
        .kind = kind,
        .tag = g_utf8_make_valid(tag, (gssize)strnlen(tag, MF_SNAPSHOT_TEXT_SIZE)),
    };
    return TRUE;
}

void
mf_snapshot_request_clear(MfSnapshotRequest *self)
{
    g_clear_pointer(&self->tag, g_free);
}

void
mf_snapshot_reply_encode(guint8 ret_payload[MF_SNAPSHOT_MESSAGE_SIZE], guint32 id, guint32 status,
                         const char *reason)
{
    gsize length = strnlen(reason, MF_SNAPSHOT_TEXT_SIZE);

    memset(ret_payload, 0, MF_SNAPSHOT_MESSAGE_SIZE);
    mf_frame_put_u32(ret_payload, id);
    mf_frame_put_u32(ret_payload + SECOND, status);
    memcpy(ret_payload + TEXT, reason, length);
}
