/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/cgroup.h"
#include "guest/children.h"
#include "guest/input.h"
#include "guest/output.h"
#include "guest/stream.h"

/*
 * The command whose standard streams are frames on the stream port: started from a command record,
 * fed, signalled and killed by frames, and reported by EXCX. One at a time; it can be started
 * again once the one before has exited.
 *
 * EXCX follows all output that could be read when the exit became known. What others hold open
 * after that goes on until its end, or until the next command starts: then its end is sent, and
 * what comes is read and thrown away, as nothing in a frame says which command it would be of.
 */
struct mfg_command {
    struct mfg_loop *loop;         /* borrowed */
    struct mfg_stream *stream;     /* borrowed */
    struct mfg_children *children; /* borrowed */
    struct mfg_child child;
    struct mfg_cgroup cgroup, next_cgroup;
    struct mfg_input input;
    struct mfg_output outputs[2];
    struct mfg_drain *drains; /* owned; outputs of earlier commands */
    int terminal;             /* owned; the master's end, -1 without one */
    bool started, exited, reported;
    int status;
    struct mfg_timer kill_timer;
    unsigned int kill_rounds;
    void (*progressed)(void *data);
    void (*ending)(void *data); /* before EXCX is queued; or NULL */
    void *data;
};

/* Calls progressed(data), if that is given, when the command exits, when EXCX is queued and when an
 * output ends. */
void mfg_command_init(struct mfg_command *command, struct mfg_loop *loop, struct mfg_stream *stream,
                      struct mfg_children *children, void (*progressed)(void *data), void *data);
void mfg_command_clear(struct mfg_command *command);

/* Makes the control group of the next command beforehand, where the time for it matters less. */
void mfg_command_prepare(struct mfg_command *command);

/* Returns the pid, or -1 with one sentence in 'reason'. That the program cannot be executed is not
 * such a failure: then the command exits with 126 or 127 and says why on its standard error. */
pid_t mfg_command_start(struct mfg_command *command, const char *record, size_t size, char *reason,
                        size_t reason_size);

/* Whether one was started and has not exited. */
bool mfg_command_is_running(const struct mfg_command *command);

/* Whether EXCX is queued and nothing is left to be killed. */
bool mfg_command_is_dead(const struct mfg_command *command);

/* Whether it is dead and all output has ended. */
bool mfg_command_is_finished(const struct mfg_command *command);

/* Does what the frame asks for: SINP, SINE, SOCL, WINS, SIGN, CKIL; others are not for a command.
 * Nothing happens when no command is there, or its payload is not what the type has. */
void mfg_command_take_frame(struct mfg_command *command, const struct mf_frame *frame);

/* TERM to the command's process group, and KILL to all that is left of it after the grace. */
void mfg_command_kill(struct mfg_command *command, uint32_t grace_ms);

/* The stream has room again. */
void mfg_command_resume(struct mfg_command *command);
