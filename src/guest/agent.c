/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/agent.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guest/log.h"

static void
drop_answer(struct mfg_agent *agent)
{
    json_object_put(agent->answer);
    agent->answer = NULL;
    memset(agent->pieces, 0, sizeof(agent->pieces));
}

static bool
has_unsent(const struct mfg_agent *agent)
{
    return agent->pieces[0].size || agent->pieces[1].size || agent->pieces[2].size;
}

/* What the client sent and what it was to be told is of no use to the next one. */
static void
forget_client(struct mfg_agent *agent)
{
    drop_answer(agent);
    mfg_splitter_clear(&agent->splitter);
    agent->input_at = agent->input_size = 0;
}

static void
lose_client(struct mfg_agent *agent)
{
    mfg_channel_close(&agent->channel);
    forget_client(agent);
    if (agent->listen_fd >= 0)
        mfg_watch_set(&agent->listener, EPOLLIN);
    else
        mfg_log("the agent port is gone");
}

static void
set_answer(struct mfg_agent *agent, struct mfg_qga_answer answer)
{
    static const char delimiter[] = "\xff";
    size_t length, head = answer.delimited ? 1 : 0;
    const char *text;

    if (!answer.object)
        return;
    text = json_object_to_json_string_length(answer.object, JSON_C_TO_STRING_PLAIN, &length);
    if (!text) {
        /* The client would wait for ever. */
        json_object_put(answer.object);
        answer.object = NULL;
        text = "{\"error\":{\"class\":\"GenericError\","
               "\"desc\":\"There is no memory for the answer\"}}";
        length = strlen(text);
    }
    agent->answer = answer.object;
    agent->pieces[0].data = delimiter;
    agent->pieces[0].size = head;
    agent->pieces[1].data = text;
    agent->pieces[1].size = length;
    agent->pieces[2].data = "\n";
    agent->pieces[2].size = 1;
    if (head + length + 1 > sizeof(agent->line))
        return;
    memcpy(agent->line, delimiter, head);
    memcpy(agent->line + head, text, length);
    agent->line[head + length] = '\n';
    drop_answer(agent);
    agent->pieces[0].data = agent->line;
    agent->pieces[0].size = head + length + 1;
}

/* Writes what the client takes of the answer. Returns false when the client is gone. */
static bool
write_answer(struct mfg_agent *agent)
{
    for (int i = 0; i < 3; i++) {
        while (agent->pieces[i].size > 0) {
            ssize_t n =
                mfg_channel_write(&agent->channel, agent->pieces[i].data, agent->pieces[i].size);

            if (n <= 0)
                return n == 0;
            agent->pieces[i].data += n;
            agent->pieces[i].size -= (size_t)n;
        }
    }
    drop_answer(agent);
    return true;
}

/* Goes through the input up to the first request that has an answer. */
static void
handle_input(struct mfg_agent *agent)
{
    while (agent->input_at < agent->input_size && !has_unsent(agent)) {
        struct mfg_splitter *splitter = &agent->splitter;
        size_t taken;
        enum mfg_split split = mfg_splitter_feed(splitter, agent->input + agent->input_at,
                                                 agent->input_size - agent->input_at, &taken);

        agent->input_at += taken;
        if (split == MFG_SPLIT_VALUE)
            set_answer(agent, mfg_qga_handle(agent, splitter->text, splitter->length));
        else if (split == MFG_SPLIT_BROKEN)
            set_answer(agent, mfg_qga_parse_error(splitter->problem));
    }
}

/* Answers until the client has to read, or there is nothing to answer. */
static void
serve(struct mfg_agent *agent)
{
    do {
        handle_input(agent);
        if (!write_answer(agent)) {
            lose_client(agent);
            return;
        }
    } while (agent->input_at < agent->input_size && !has_unsent(agent));
    mfg_channel_want(&agent->channel, !has_unsent(agent), has_unsent(agent));
}

static void
on_readable(void *data)
{
    struct mfg_agent *agent = data;
    ssize_t n = mfg_channel_read(&agent->channel, agent->input, sizeof(agent->input));

    if (n < 0) {
        lose_client(agent);
        return;
    }
    agent->input_at = 0;
    agent->input_size = (size_t)n;
    if (n > 0)
        serve(agent);
}

static void
on_writable(void *data)
{
    serve(data);
}

static void
on_hung_up(void *data)
{
    struct mfg_agent *agent = data;

    if (agent->channel.kind == MFG_CHANNEL_SOCKET) {
        lose_client(agent);
        return;
    }
    forget_client(agent);
    mfg_channel_want(&agent->channel, true, false);
}

static bool
open_channel(struct mfg_agent *agent, int fd, enum mfg_channel_kind kind)
{
    static const struct mfg_channel_events events = {
        .readable = on_readable, .writable = on_writable, .hung_up = on_hung_up};

    return mfg_channel_open(&agent->channel, agent->loop, fd, kind, &events, agent);
}

void
mfg_agent_init(struct mfg_agent *agent, struct mfg_loop *loop, struct mfg_children *children)
{
    *agent = (struct mfg_agent){
        .loop = loop, .children = children, .channel = {.fd = -1}, .listen_fd = -1};
}

void
mfg_agent_clear(struct mfg_agent *agent)
{
    mfg_channel_close(&agent->channel);
    forget_client(agent);
    mfg_watch_remove(&agent->listener);
    if (agent->listen_fd >= 0)
        close(agent->listen_fd);
    agent->listen_fd = -1;
    mfg_qga_files_clear(&agent->files);
    mfg_qga_programs_clear(agent);
}

bool
mfg_agent_serve_port(struct mfg_agent *agent, int fd)
{
    return open_channel(agent, fd, MFG_CHANNEL_PORT);
}

static void
on_client(void *data, uint32_t events)
{
    struct mfg_agent *agent = data;
    int fd = accept4(agent->listen_fd, NULL, NULL, SOCK_CLOEXEC);

    if (fd < 0 || !open_channel(agent, fd, MFG_CHANNEL_SOCKET))
        return;
    /* The next one waits in the socket's queue. */
    mfg_watch_set(&agent->listener, 0);
}

bool
mfg_agent_listen(struct mfg_agent *agent, const char *path)
{
    agent->listen_fd = mfg_channel_listen(path, SOCK_STREAM);
    return agent->listen_fd >= 0 && mfg_watch_add(&agent->listener, agent->loop, agent->listen_fd,
                                                  EPOLLIN, on_client, agent);
}
