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
#include "guest/init.h"
#include "guest/rehearsal.h"

static const char usage[] =
    "Usage: mayfly-guest exec [--stream SOCKET]\n"
    "       mayfly-guest agent --socket SOCKET [--stream SOCKET]\n"
    "       mayfly-guest --help | --version\n"
    "\n"
    "The program of mayfly inside the VM. As PID 1 it is the init of the machine.\n"
    "\n"
    "  exec    runs the command whose record is on standard input, with its\n"
    "          streams on the port org.mayfly.stream.0\n"
    "  agent   serves the QEMU guest agent protocol on a unix socket\n"
    "\n"
    "  --socket SOCKET   where the agent listens\n"
    "  --stream SOCKET   a unix socket to connect to instead of opening the port\n";

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

static bool
parse_options(char **arguments, const char **ret_socket, const char **ret_stream)
{
    for (; *arguments; arguments += 2) {
        if (!arguments[1])
            return false;
        if (strcmp(arguments[0], "--socket") == 0 && !*ret_socket)
            *ret_socket = arguments[1];
        else if (strcmp(arguments[0], "--stream") == 0 && !*ret_stream)
            *ret_stream = arguments[1];
        else
            return false;
    }
    return true;
}

int
main(int argc, char **argv)
{
    const char *socket = NULL, *stream = NULL, *verb = argc > 1 ? argv[1] : "";

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
    if (argc < 2 || !parse_options(argv + 2, &socket, &stream))
        return fail_usage();
    if (strcmp(verb, "exec") == 0 && !socket)
        return mfg_exec_main(stream);
    if (strcmp(verb, "agent") == 0 && socket)
        return mfg_alone_main(socket, stream);
    return fail_usage();
}
