/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest/account.h"
#include "guest/placement.h"
#include "guest/plain.h"
#include "guest/processor.h"
#include "wire/guest-protocol.h"

/* Where a shell is looked for besides the command's own PATH. */
#define SHELL_PATH "/bin:/usr/bin"

/* Everything here up to mfg_spawn() runs in the child. */

static _Noreturn void __attribute__((format(printf, 2, 3)))
give_up(int status, const char *format, ...)
{
    va_list arguments;

    dprintf(STDERR_FILENO, "mayfly-guest: ");
    va_start(arguments, format);
    vdprintf(STDERR_FILENO, format, arguments);
    va_end(arguments);
    dprintf(STDERR_FILENO, "\n");
    _exit(status);
}

/* execve(2), and for a text file without an interpreter line /bin/sh, as shells do it. */
static void
exec_file(const char *file, char *const *argv, char *const *envp)
{
    size_t n = 0;
    char **shell_argv;

    execve(file, argv, envp);
    if (errno != ENOEXEC)
        return;
    while (argv[n])
        n++;
    shell_argv = calloc(n + 2, sizeof(*shell_argv));
    if (!shell_argv)
        return;
    shell_argv[0] = (char *)"/bin/sh";
    shell_argv[1] = (char *)file;
    for (size_t i = 1; i < n; i++)
        shell_argv[i + 1] = argv[i];
    execve(shell_argv[0], shell_argv, envp);
    free(shell_argv);
    errno = ENOEXEC;
}

/* Leaves in errno what tells most: that something was there but must not be executed beats that
 * nothing was found. */
static void
exec_in_path(const char *name, char *const *argv, char *const *envp, const char *path)
{
    int worst = ENOENT;

    while (*name) {
        size_t length = strcspn(path, ":");
        char file[4096];
        int n =
            snprintf(file, sizeof(file), "%.*s%s%s", (int)length, path, length ? "/" : "", name);

        if (n > 0 && (size_t)n < sizeof(file)) {
            exec_file(file, argv, envp);
            if (errno == EACCES)
                worst = EACCES;
            else if (errno != ENOENT && errno != ENOTDIR)
                return;
        }
        if (!path[length])
            break;
        path += length + 1;
    }
    errno = worst;
}

static void
exec_program(char *const *argv, char *const *envp, const char *path)
{
    if (strchr(argv[0], '/'))
        exec_file(argv[0], argv, envp);
    else
        exec_in_path(argv[0], argv, envp, path);
}

/* Returns when there is no such shell. */
static void
exec_one_shell(const char *name, char *const *argv, char *const *envp, const char *path)
{
    exec_in_path(name, argv, envp, path);
    if (errno == ENOENT || errno == EACCES)
        exec_in_path(name, argv, envp, SHELL_PATH);
    if (errno != ENOENT && errno != EACCES)
        give_up(MF_EXIT_CANNOT_EXECUTE, "cannot run the command by %s: %s", name, strerror(errno));
}

static _Noreturn void
explain(const char *program, const char *path, int error)
{
    struct stat status;
    bool is_path = strchr(program, '/') != NULL;

    if (error == ENOENT && is_path && stat(program, &status) == 0)
        give_up(MF_EXIT_NOT_FOUND,
                "cannot run '%s': it is there, but the interpreter or loader that it names is not "
                "in the guest",
                program);
    if (error == ENOENT && is_path)
        give_up(MF_EXIT_NOT_FOUND, "cannot run '%s': there is no such file in the guest", program);
    if (error == ENOENT)
        give_up(MF_EXIT_NOT_FOUND, "cannot run '%s': it was not found in the guest's PATH '%s'",
                program, path);
    if (error == EACCES && is_path && stat(program, &status) == 0 && S_ISDIR(status.st_mode))
        give_up(MF_EXIT_CANNOT_EXECUTE, "cannot run '%s': it is a directory", program);
    give_up(MF_EXIT_CANNOT_EXECUTE, "cannot run '%s': %s", program, strerror(error));
}

/* What is only a program and its arguments has failed to run by itself, not for want of a shell. */
static _Noreturn void
explain_without_shell(const char *text, char *const *envp, const char *path)
{
    char **words = mfg_plain_split(text);

    if (words) {
        exec_program(words, envp, path);
        if (errno != ENOENT || strchr(words[0], '/'))
            explain(words[0], path, errno);
        give_up(MF_EXIT_NOT_FOUND,
                "cannot run '%s': there is no such program in the guest's PATH, nor a bash or sh "
                "that might know it",
                words[0]);
    }
    give_up(MF_EXIT_NOT_FOUND,
            "cannot run the command: it is shell text, and the guest has neither bash nor sh. Name "
            "a program by its path, and give its arguments one by one, instead");
}

static _Noreturn void
exec_shell(const char *text, char *const *envp, const char *path)
{
    static const char *const names[] = {"bash", "sh"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char *argv[] = {(char *)names[i], (char *)"-c", (char *)text, NULL};

        exec_one_shell(names[i], argv, envp, path);
    }
    explain_without_shell(text, envp, path);
}

