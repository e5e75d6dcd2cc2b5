/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "guest/alone.h"
#include "guest/exec.h"
#include "guest/frame-verb.h"
#include "guest/init.h"
#include "guest/rehearsal.h"
#include "guest/renew.h"
#include "wire/guest-protocol.h"

static const char usage[] =
    "Usage: mayfly-guest frame start|pause|resume|end\n"
    "       mayfly-guest frame metric NAME VALUE [--unit UNIT] [--polarity POLARITY]\n"
    "       mayfly-guest frame snapshot memory|state|console [TAG]\n"
    "       mayfly-guest frame log [WORD...]\n"
    "       mayfly-guest exec [--stream SOCKET] [--scenario SOCKET]\n"
    "       mayfly-guest agent --socket SOCKET [--stream SOCKET] [--scenario SOCKET]\n"
    "       mayfly-guest renew\n"
    "       mayfly-guest --help | --version\n"
    "\n"
    "The program of mayfly inside the VM. As PID 1 it is the init of the machine.\n"
    "\n"
    "  frame   tells mayfly, outside, of a scenario that runs in here: that its\n"
    "          watchdog is to start, to wait, to go on, to leave time for cleaning\n"
    "          up; a metric; a line of a log; or asks for a snapshot. With\n"
    "          --socket SOCKET in front of the rest by that socket\n"
    "  exec    runs the command whose record is on standard input, with its\n"
    "          streams on the port org.mayfly.stream.0\n"
    "  agent   serves the QEMU guest agent protocol on a unix socket\n"
    "  renew   takes time and entropy from standard input, in a copy of a system\n"
    "          that was saved\n"
    "\n"
    "  --socket SOCKET   where the agent listens\n"
    "  --stream SOCKET   a unix socket to connect to instead of opening the port\n"
    "  --scenario SOCKET where frames of a scenario are taken (exec: " MF_GUEST_SCENARIO ")\n";

#define EXIT_USAGE 2

/* Pipes and files opened later must not become a standard stream by accident. */
static void
ensure_standard_streams(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

static int
fail_usage(void)
{
    fputs(usage, stderr);
    return EXIT_USAGE;
}

/* Of sockets; NULL when not given. */
struct options {
    const char *socket, *stream, *scenario;
};

static bool
parse_options(char **arguments, struct options *ret_options)
{
    const struct {
        const char *name;
        const char **place;
    } known[] = {
        {"--socket", &ret_options->socket},
        {"--stream", &ret_options->stream},
        {"--scenario", &ret_options->scenario},
    };
    const size_t n_known = sizeof(known) / sizeof(known[0]);

    for (; *arguments; arguments += 2) {
        size_t i = 0;

        while (i < n_known && strcmp(arguments[0], known[i].name) != 0)
            i++;
        if (i == n_known || !arguments[1] || *known[i].place)
            return false;
        *known[i].place = arguments[1];
    }
    return true;
}

int
main(int argc, char **argv)
{
    const char *verb = argc > 1 ? argv[1] : "";
    struct options options = {0};

    /* A peer that goes away is an error to be handled where it is met. */
    signal(SIGPIPE, SIG_IGN);
    if (getpid() == 1)
        return mfg_init_main();
    if (strcmp(verb, MFG_REHEARSAL_VERB) == 0)
        return mfg_rehearsal_main();
    ensure_standard_streams();
    if (strcmp(verb, "--help") == 0 || strcmp(verb, "--version") == 0) {
        fputs(verb[2] == 'h' ? usage : "mayfly-guest " MF_VERSION "\n", stdout);
        return 0;
    }
    if (strcmp(verb, MF_GUEST_RENEW) == 0 && argc == 2)
        return mfg_renew_main();
    if (strcmp(verb, "frame") == 0)
        return mfg_frame_verb_main(argv + 2);
    if (argc < 2 || !parse_options(argv + 2, &options))
        return fail_usage();
    if (strcmp(verb, "exec") == 0 && !options.socket)
        return mfg_exec_main(options.stream, options.scenario);
    if (strcmp(verb, "agent") == 0 && options.socket)
        return mfg_alone_main(options.socket, options.stream, options.scenario);
    return fail_usage();
}
