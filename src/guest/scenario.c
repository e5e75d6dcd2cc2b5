/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/scenario.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest/channel.h"
#include "guest/clock.h"
#include "guest/log.h"
#include "wire/guest-protocol.h"

#define MESSAGE_MAX (MF_FRAME_HEADER_SIZE + MF_SCENARIO_PAYLOAD_MAX)

void
mfg_scenario_init(struct mfg_scenario *scenario, struct mfg_loop *loop, struct mfg_stream *stream)
{
    *scenario = (struct mfg_scenario){.loop = loop, .stream = stream, .listen_fd = -1};
    for (int i = 0; i < MFG_SCENARIO_CLIENTS_MAX; i++)
        scenario->clients[i] = (struct mfg_scenario_client){.scenario = scenario, .fd = -1};
}

static void
dismiss(struct mfg_scenario_client *client)
{
    if (client->fd < 0)
        return;
    mfg_watch_remove(&client->watch);
    close(client->fd);
    *client = (struct mfg_scenario_client){.scenario = client->scenario, .fd = -1};
}

void
mfg_scenario_clear(struct mfg_scenario *scenario)
{
    for (int i = 0; i < MFG_SCENARIO_CLIENTS_MAX; i++)
        dismiss(&scenario->clients[i]);
    mfg_watch_remove(&scenario->listener);
    if (scenario->listen_fd >= 0)
        close(scenario->listen_fd);
    scenario->listen_fd = -1;
}

/* A client that does not take its answer is not worth waiting for. */
static void
answer(struct mfg_scenario_client *client, uint32_t id, uint32_t status, const char *reason)
{
    uint8_t message[MF_FRAME_HEADER_SIZE + MF_SNAPSHOT_MESSAGE_SIZE] = {0};
    uint8_t *payload = message + MF_FRAME_HEADER_SIZE;

    mf_frame_put_u32(payload, id);
    mf_frame_put_u32(payload + 4, status);
    memcpy(payload + MF_SNAPSHOT_TEXT_AT, reason, strnlen(reason, MF_SNAPSHOT_TEXT_SIZE));
    mf_frame_encode_header(message, MF_FRAME_SNRP, payload, MF_SNAPSHOT_MESSAGE_SIZE);
    if (send(client->fd, message, sizeof(message), MSG_DONTWAIT | MSG_NOSIGNAL) != sizeof(message))
        dismiss(client);
}

static int
count_requests(const struct mfg_scenario *scenario)
{
    int n = 0;

    for (int i = 0; i < MFG_SCENARIO_CLIENTS_MAX; i++)
        n += scenario->clients[i].forwarded_as != 0;
    return n;
}

/* Why the frame is not one that the host is to have; NULL when it is. */
static const char *
find_fault(const struct mfg_scenario *scenario, const struct mf_frame *frame)
{
    switch (frame->type) {
    case MF_FRAME_SCST:
    case MF_FRAME_SCPP:
    case MF_FRAME_SCRR:
    case MF_FRAME_SCEN:
        return frame->length == 0 ? NULL : "It has a payload, which this frame has not.";
    case MF_FRAME_SCLG:
        return frame->length > 0 ? NULL : "There is nothing in it.";
    case MF_FRAME_PMET:
        return frame->length > 4 && mf_frame_get_u32(frame->payload) == MF_SCENARIO_INDEX
                   ? NULL
                   : "It is not the metric of a scenario.";
    case MF_FRAME_SNRQ:
        if (frame->length != MF_SNAPSHOT_MESSAGE_SIZE || mf_frame_get_u32(frame->payload) == 0 ||
            mf_frame_get_u32(frame->payload + 4) == 0)
            return "It is no request for a snapshot.";
        return count_requests(scenario) < MFG_SCENARIO_REQUESTS_MAX
                   ? NULL
                   : "Too many requests wait for their answers already.";
    default:
        return "A scenario does not send frames of that type.";
    }
}

/* Writes the payload that the host gets. Returns its length. */
static size_t
translate(struct mfg_scenario_client *client, const struct mf_frame *frame, uint8_t *payload)
{
    struct mfg_scenario *scenario = client->scenario;
    uint64_t elapsed = scenario->started_ms ? (uint64_t)(mfg_clock_ms() - scenario->started_ms) : 0;

    memcpy(payload, frame->payload, frame->length);
    if (frame->type == MF_FRAME_SCST) {
        scenario->started_ms = mfg_clock_ms();
    } else if (frame->type == MF_FRAME_SCEN) {
        mf_frame_put_u32(payload, (uint32_t)elapsed);
        mf_frame_put_u32(payload + 4, (uint32_t)(elapsed >> 32));
        return 8;
    } else if (frame->type == MF_FRAME_SNRQ) {
        client->asked_as = mf_frame_get_u32(frame->payload);
        if (++scenario->last_request == 0)
            scenario->last_request = 1;
        client->forwarded_as = scenario->last_request;
        mf_frame_put_u32(payload, client->forwarded_as);
    }
    return frame->length;
}

