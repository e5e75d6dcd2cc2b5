/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/placement.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest/cgroup.h"
#include "wire/frame.h"

/* Of a child that was not let go. */
#define EXIT_NOT_RELEASED 126

pid_t
mfg_placement_clone(int directory_fd)
{
    struct clone_args arguments = {
        .flags = CLONE_INTO_CGROUP,
        .exit_signal = SIGCHLD,
        .cgroup = (uint64_t)directory_fd,
    };

    return (pid_t)syscall(SYS_clone3, &arguments, sizeof(arguments));
}

/* The ends of the two pipes: [0] is read. */
struct gate {
    int notify[2], release[2];
};

static void
close_gate(struct gate *gate)
{
    int *ends[] = {&gate->notify[0], &gate->notify[1], &gate->release[0], &gate->release[1]};
    int error = errno;

    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        if (*ends[i] >= 0)
            close(*ends[i]);
        *ends[i] = -1;
    }
    errno = error;
}

/* In the child: returns once it was placed. It must not hold the parent's ends, or it would wait
 * for itself when the parent has given up. */
static void
pass_gate(struct gate *gate)
{
    uint8_t word[4], byte;

    close(gate->notify[0]);
    close(gate->release[1]);
    gate->notify[0] = gate->release[1] = -1;
    mf_frame_put_u32(word, (uint32_t)getpid());
    if (write(gate->notify[1], word, sizeof(word)) != sizeof(word))
        _exit(EXIT_NOT_RELEASED);
    close(gate->notify[1]);
    gate->notify[1] = -1;
    if (read(gate->release[0], &byte, 1) != 1)
        _exit(EXIT_NOT_RELEASED);
    close_gate(gate);
}

/* In the parent. Returns false with errno. */
static bool
place(struct gate *gate, int directory_fd)
{
    struct pollfd word_in = {.fd = gate->notify[0], .events = POLLIN};
    uint8_t word[4];
    char line[16];
    pid_t pid;
    int n;

    close(gate->notify[1]);
    close(gate->release[0]);
    gate->notify[1] = gate->release[0] = -1;
    n = poll(&word_in, 1, MFG_PLACEMENT_NOTIFY_MS);
    if (n == 0)
        errno = ETIMEDOUT;
    if (n <= 0)
        return false;
    /* The pid as the child knows it, which is also the one that counts for the group's file. */
    pid = read(gate->notify[0], word, sizeof(word)) == sizeof(word) ? (pid_t)mf_frame_get_u32(word)
                                                                    : 0;
    if (pid <= 0) {
        errno = ECHILD;
        return false;
    }
    snprintf(line, sizeof(line), "%d\n", (int)pid);
    return mfg_cgroup_write(directory_fd, "cgroup.procs", line) == 0 &&
           write(gate->release[1], "\1", 1) == 1;
}

pid_t
mfg_placement_handshake(int directory_fd)
{
    struct gate gate = {{-1, -1}, {-1, -1}};
    bool placed;
    pid_t pid = -1;

    if (pipe2(gate.notify, O_CLOEXEC) == 0 && pipe2(gate.release, O_CLOEXEC) == 0)
        pid = fork();
    if (pid == 0) {
        pass_gate(&gate);
        return 0;
    }
    placed = pid > 0 && place(&gate, directory_fd);
    close_gate(&gate);
    if (placed || pid < 0)
        return pid;

    int error = errno;

    /* It exits by itself, unless it never came to its gate. */
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    errno = error;
    return -1;
}

pid_t
mfg_placement_fork(int directory_fd)
{
    pid_t pid = mfg_placement_clone(directory_fd);

    return pid >= 0 ? pid : mfg_placement_handshake(directory_fd);
}
