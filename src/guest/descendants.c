/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/descendants.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* More processes than a guest of any sensible size runs; the rest is for the next round. */
#define PROCESSES_MAX 32768

enum fate { UNDECIDED, SPARED, DOOMED };

struct process {
    pid_t pid, parent, group, session;
    uint64_t start;
    char state;
    enum fate fate;
};

static bool
read_process(pid_t pid, struct process *ret_process)
{
    char path[32], text[512];
    const char *behind_name;
    size_t length;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    file = fopen(path, "re");
    if (!file)
        return false;
    length = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    text[length] = '\0';

    /* The name is in parentheses and may itself have any character in it. */
    behind_name = strrchr(text, ')');
    *ret_process = (struct process){.pid = pid};
    return behind_name &&
           sscanf(behind_name,
                  ") %c %d %d %d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d "
                  "%" SCNu64,
                  &ret_process->state, &ret_process->parent, &ret_process->group,
                  &ret_process->session, &ret_process->start) == 5;
}

static size_t
read_processes(struct process *processes)
{
    DIR *directory = opendir("/proc");
    const struct dirent *entry;
    size_t n = 0;

    while (directory && n < PROCESSES_MAX && (entry = readdir(directory)))
        if (isdigit((unsigned char)*entry->d_name) &&
            read_process(atoi(entry->d_name), &processes[n]))
            n++;
    if (directory)
        closedir(directory);
    return n;
}

static int
compare_pids(const void *a, const void *b)
{
    const struct process *left = a, *right = b;

    return (left->pid > right->pid) - (left->pid < right->pid);
}

static bool
is_of_session(const struct mfg_descent *descent, const struct process *process)
{
    return descent->session > 0 &&
           (process->session == descent->session || process->group == descent->session);
}

/* Follows the parents up to this process, to one that is decided, or out of the tree. The depth is
 * bounded for the case that pids were reused while the list was read. */
static enum fate
decide(const struct mfg_children *children, const struct mfg_descent *descent,
       struct process *processes, size_t n, const struct process *process)
{
    pid_t self = getpid();

    for (size_t depth = 0; depth < n; depth++) {
        struct process key = {.pid = process->parent};

        if (process->fate != UNDECIDED)
            return process->fate;
        if (process->pid == descent->leader)
            return DOOMED;
        if (mfg_children_has(children, process->pid) || process->pid == self)
            return SPARED;
        if (is_of_session(descent, process))
            return DOOMED;
        if (process->parent == self)
            return process->start >= descent->since ? DOOMED : SPARED;
        process = bsearch(&key, processes, n, sizeof(*processes), compare_pids);
        if (!process)
            return SPARED;
    }
    return SPARED;
}

/* Whether there is anything that the signal could do to it. */
static bool
is_beyond(const struct process *process, int number)
{
    bool is_stopped = process->state == 'T' || process->state == 't';

    return process->state == 'Z' || (number == SIGSTOP && is_stopped);
}

/* Its pid may be another one's by now, but what a descriptor stands for stays the same: so it is
 * looked at again once there is one. Kernels before 5.3 have none. */
static bool
signal_exactly(const struct process *process, int number)
{
    struct process now;
    int fd = (int)syscall(SYS_pidfd_open, process->pid, 0);
    bool done;

    if (fd < 0)
        return errno == ENOSYS && kill(process->pid, number) == 0;
    done = read_process(process->pid, &now) && now.start == process->start &&
           syscall(SYS_pidfd_send_signal, fd, number, NULL, 0) == 0;
    close(fd);
    return done;
}

size_t
mfg_descendants_signal(const struct mfg_children *children, const struct mfg_descent *descent,
                       int number)
{
    struct process *processes = malloc(PROCESSES_MAX * sizeof(*processes));
    size_t n, found = 0;

    if (!processes)
        return 0;
    n = read_processes(processes);
    qsort(processes, n, sizeof(*processes), compare_pids);
    for (size_t i = 0; i < n; i++) {
        struct process *process = &processes[i];

        process->fate = decide(children, descent, processes, n, process);
        if (process->fate == DOOMED && !is_beyond(process, number) &&
            signal_exactly(process, number))
            found++;
    }
    free(processes);
    return found;
}

uint64_t
mfg_descendants_start_of(pid_t pid)
{
    struct process process;

    return read_process(pid, &process) ? process.start : MFG_DESCENT_NO_ORPHANS;
}
