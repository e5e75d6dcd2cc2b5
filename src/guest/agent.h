/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/channel.h"
#include "guest/children.h"
#include "guest/command.h"
#include "guest/qga.h"
#include "guest/splitter.h"

/*
 * A server of the QEMU guest agent protocol: on the agent port, or on a listening unix socket, one
 * client at a time. It answers one request after the other and reads on only when the answer is
 * sent, so a client that does not read its answers cannot make it hold more than one.
 */
struct mfg_agent {
    struct mfg_loop *loop;         /* borrowed */
    struct mfg_children *children; /* borrowed */
    struct mfg_command *command;   /* borrowed; runs command records; NULL: there is no stream */
    bool is_init;                  /* may shut the machine down */

    struct mfg_channel channel;
    struct mfg_watch listener;
    int listen_fd; /* owned; -1: serves a port */
    struct mfg_splitter splitter;
    uint8_t input[16 << 10];
    size_t input_at, input_size;

    json_object *answer; /* owned; the text to be sent is inside it */
    struct {
        const char *data;
        size_t size;
    } pieces[3];
    char line[4096]; /* a short answer, to be sent at one go */

    struct mfg_qga_files files;
    struct mfg_qga_programs programs;
};

void mfg_agent_init(struct mfg_agent *agent, struct mfg_loop *loop, struct mfg_children *children);
void mfg_agent_clear(struct mfg_agent *agent);

/* Serves a virtio-serial port. Takes over 'fd', in any case. Returns false with errno. */
bool mfg_agent_serve_port(struct mfg_agent *agent, int fd);

/* Listens at 'path' and serves one client after the other. Returns false with errno. */
bool mfg_agent_listen(struct mfg_agent *agent, const char *path);
