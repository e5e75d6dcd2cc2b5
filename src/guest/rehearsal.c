/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/rehearsal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "wire/guest-protocol.h"

/* What is mapped of this program's file, which is larger. */
#define MAPPED_PAGES 8

/* By descriptor: the path leads elsewhere once the root is another one. */
static _Noreturn void
become_program(int program, int output)
{
    char *const argv[] = {(char *)MF_GUEST_SELF, (char *)MFG_REHEARSAL_VERB, NULL};

    setsid();
    dup2(program, STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    execveat(program, "", argv, environ, AT_EMPTY_PATH);
    _exit(MF_EXIT_CANNOT_EXECUTE);
}

static void
run_program(int program)
{
    char buffer[64];
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return;

    pid_t pid = fork();
    if (pid == 0)
        become_program(program, ends[1]);
    close(ends[1]);
    while (read(ends[0], buffer, sizeof(buffer)) > 0)
        ;
    close(ends[0]);
    if (pid > 0)
        waitpid(pid, NULL, 0);
}

void
mfg_rehearsal_prepare(struct mfg_rehearsal *rehearsal)
{
    int program = open(MF_GUEST_SELF, O_RDONLY | O_CLOEXEC), ends[2];
    char go;

    *rehearsal = (struct mfg_rehearsal){.fd = -1};
    if (program >= 0 && pipe2(ends, O_CLOEXEC) == 0) {
        rehearsal->pid = fork();
        if (rehearsal->pid == 0) {
            close(ends[1]);
            if (read(ends[0], &go, sizeof(go)) == sizeof(go))
                run_program(program);
            _exit(0);
        }
        close(ends[0]);
        rehearsal->fd = ends[1];
    }
    if (program >= 0)
        close(program);
}

void
mfg_rehearsal_start(struct mfg_rehearsal *rehearsal)
{
    if (rehearsal->fd >= 0 && write(rehearsal->fd, "", 1) != 1)
        mfg_rehearsal_end(rehearsal);
}

void
mfg_rehearsal_end(struct mfg_rehearsal *rehearsal)
{
    if (rehearsal->fd >= 0)
        close(rehearsal->fd);
    if (rehearsal->pid > 0)
        waitpid(rehearsal->pid, NULL, 0);
    *rehearsal = (struct mfg_rehearsal){.fd = -1};
}

/* As a loader does it with a library: the whole file, and pieces of it again with other rights. */
static bool
map_library(int fd)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *library = mmap(NULL, MAPPED_PAGES * page, PROT_READ, MAP_PRIVATE, fd, 0);
    char *code = library + page, *data = library + 4 * page, *zeros = library + 6 * page;

    if (library == MAP_FAILED ||
        mmap(code, page, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, fd, (off_t)page) ==
            MAP_FAILED ||
        mmap(data, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, fd,
             (off_t)(4 * page)) == MAP_FAILED ||
        mmap(zeros, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS, -1,
             0) == MAP_FAILED)
        return false;
    *(volatile char *)data = *(volatile char *)code;
    *(volatile char *)zeros = 1;
    return mprotect(data, page, PROT_READ) == 0 && munmap(library, MAPPED_PAGES * page) == 0;
}

int
mfg_rehearsal_main(void)
{
    char head[832];
    struct stat status;

    /* Of what a loader opens, there is nothing that is sure to be there. */
    int fd = open("/etc/ld.so.cache", O_RDONLY | O_CLOEXEC);
    if (fd >= 0)
        close(fd);
    return fstat(STDIN_FILENO, &status) == 0 &&
                   pread(STDIN_FILENO, head, sizeof(head), 0) == sizeof(head) &&
                   map_library(STDIN_FILENO) && write(STDOUT_FILENO, "", 1) == 1
               ? 0
               : 1;
}
