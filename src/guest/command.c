/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "guest/descendants.h"
#include "guest/ends.h"
#include "guest/exec-record.h"
#include "guest/log.h"
#include "guest/spawn.h"
#include "guest/terminal.h"

/* Without a control group, processes that fork while they are killed need more than one look; the
 * looks are this far apart, and there is an end to them. */
#define KILL_INTERVAL_MS 10
#define KILL_ROUNDS_MAX  500

void
mfg_command_init(struct mfg_command *command, struct mfg_loop *loop, struct mfg_stream *stream,
                 struct mfg_children *children, void (*progressed)(void *data), void *data)
{
    *command = (struct mfg_command){
        .loop = loop,
        .stream = stream,
        .children = children,
        .cgroup = {.fd = -1},
        .next_cgroup = {.fd = -1},
        .input = {.stream = stream, .fd = -1},
        .outputs = {{.stream = stream, .fd = -1}, {.stream = stream, .fd = -1}},
        .terminal = -1,
        .progressed = progressed,
        .data = data,
    };
}

static void
close_terminal(struct mfg_command *command)
{
    if (command->terminal >= 0)
        close(command->terminal);
    command->terminal = -1;
}

/* Lets go of a command; its outputs are the caller's to end. */
static void
forget(struct mfg_command *command)
{
    mfg_timer_stop(&command->kill_timer);
    mfg_input_close(&command->input);
    close_terminal(command);
    mfg_cgroup_clear(&command->cgroup);
    command->started = command->exited = command->reported = false;
}

void
mfg_command_clear(struct mfg_command *command)
{
    if (command->child.pid)
        mfg_children_remove(command->children, &command->child);
    for (int i = 0; i < 2; i++)
        mfg_output_clear(&command->outputs[i]);
    mfg_output_clear_drains(&command->drains);
    forget(command);
    mfg_cgroup_clear(&command->next_cgroup);
}

void
mfg_command_prepare(struct mfg_command *command)
{
    if (command->next_cgroup.fd < 0)
        mfg_cgroup_make(&command->next_cgroup);
}

bool
mfg_command_is_running(const struct mfg_command *command)
{
    return command->started && !command->exited;
}

bool
mfg_command_is_dead(const struct mfg_command *command)
{
    return command->reported && !command->kill_timer.loop;
}

bool
mfg_command_is_finished(const struct mfg_command *command)
{
    return mfg_command_is_dead(command) && !mfg_output_is_open(&command->outputs[0]) &&
           !mfg_output_is_open(&command->outputs[1]);
}

static void
tell(struct mfg_command *command)
{
    if (command->progressed)
        command->progressed(command->data);
}

static void
report_exit(struct mfg_command *command)
{
    uint8_t payload[4];

    if (!command->exited || command->reported || mfg_output_is_owed(&command->outputs[0]) ||
        mfg_output_is_owed(&command->outputs[1]))
        return;
    command->reported = true;
    mf_frame_put_u32(payload, (uint32_t)command->status);
    /* The machine may be gone right after this: what was written to shares goes to the host first.
     */
    if (command->stream->channel.kind == MFG_CHANNEL_PORT)
        sync();
    if (command->ending)
        command->ending(command->data);
    mfg_stream_send(command->stream, MF_FRAME_EXCX, payload, sizeof(payload));
}

static void
on_output(void *data)
{
    struct mfg_command *command = data;

    report_exit(command);
    tell(command);
}

static void
on_exit_status(void *data, pid_t pid, int status)
{
    struct mfg_command *command = data;

    command->exited = true;
    command->status = status;
    /* Who is being killed need not be waited for once nobody is left. */
    if (command->kill_timer.loop &&
        mfg_descendants_signal(command->children, &(struct mfg_descent){0}, 0) == 0)
        mfg_timer_stop(&command->kill_timer);
    for (int i = 0; i < 2; i++)
        mfg_output_note_exit(&command->outputs[i]);
    report_exit(command);
    tell(command);
}

static bool
make_stream(struct mfg_ends *ends, int stream, enum mfg_exec_stream mode)
{
    switch (mode) {
    case MFG_EXEC_STREAM:
        return mfg_ends_open_pipe(ends, stream);
    case MFG_EXEC_NULL:
        return mfg_ends_open_null(ends, stream);
    case MFG_EXEC_CLOSED:
        break;
    }
    return true;
}

static bool
make_streams(const struct mfg_exec_record *record, struct mfg_ends *ends)
{
    for (int i = 0; i < 3; i++)
        if (!make_stream(ends, i, record->streams[i]))
            return false;
    return true;
}

/* The terminal is all three streams; our side of it is written, read, and resized through one
 * descriptor each. */
static bool
make_terminal(const struct mfg_exec_record *record, struct mfg_ends *ends, int *ret_terminal)
{
    int master, slave;

    if (!mfg_terminal_open(record->rows, record->columns, &master, &slave))
        return false;
    *ret_terminal = master;
    ends->its[0] = slave;
    ends->its[1] = fcntl(slave, F_DUPFD_CLOEXEC, 3);
    ends->its[2] = fcntl(slave, F_DUPFD_CLOEXEC, 3);
    ends->ours[0] = fcntl(master, F_DUPFD_CLOEXEC, 3);
    ends->ours[1] = fcntl(master, F_DUPFD_CLOEXEC, 3);
    return ends->its[1] >= 0 && ends->its[2] >= 0 && ends->ours[0] >= 0 && ends->ours[1] >= 0;
}

