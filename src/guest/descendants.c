/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/descendants.h"

#include <ctype.h>
#include <dirent.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* More processes than a guest of any sensible size runs; the rest is for the next round. */
#define PROCESSES_MAX 32768

enum fate { UNDECIDED, SPARED, DOOMED };

struct process {
    pid_t pid, parent;
    char state;
    enum fate fate;
};

static bool
read_process(const char *pid, struct process *ret_process)
{
    char path[32], text[512];
    const char *behind_name;
    int parent;
    size_t length;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%.10s/stat", pid);
    file = fopen(path, "re");
    if (!file)
        return false;
    length = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    text[length] = '\0';

    /* The name is in parentheses and may itself have any character in it. */
    behind_name = strrchr(text, ')');
    *ret_process = (struct process){.pid = atoi(pid)};
    if (!behind_name || sscanf(behind_name, ") %c %d", &ret_process->state, &parent) != 2)
        return false;
    ret_process->parent = parent;
    return true;
}

static size_t
read_processes(struct process *processes)
{
    DIR *directory = opendir("/proc");
    const struct dirent *entry;
    size_t n = 0;

    while (directory && n < PROCESSES_MAX && (entry = readdir(directory)))
        if (isdigit((unsigned char)*entry->d_name) && read_process(entry->d_name, &processes[n]))
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

/* Follows the parents up to this process, to one that is decided, or out of the tree. The depth is
 * bounded for the case that pids were reused while the list was read. */
static enum fate
decide(const struct mfg_children *children, pid_t command, struct process *processes, size_t n,
       const struct process *process)
{
    pid_t self = getpid();

    for (size_t depth = 0; depth < n; depth++) {
        struct process key = {.pid = process->parent};

        if (process->fate != UNDECIDED)
            return process->fate;
        if (process->pid == command)
            return DOOMED;
        if (mfg_children_has(children, process->pid) || process->pid == self)
            return SPARED;
        if (process->parent == self)
            return DOOMED;
        process = bsearch(&key, processes, n, sizeof(*processes), compare_pids);
        if (!process)
            return SPARED;
    }
    return SPARED;
}

size_t
mfg_descendants_signal(const struct mfg_children *children, pid_t command, int number)
{
    struct process *processes = malloc(PROCESSES_MAX * sizeof(*processes));
    size_t n, found = 0;

    if (!processes)
        return 0;
    n = read_processes(processes);
    qsort(processes, n, sizeof(*processes), compare_pids);
    for (size_t i = 0; i < n; i++) {
        struct process *process = &processes[i];

        process->fate = decide(children, command, processes, n, process);
        if (process->fate == DOOMED && process->state != 'Z' && kill(process->pid, number) == 0)
            found++;
    }
    free(processes);
    return found;
}
