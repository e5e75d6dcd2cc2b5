/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/payloads.h"

#include <stddef.h>
#include <unistd.h>

#include "guest/log.h"
#include "wire/guest-protocol.h"

static struct mfg_payload *
find(const struct mfg_payloads *payloads, uint32_t index)
{
    struct mfg_payload *payload = payloads->place.first;

    while (payload && payload->index != index)
        payload = payload->next;
    return payload;
}

/* One frame of each output. Returns whether there was any, or room for it. */
static bool
send_outputs(struct mfg_payloads *payloads)
{
    bool sent = false;

    for (struct mfg_payload *payload = payloads->place.first; payload; payload = payload->next)
        for (int i = 0; i < 2 && !*payload->error; i++)
            sent |= mfg_raw_output_send(&payload->outputs[i]);
    return sent;
}

static bool
is_last_to_run(const struct mfg_payloads *payloads)
{
    for (struct mfg_payload *other = payloads->place.first; other; other = other->next)
        if (mfg_payload_is_running(other))
            return false;
    return true;
}

/* Returns false when there is no room in the stream. */
static bool
report(struct mfg_payloads *payloads, const struct mfg_payload *payload)
{
    struct mfg_stream *stream = payloads->place.stream;
    struct mfg_payload_end end;
    uint8_t *frame;
    size_t length;

    if (!mfg_stream_is_open(stream))
        return true;
    if (payloads->ending)
        payloads->ending(payloads->data);
    frame = mfg_stream_reserve(stream);
    if (!frame)
        return false;
    /* The machine may be gone right after this: what was written to shares goes to the host first.
     */
    if (stream->channel.kind == MFG_CHANNEL_PORT && is_last_to_run(payloads))
        sync();
    mfg_payload_describe(payload, &end);
    mf_frame_put_u32(frame, payload->index);
    length = mfg_payload_report_write(&end, (char *)frame + 4, MF_FRAME_CHUNK_MAX - 4);
    mfg_stream_commit(stream, MF_FRAME_PMET, 4 + length);
    return true;
}

static void
report_complete(struct mfg_payloads *payloads)
{
    struct mfg_payload *next;

    for (struct mfg_payload *payload = payloads->place.first; payload; payload = next) {
        next = payload->next;
        if (!mfg_payload_is_complete(payload))
            continue;
        if (!report(payloads, payload))
            return;
        mfg_payload_free(payload);
    }
}

void
mfg_payloads_resume(struct mfg_payloads *payloads)
{
    /* What is sent may make room, which comes back here. */
    if (payloads->sending)
        return;
    payloads->sending = true;
    while (send_outputs(payloads))
        ;
    report_complete(payloads);
    payloads->is_idle = !payloads->place.first;
    payloads->sending = false;
}

static void
on_changed(void *data)
{
    mfg_payloads_resume(data);
}

void
mfg_payloads_init(struct mfg_payloads *payloads, struct mfg_loop *loop, struct mfg_stream *stream,
                  struct mfg_children *children)
{
    *payloads = (struct mfg_payloads){
        .place = {.loop = loop,
                  .stream = stream,
                  .children = children,
                  .changed = on_changed,
                  .data = payloads},
        .is_idle = true,
    };
}

void
mfg_payloads_clear(struct mfg_payloads *payloads)
{
    /* Nothing is reported from in between. */
    payloads->sending = true;
    while (payloads->place.first)
        mfg_payload_free(payloads->place.first);
    payloads->sending = false;
}

void
mfg_payloads_drop(struct mfg_payloads *payloads)
{
    for (struct mfg_payload *payload = payloads->place.first; payload; payload = payload->next) {
        if (!mfg_payload_is_running(payload))
            continue;
        mfg_log("killed payload %u, which nobody can collect any more", payload->index);
        mfg_payload_kill(payload);
    }
    mfg_payloads_resume(payloads);
}

static void
run(struct mfg_payloads *payloads, const struct mf_frame *frame)
{
    uint32_t index = mf_frame_get_u32(frame->payload);
    const char *record = (const char *)frame->payload + 4;

    if (find(payloads, index)) {
        mfg_log("ignored a second PRUN for payload %u, which has not ended", index);
        return;
    }
    if (!mfg_payload_start(&payloads->place, index, record, frame->length - 4))
        mfg_log("dropped the PRUN of payload %u: no memory", index);
    mfg_payloads_resume(payloads);
}

bool
mfg_payloads_take_frame(struct mfg_payloads *payloads, const struct mf_frame *frame)
{
    struct mfg_payload *payload = NULL;

    if (frame->type != MF_FRAME_PRUN && frame->type != MF_FRAME_PSIG &&
        frame->type != MF_FRAME_PKIL)
        return false;
    if (frame->length < 4) {
        mfg_log("ignored a frame of %zu bytes for a payload: it has no index", frame->length);
        return true;
    }
    if (frame->type == MF_FRAME_PRUN) {
        run(payloads, frame);
        return true;
    }
    payload = find(payloads, mf_frame_get_u32(frame->payload));
    if (!payload)
        return true;
    if (frame->type == MF_FRAME_PSIG && frame->length == 8)
        mfg_payload_signal(payload, (int)mf_frame_get_u32(frame->payload + 4));
    else if (frame->type == MF_FRAME_PKIL && frame->length == 4)
        mfg_payload_kill(payload);
    return true;
}