static pid_t
spawn_record(struct mfg_command *command, const struct mfg_exec_record *record,
             const struct mfg_ends *ends)
{
    struct mfg_spawn spawn = {
        .argv = record->argv,
        .shell = record->shell,
        .login = record->login,
        .envp = record->envp,
        .path = record->path,
        .workdir = record->workdir,
        .user = record->user,
        .fds = {ends->its[0], ends->its[1], ends->its[2]},
        .tty = record->tty,
        .alone = true,
        .cgroup_fd = -1,
    };
    pid_t pid;

    mfg_command_prepare(command);
    command->cgroup = command->next_cgroup;
    command->next_cgroup = (struct mfg_cgroup){.fd = -1};
    spawn.cgroup_fd = command->cgroup.fd;
    pid = mfg_spawn(&spawn);
    if (pid > 0 || spawn.cgroup_fd < 0)
        return pid;

    /* It has not asked for one: without it its descendants are found another way. */
    mfg_cgroup_clear(&command->cgroup);
    spawn.cgroup_fd = -1;
    return mfg_spawn(&spawn);
}

static pid_t
start(struct mfg_command *command, const struct mfg_exec_record *record, struct mfg_ends *ends)
{
    static const uint32_t types[] = {MF_FRAME_SOUT, MF_FRAME_SERR};
    pid_t pid;

    if (record->tty ? !make_terminal(record, ends, &command->terminal)
                    : !make_streams(record, ends))
        return -1;
    pid = spawn_record(command, record, ends);
    if (pid < 0)
        return -1;
    mfg_children_add(command->children, &command->child, pid, on_exit_status, command);
    command->started = true;
    if (!mfg_input_open(&command->input, command->loop, command->stream, mfg_ends_take(ends, 0),
                        record->tty))
        mfg_log("cannot feed the command's standard input: %m");
    for (int i = 0; i < 2; i++)
        mfg_output_open(&command->outputs[i], command->loop, command->stream, types[i],
                        mfg_ends_take(ends, i + 1), on_output, command);
    return pid;
}

pid_t
mfg_command_start(struct mfg_command *command, const char *data, size_t size, char *reason,
                  size_t reason_size)
{
    struct mfg_ends ends = MFG_ENDS_NONE;
    struct mfg_exec_record record;
    pid_t pid;

    if (mfg_command_is_running(command)) {
        snprintf(reason, reason_size,
                 "a command with streams is running already (pid %d); there can be one at a time",
                 (int)command->child.pid);
        return -1;
    }
    if (!mfg_exec_record_parse(data, size, &record, reason, reason_size))
        return -1;
    for (int i = 0; i < 2; i++)
        mfg_output_abandon(&command->outputs[i], &command->drains);
    forget(command);
    pid = start(command, &record, &ends);
    if (pid < 0) {
        snprintf(reason, reason_size, "cannot start the command: %s", strerror(errno));
        forget(command);
    }
    mfg_ends_clear(&ends);
    mfg_exec_record_clear(&record);
    return pid;
}

/* To the process group; right after the fork there may be none yet, but the process is there. */
static void
signal_group(struct mfg_command *command, int number)
{
    pid_t pid = command->child.pid;

    /* Not once the exit is known: then the number can be anybody's. */
    if (pid && kill(-pid, number) < 0 && errno == ESRCH)
        kill(pid, number);
}

/* The control group takes all at once, so that nothing can fork its way out. What may not be in it
 * is looked for until nothing is found any more. */
static void
kill_leftovers(void *data)
{
    struct mfg_command *command = data;
    struct mfg_descent descent = {.leader = command->child.pid};

    signal_group(command, SIGKILL);
    mfg_cgroup_kill(&command->cgroup);
    if (mfg_descendants_signal(command->children, &descent, SIGKILL) > 0 &&
        command->kill_rounds++ < KILL_ROUNDS_MAX)
        mfg_timer_start(&command->kill_timer, command->loop, KILL_INTERVAL_MS, kill_leftovers,
                        command);
    else
        tell(command);
}

void
mfg_command_kill(struct mfg_command *command, uint32_t grace_ms)
{
    if (!command->started)
        return;
    signal_group(command, SIGTERM);
    command->kill_rounds = 0;
    if (grace_ms == 0)
        kill_leftovers(command);
    else
        mfg_timer_start(&command->kill_timer, command->loop, grace_ms, kill_leftovers, command);
}

static void
take_close(struct mfg_command *command, uint8_t stream)
{
    if (stream != 1 && stream != 2)
        return;
    mfg_output_close(&command->outputs[stream - 1]);
    /* A terminal without a reader hangs up, which takes all of its ends being closed. */
    if (stream == 1 && command->terminal >= 0) {
        mfg_input_discard(&command->input);
        close_terminal(command);
    }
}

void
mfg_command_take_frame(struct mfg_command *command, const struct mf_frame *frame)
{
    if (frame->type == MF_FRAME_SINP) {
        mfg_input_take(&command->input, frame->payload, frame->length);
    } else if (!command->started) {
        return;
    } else if (frame->type == MF_FRAME_SINE && frame->length == 0) {
        mfg_input_end(&command->input);
    } else if (frame->type == MF_FRAME_SOCL && frame->length == 1) {
        take_close(command, frame->payload[0]);
    } else if (frame->type == MF_FRAME_WINS && frame->length == 4) {
        if (command->terminal >= 0)
            mfg_terminal_resize(command->terminal, mf_frame_get_u16(frame->payload),
                                mf_frame_get_u16(frame->payload + 2));
    } else if (frame->type == MF_FRAME_SIGN && frame->length == 4) {
        signal_group(command, (int)mf_frame_get_u32(frame->payload));
    } else if (frame->type == MF_FRAME_CKIL && frame->length == 4) {
        mfg_command_kill(command, mf_frame_get_u32(frame->payload));
    }
}

void
mfg_command_resume(struct mfg_command *command)
{
    mfg_input_resume(&command->input);
    for (int i = 0; i < 2; i++)
        mfg_output_resume(&command->outputs[i]);
}