/* The dash before its name is how a shell knows that it is a login's. */
static _Noreturn void
exec_login(const char *wanted, char *const *envp, const char *path)
{
    const char *slash = strrchr(wanted, '/');
    char name[256];
    char *argv[] = {name, NULL};

    if (slash) {
        snprintf(name, sizeof(name), "-%s", slash + 1);
        execve(wanted, argv, envp);
    }
    exec_one_shell("bash", (char *[]){(char *)"-bash", NULL}, envp, path);
    exec_one_shell("sh", (char *[]){(char *)"-sh", NULL}, envp, path);
    give_up(MF_EXIT_NOT_FOUND,
            "cannot start a login shell: the guest has neither '%s' nor bash nor sh in '%s'. Give "
            "a command instead",
            wanted, path);
}

/* The descriptors are all above 2, so that none is overwritten before its turn. */
static void
arrange_streams(const struct mfg_spawn *spawn)
{
    for (int i = 0; i < 3; i++) {
        if (spawn->fds[i] >= 0)
            dup2(spawn->fds[i], i);
        else
            close(i);
    }
    if (spawn->tty)
        ioctl(STDIN_FILENO, TIOCSCTTY, 0);
}

static void
reset_signals(void)
{
    sigset_t none;

    /* The C library keeps two signals to itself, and would refuse them. */
    struct {
        void *handler;
        unsigned long flags;
        void *restorer;
        unsigned long mask;
    } defaults = {0};

    for (int i = 1; i < NSIG; i++)
        syscall(SYS_rt_sigaction, i, &defaults, NULL, sizeof(defaults.mask));
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void
enter(const struct mfg_spawn *spawn)
{
    if (spawn->alone)
        mfg_processor_move();
    if (!spawn->parent_group)
        setsid();
    arrange_streams(spawn);
    reset_signals();
}

/* The streams are the command's own, and it may open them by name: /dev/stderr, or its terminal. */
static void
give_streams(uid_t uid)
{
    struct stat status;

    for (int fd = 0; fd < 3; fd++)
        if (fstat(fd, &status) == 0 && (S_ISFIFO(status.st_mode) || isatty(fd)) &&
            fchown(fd, uid, (gid_t)-1) < 0)
            errno = 0;
}

static void
assume_user(const char *user)
{
    struct mfg_account account;
    char reason[512];

    if (!mfg_account_find(user, "/etc/passwd", "/etc/group", &account, reason, sizeof(reason)))
        give_up(MF_EXIT_CANNOT_EXECUTE, "cannot run the command: %s", reason);
    give_streams(account.uid);
    if (!mfg_account_assume(&account))
        give_up(MF_EXIT_CANNOT_EXECUTE, "cannot run the command as '%s': %s", user,
                strerror(errno));
}

static _Noreturn void
become(const struct mfg_spawn *spawn)
{
    char *const *envp = spawn->envp ? spawn->envp : environ;
    const char *path = spawn->path ? spawn->path : MFG_SPAWN_PATH;

    enter(spawn);
    if (spawn->user)
        assume_user(spawn->user);
    if (spawn->workdir && chdir(spawn->workdir) < 0)
        give_up(MF_EXIT_CANNOT_EXECUTE,
                "cannot run the command in the directory '%s' of the guest: %s", spawn->workdir,
                strerror(errno));
    if (spawn->shell) {
        mfg_plain_exec(spawn->shell, envp);
        exec_shell(spawn->shell, envp, path);
    }
    if (spawn->login)
        exec_login(spawn->login, envp, path);
    exec_program(spawn->argv, envp, path);
    explain(spawn->argv[0], path, errno);
}

pid_t
mfg_spawn(const struct mfg_spawn *spawn)
{
    pid_t pid = spawn->cgroup_fd >= 0 ? mfg_placement_fork(spawn->cgroup_fd) : fork();

    if (pid == 0)
        become(spawn);
    return pid;
}

static _Noreturn void
become_checked(const struct mfg_spawn *spawn, int report_fd)
{
    int error;

    enter(spawn);
    exec_program(spawn->argv, spawn->envp ? spawn->envp : environ,
                 spawn->path ? spawn->path : MFG_SPAWN_PATH);
    error = errno;
    _exit(write(report_fd, &error, sizeof(error)) == sizeof(error) ? 0 : MF_EXIT_CANNOT_EXECUTE);
}

/* Returns what the child reports, or 0 when it was executed, which closed the pipe. */
static int
read_report(int fd)
{
    int error = 0;
    ssize_t n;

    do
        n = read(fd, &error, sizeof(error));
    while (n < 0 && errno == EINTR);
    return n == sizeof(error) ? error : 0;
}

pid_t
mfg_spawn_checked(const struct mfg_spawn *spawn)
{
    int report[2], error;
    pid_t pid;

    if (pipe2(report, O_CLOEXEC) < 0)
        return -1;
    pid = fork();
    if (pid == 0)
        become_checked(spawn, report[1]);
    error = pid < 0 ? errno : 0;
    close(report[1]);
    if (pid > 0)
        error = read_report(report[0]);
    close(report[0]);
    if (pid > 0 && error)
        waitpid(pid, NULL, 0);
    errno = error;
    return error ? -1 : pid;
}