/* 'room' is the stream's. */
static void
handle(struct mfg_scenario_client *client, const uint8_t *message, size_t size, uint8_t *room)
{
    struct mfg_scenario *scenario = client->scenario;
    struct mf_frame frame;
    size_t at = 0;

    if (!mf_frame_parse(message, size, MF_SCENARIO_PAYLOAD_MAX, &at, &frame) || at != size ||
        !frame.crc_ok) {
        answer(client, 0, MF_SNAPSHOT_FAILED, "It is not one whole frame.");
        return;
    }

    const char *fault = find_fault(scenario, &frame);
    if (fault) {
        answer(client, 0, MF_SNAPSHOT_FAILED, fault);
        return;
    }

    size_t length = translate(client, &frame, room);
    mfg_stream_commit(scenario->stream, frame.type, length);
    /* A request is answered by the host, and until then there is nothing to be heard. */
    if (frame.type == MF_FRAME_SNRQ)
        mfg_watch_set(&client->watch, 0);
    else
        answer(client, 0, MF_SNAPSHOT_OK, "");
}

/* One message, if it is there and the stream can take it. */
static void
serve(struct mfg_scenario_client *client)
{
    struct mfg_scenario *scenario = client->scenario;
    uint8_t message[MESSAGE_MAX + 1];
    uint8_t *room = mfg_stream_reserve(scenario->stream);

    client->turn = ++scenario->turn;
    client->waits_for_room = !room && mfg_stream_is_open(scenario->stream);
    if (client->waits_for_room) {
        mfg_watch_set(&client->watch, 0);
        return;
    }
    mfg_watch_set(&client->watch, EPOLLIN);

    /* Of a longer message the rest is cut off, which makes it no whole frame. */
    ssize_t n = recv(client->fd, message, sizeof(message), MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0)
        dismiss(client);
    else if (room)
        handle(client, message, (size_t)n, room);
    else
        answer(client, 0, MF_SNAPSHOT_FAILED, "The host is not connected any more.");
}

static void
on_readable(void *data, uint32_t events)
{
    serve(data);
}

/* Who has the place of a new client: nobody, or who was heard of the longest time ago, and not one
 * who waits for the host. There are more places than requests. */
static struct mfg_scenario_client *
find_place(struct mfg_scenario *scenario)
{
    struct mfg_scenario_client *oldest = NULL;

    for (int i = 0; i < MFG_SCENARIO_CLIENTS_MAX; i++) {
        struct mfg_scenario_client *client = &scenario->clients[i];

        if (client->fd < 0)
            return client;
        if (!client->forwarded_as && (!oldest || client->turn < oldest->turn))
            oldest = client;
    }
    return oldest;
}
_Static_assert(MFG_SCENARIO_CLIENTS_MAX > MFG_SCENARIO_REQUESTS_MAX, "a place is always found");

static void
on_client(void *data, uint32_t events)
{
    struct mfg_scenario *scenario = data;
    struct mfg_scenario_client *client = find_place(scenario);
    int fd = accept4(scenario->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd < 0)
        return;
    dismiss(client);
    client->fd = fd;
    if (!mfg_watch_add(&client->watch, scenario->loop, fd, EPOLLIN, on_readable, client)) {
        dismiss(client);
        return;
    }
    /* What it came to say is there already, as a rule: it is heard before it can be shown out. */
    serve(client);
}

bool
mfg_scenario_listen(struct mfg_scenario *scenario, const char *path)
{
    scenario->listen_fd = mfg_channel_listen(path, SOCK_SEQPACKET);
    return scenario->listen_fd >= 0 && chmod(path, 0666) == 0 &&
           mfg_watch_add(&scenario->listener, scenario->loop, scenario->listen_fd, EPOLLIN,
                         on_client, scenario);
}

void
mfg_scenario_resume(struct mfg_scenario *scenario)
{
    struct mfg_scenario_client *first = NULL;

    for (int i = 0; i < MFG_SCENARIO_CLIENTS_MAX; i++) {
        struct mfg_scenario_client *client = &scenario->clients[i];

        if (!client->waits_for_room)
            continue;
        client->waits_for_room = false;
        mfg_watch_set(&client->watch, EPOLLIN);
        if (!first || client->turn < first->turn)
            first = client;
    }
    if (first)
        serve(first);
}

static void
deliver(struct mfg_scenario *scenario, const uint8_t *payload)
{
    uint32_t id = mf_frame_get_u32(payload);
    char reason[MF_SNAPSHOT_TEXT_SIZE + 1] = {0};

    memcpy(reason, payload + MF_SNAPSHOT_TEXT_AT, MF_SNAPSHOT_TEXT_SIZE);
    for (int i = 0; i < MFG_SCENARIO_CLIENTS_MAX && id != 0; i++) {
        struct mfg_scenario_client *client = &scenario->clients[i];

        if (client->forwarded_as != id)
            continue;
        client->forwarded_as = 0;
        mfg_watch_set(&client->watch, EPOLLIN);
        answer(client, client->asked_as, mf_frame_get_u32(payload + 4), reason);
        return;
    }
}

bool
mfg_scenario_take_frame(struct mfg_scenario *scenario, const struct mf_frame *frame)
{
    if (frame->type != MF_FRAME_SNRP)
        return false;
    if (frame->length == MF_SNAPSHOT_MESSAGE_SIZE)
        deliver(scenario, frame->payload);
    return true;
}
