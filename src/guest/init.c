/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/init.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "guest/agent.h"
#include "guest/boot.h"
#include "guest/kmsg.h"
#include "guest/log.h"
#include "guest/payloads.h"
#include "guest/ports.h"
#include "guest/power.h"
#include "guest/processor.h"
#include "guest/rehearsal.h"
#include "guest/scenario.h"
#include "guest/setup.h"
#include "wire/guest-protocol.h"

struct init {
    struct mfg_loop loop;
    struct mfg_children children;
    struct mfg_stream stream;
    struct mfg_kmsg kmsg;
    struct mfg_command command;
    struct mfg_payloads payloads;
    struct mfg_scenario scenario;
    struct mfg_agent agent;
    struct mfg_rehearsal rehearsal;
    struct mfg_watch signals;
    int signal_fd; /* owned */
    bool configured;
};

/* The script is PID 1 from here on, and opens the ports itself. */
static void
become_script(struct init *self)
{
    mfg_stream_drain(&self->stream);
    mfg_command_clear(&self->command);
    mfg_scenario_clear(&self->scenario);
    mfg_kmsg_close(&self->kmsg);
    mfg_stream_close(&self->stream);
    mfg_setup_exec_script();
    mfg_log("cannot execute the init script '%s': %m", MF_GUEST_INIT_SCRIPT);
    mfg_loop_quit(&self->loop);
}

/* Nobody has read it before a machine is saved, and so each copy makes its own here. */
static void
read_boot_id(char *text, size_t size)
{
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, size - 1) : 0;

    text[n > 0 ? n : 0] = '\0';
    text[strcspn(text, "\n")] = '\0';
    if (fd >= 0)
        close(fd);
}

static void
configure(struct init *self, const struct mf_frame *frame)
{
    char answer[1 + 1024] = {0};

    if (self->configured) {
        mfg_log("ignored a second CONF: this machine is set up");
        return;
    }
    self->configured = true;
    answer[0] = !mfg_setup_apply((const char *)frame->payload, frame->length, &self->rehearsal,
                                 answer + 1, sizeof(answer) - 1);
    if (answer[0])
        mfg_log("cannot set the machine up: %s", answer + 1);
    else
        read_boot_id(answer + 1, sizeof(answer) - 1);

    /* Who sees CONR may talk to the agent at once, and that has to wait for the script's. */
    bool script = !answer[0] && mfg_setup_wants_script();
    if (script)
        mfg_agent_clear(&self->agent);
    mfg_stream_send(&self->stream, MF_FRAME_CONR, answer, 1 + strlen(answer + 1));
    if (script)
        become_script(self);
}

static void
on_frame(void *data, const struct mf_frame *frame)
{
    struct init *self = data;

    if (frame->type == MF_FRAME_CONF)
        configure(self, frame);
    else if (!mfg_payloads_take_frame(&self->payloads, frame) &&
             !mfg_scenario_take_frame(&self->scenario, frame))
        mfg_command_take_frame(&self->command, frame);
}

static void
on_room(void *data)
{
    struct init *self = data;

    mfg_scenario_resume(&self->scenario);
    mfg_command_resume(&self->command);
    mfg_payloads_resume(&self->payloads);
    mfg_kmsg_resume(&self->kmsg);
}

static void
on_lost(void *data)
{
    mfg_log("the stream port is gone");
}

static void
on_command_progress(void *data)
{
    struct init *self = data;

    if (self->command.exited)
        mfg_qga_programs_note_command(&self->agent, self->command.status);
}

/* What the kernel has said about the command or a payload comes before its end, since the host may
 * listen no longer. */
static void
on_ending(void *data)
{
    struct init *self = data;

    mfg_kmsg_flush(&self->kmsg);
}

static void
on_signal(void *data, uint32_t events)
{
    struct init *self = data;
    struct signalfd_siginfo info;
    enum mfg_power how;

    while (read(self->signal_fd, &info, sizeof(info)) == sizeof(info))
        if (mfg_power_of_signal((int)info.ssi_signo, &how))
            mfg_power_end(how);
}

/* What other inits take for "power off" and "reboot" works here too. */
static bool
listen_to_signals(struct init *self)
{
    sigset_t set;
    enum mfg_power how;

    sigemptyset(&set);
    for (int i = 1; i <= SIGRTMAX; i++)
        if (mfg_power_of_signal(i, &how))
            sigaddset(&set, i);
    sigprocmask(SIG_BLOCK, &set, NULL);
    self->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return self->signal_fd >= 0 &&
           mfg_watch_add(&self->signals, &self->loop, self->signal_fd, EPOLLIN, on_signal, self);
}

/* The ready point. All that was said until here is on its way and nothing is left to do: a machine
 * that is saved now has nothing to do when it is restored, either. */
static void
say_ready(void *data)
{
    struct init *self = data;

    mfg_stream_send(&self->stream, MF_FRAME_SRDY, NULL, 0);
}

static void
open_stream(struct init *self)
{
    static const struct mfg_stream_events events = {
        .frame = on_frame, .room = on_room, .lost = on_lost};
    int fd = mfg_ports_open(MF_PORT_STREAM);

    if (fd < 0 ||
        !mfg_stream_open(&self->stream, &self->loop, fd, MFG_CHANNEL_PORT, &events, self)) {
        mfg_log("cannot open the port '%s': %m", MF_PORT_STREAM);
        return;
    }
    self->agent.command = &self->command;
    if (!mfg_scenario_listen(&self->scenario, MF_GUEST_SCENARIO))
        mfg_log("cannot listen at '%s', so frames of scenarios are missing in this run: %m",
                MF_GUEST_SCENARIO);
    mfg_kmsg_open(&self->kmsg, &self->loop, &self->stream, say_ready, self);
}

static bool
open_agent(struct init *self)
{
    int fd = mfg_ports_open(MF_PORT_AGENT);

    if (fd >= 0 && mfg_agent_serve_port(&self->agent, fd))
        return true;
    mfg_log("cannot open the port '%s': %m", MF_PORT_AGENT);
    return false;
}

static bool
set_up_loop(struct init *self)
{
    if (mfg_loop_init(&self->loop) && mfg_children_init(&self->children, &self->loop) &&
        listen_to_signals(self))
        return true;
    mfg_log("cannot wait for events (the kernel needs CONFIG_EPOLL and CONFIG_SIGNALFD): %m");
    return false;
}

int
mfg_init_main(void)
{
    static struct init self = {.kmsg = {.fd = -1}};

    if (!mfg_boot_prepare())
        return 1;
    /* Before there are descriptors that it should not have. */
    mfg_rehearsal_prepare(&self.rehearsal);
    if (!set_up_loop(&self))
        return 1;
    mfg_command_init(&self.command, &self.loop, &self.stream, &self.children, on_command_progress,
                     &self);
    self.command.ending = on_ending;
    mfg_payloads_init(&self.payloads, &self.loop, &self.stream, &self.children);
    self.payloads.ending = on_ending;
    self.payloads.data = &self;
    mfg_command_prepare(&self.command);
    mfg_scenario_init(&self.scenario, &self.loop, &self.stream);
    mfg_agent_init(&self.agent, &self.loop, &self.children);
    self.agent.is_init = true;

    mfg_processor_prepare();

    /* The agent first: who sees SRDY may talk to it at once. */
    bool has_agent = open_agent(&self);
    open_stream(&self);
    if (!has_agent && !mfg_stream_is_open(&self.stream)) {
        mfg_log("there is no way to the host: neither of its two ports is there");
        return 1;
    }
    mfg_loop_run(&self.loop, NULL);
    return 1;
}
