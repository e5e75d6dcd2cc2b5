/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/alone.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guest/agent.h"
#include "guest/log.h"
#include "guest/payloads.h"
#include "guest/scenario.h"

struct alone {
    struct mfg_loop loop;
    struct mfg_children children;
    struct mfg_stream stream;
    struct mfg_command command;
    struct mfg_payloads payloads;
    struct mfg_scenario scenario;
    struct mfg_agent agent;
    struct mfg_watch signals;
    int signal_fd; /* owned */
};

static void
on_frame(void *data, const struct mf_frame *frame)
{
    struct alone *self = data;

    if (!mfg_payloads_take_frame(&self->payloads, frame) &&
        !mfg_scenario_take_frame(&self->scenario, frame))
        mfg_command_take_frame(&self->command, frame);
}

static void
on_room(void *data)
{
    struct alone *self = data;

    mfg_scenario_resume(&self->scenario);
    mfg_command_resume(&self->command);
    mfg_payloads_resume(&self->payloads);
}

static void
on_lost(void *data)
{
    struct alone *self = data;

    mfg_command_kill(&self->command, 0);
    mfg_payloads_drop(&self->payloads);
    self->agent.command = NULL;
}

static void
on_command_progress(void *data)
{
    struct alone *self = data;

    if (self->command.exited)
        mfg_qga_programs_note_command(&self->agent, self->command.status);
}

static bool
open_stream(struct alone *self, const char *path)
{
    static const struct mfg_stream_events events = {
        .frame = on_frame, .room = on_room, .lost = on_lost};
    int fd = mfg_channel_connect(path, SOCK_STREAM);

    if (fd < 0 ||
        !mfg_stream_open(&self->stream, &self->loop, fd, MFG_CHANNEL_SOCKET, &events, self)) {
        mfg_log("cannot connect to the stream socket '%s': %m", path);
        return false;
    }
    self->agent.command = &self->command;
    return true;
}

static void
on_signal(void *data, uint32_t events)
{
    struct alone *self = data;
    struct signalfd_siginfo info;

    /* Taken, or it would end the wait for the payloads' end too. */
    while (read(self->signal_fd, &info, sizeof(info)) == sizeof(info))
        mfg_loop_quit(&self->loop);
}

static bool
set_up_loop(struct alone *self)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    self->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (self->signal_fd >= 0 && mfg_loop_init(&self->loop) &&
        mfg_children_init(&self->children, &self->loop) &&
        mfg_watch_add(&self->signals, &self->loop, self->signal_fd, EPOLLIN, on_signal, self))
        return true;
    mfg_log("cannot wait for events: %m");
    return false;
}

/* What runs is not to outlive the agent, nor to leave its control group behind. Whoever ends the
 * agent has not asked how. */
static void
end_payloads(struct alone *self)
{
    mfg_stream_close(&self->stream);
    mfg_payloads_drop(&self->payloads);
    self->loop.quit = false;
    mfg_loop_run(&self->loop, &self->payloads.is_idle);
}

static void
clear(struct alone *self)
{
    mfg_agent_clear(&self->agent);
    mfg_scenario_clear(&self->scenario);
    mfg_command_clear(&self->command);
    mfg_payloads_clear(&self->payloads);
    mfg_stream_close(&self->stream);
    mfg_watch_remove(&self->signals);
    close(self->signal_fd);
    mfg_children_clear(&self->children);
    mfg_loop_clear(&self->loop);
}

int
mfg_alone_main(const char *socket_path, const char *stream_path, const char *scenario_path)
{
    static struct alone self;

    prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (!set_up_loop(&self))
        return 1;
    mfg_command_init(&self.command, &self.loop, &self.stream, &self.children, on_command_progress,
                     &self);
    mfg_payloads_init(&self.payloads, &self.loop, &self.stream, &self.children);
    mfg_agent_init(&self.agent, &self.loop, &self.children);
    mfg_scenario_init(&self.scenario, &self.loop, &self.stream);
    if (stream_path && !open_stream(&self, stream_path))
        return 1;
    if (!mfg_agent_listen(&self.agent, socket_path)) {
        mfg_log("cannot listen at '%s': %m", socket_path);
        return 1;
    }
    if (scenario_path && !mfg_scenario_listen(&self.scenario, scenario_path)) {
        mfg_log("cannot listen at '%s': %m", scenario_path);
        return 1;
    }
    mfg_loop_run(&self.loop, NULL);
    end_payloads(&self);
    clear(&self);
    unlink(socket_path);
    if (scenario_path)
        unlink(scenario_path);
    return 0;
}
