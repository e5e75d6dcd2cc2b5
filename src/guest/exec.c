/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/exec.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest/command.h"
#include "guest/exec-record.h"
#include "guest/log.h"
#include "guest/ports.h"
#include "guest/scenario.h"
#include "wire/guest-protocol.h"

/* How long output of others, who hold the command's pipes open after its exit, keeps this process
 * from ending: whoever asks the agent for the exit waits that long. */
#define LINGER_MS 1000

struct exec {
    struct mfg_loop loop;
    struct mfg_children children;
    struct mfg_stream stream;
    struct mfg_command command;
    struct mfg_scenario scenario;
    struct mfg_timer linger;
    bool lingered, done;
};

/* All that is read from standard input; NULL when that fails or it is too long. */
static char *
read_record(size_t *ret_size)
{
    size_t size = 0, capacity = 64 << 10;
    char *data = malloc(capacity);

    while (data) {
        ssize_t n = read(STDIN_FILENO, data + size, capacity - size);
        char *more;

        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0) {
            *ret_size = size;
            return data;
        }
        size += n > 0 ? (size_t)n : 0;
        if (n < 0 || size > MFG_EXEC_RECORD_MAX)
            break;
        more = size == capacity ? realloc(data, capacity *= 2) : data;
        if (!more)
            break;
        data = more;
    }
    free(data);
    return NULL;
}

static void
check_done(struct exec *self)
{
    self->done = mfg_command_is_finished(&self->command) ||
                 (self->lingered && mfg_command_is_dead(&self->command));
}

static void
on_linger(void *data)
{
    struct exec *self = data;

    self->lingered = true;
    check_done(self);
}

static void
on_progress(void *data)
{
    struct exec *self = data;

    if (self->command.reported && !self->lingered && !self->linger.loop)
        mfg_timer_start(&self->linger, &self->loop, LINGER_MS, on_linger, self);
    check_done(self);
}

static void
on_frame(void *data, const struct mf_frame *frame)
{
    struct exec *self = data;

    if (!mfg_scenario_take_frame(&self->scenario, frame))
        mfg_command_take_frame(&self->command, frame);
}

static void
on_room(void *data)
{
    struct exec *self = data;

    mfg_scenario_resume(&self->scenario);
    mfg_command_resume(&self->command);
}

/* Those that are open yet, which the host cannot see from their ends. */
static void
end_outputs(struct exec *self)
{
    for (int i = 0; i < 2; i++) {
        uint8_t number = (uint8_t)(i + 1);

        if (mfg_output_is_open(&self->command.outputs[i]))
            mfg_stream_send(&self->stream, MF_FRAME_SOHE, &number, sizeof(number));
        mfg_output_close(&self->command.outputs[i]);
    }
}

/* Without a host there is nobody to run for. */
static void
on_lost(void *data)
{
    struct exec *self = data;

    mfg_command_kill(&self->command, 0);
    end_outputs(self);
}

static bool
open_stream(struct exec *self, const char *path)
{
    static const struct mfg_stream_events events = {
        .frame = on_frame, .room = on_room, .lost = on_lost};
    int fd = path ? mfg_channel_connect(path, SOCK_STREAM) : mfg_ports_open(MF_PORT_STREAM);

    if (fd < 0 || !mfg_stream_open(&self->stream, &self->loop, fd,
                                   path ? MFG_CHANNEL_SOCKET : MFG_CHANNEL_PORT, &events, self)) {
        mfg_log("cannot open the stream port '%s': %m", path ? path : MF_PORT_STREAM);
        return false;
    }
    return true;
}

/* Ends this process as the command ended. */
static int
end_as(int status)
{
    struct rlimit none = {0, 0};
    sigset_t set;

    if (status >= 0)
        return status;
    /* The core, if any, was the command's to dump. */
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
    signal(-status, SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, -status);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    raise(-status);
    return 128 - status;
}

/* The command does without it, if need be. */
static void
open_scenario(struct exec *self, const char *path)
{
    mfg_scenario_init(&self->scenario, &self->loop, &self->stream);
    if (path && !mfg_scenario_listen(&self->scenario, path))
        mfg_log("cannot listen at '%s': %m", path);
}

static bool
start(struct exec *self, const char *stream_path)
{
    char reason[512];
    size_t size;
    char *record = read_record(&size);
    pid_t pid = -1;

    if (!record)
        mfg_log("cannot read a command record of at most %u bytes from standard input",
                MFG_EXEC_RECORD_MAX);
    else if (open_stream(self, stream_path)) {
        pid = mfg_command_start(&self->command, record, size, reason, sizeof(reason));
        if (pid < 0)
            mfg_log("%s", reason);
    }
    free(record);
    return pid > 0;
}

int
mfg_exec_main(const char *stream_path, const char *scenario_path)
{
    static struct exec self;
    int status = MF_EXIT_CANNOT_EXECUTE;

    umask(022);
    /* Orphans of the command come to us, where they are found when it is killed. */
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (!mfg_loop_init(&self.loop) || !mfg_children_init(&self.children, &self.loop)) {
        mfg_log("cannot wait for events: %m");
        return status;
    }
    mfg_command_init(&self.command, &self.loop, &self.stream, &self.children, on_progress, &self);
    if (!scenario_path && !stream_path)
        scenario_path = MF_GUEST_SCENARIO;
    open_scenario(&self, scenario_path);
    if (start(&self, stream_path)) {
        mfg_loop_run(&self.loop, &self.done);
        /* The host tells by the ends what belongs to the next command. */
        end_outputs(&self);
        mfg_stream_drain(&self.stream);
        status = self.command.status;
    }
    mfg_timer_stop(&self.linger);
    mfg_command_clear(&self.command);
    mfg_scenario_clear(&self.scenario);
    if (scenario_path)
        unlink(scenario_path);
    mfg_stream_close(&self.stream);
    mfg_children_clear(&self.children);
    mfg_loop_clear(&self.loop);
    return end_as(status);
}
