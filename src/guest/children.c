/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/children.h"

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

static struct mfg_child **
find(struct mfg_children *children, pid_t pid)
{
    struct mfg_child **link = &children->first;

    while (*link && (*link)->pid != pid)
        link = &(*link)->next;
    return link;
}

static void
report(struct mfg_children *children, const siginfo_t *info)
{
    struct mfg_child **link = find(children, info->si_pid), *child = *link;
    int status = info->si_code == CLD_EXITED ? info->si_status : -info->si_status;

    if (!child)
        return;
    *link = child->next;
    child->pid = 0;
    child->exited(child->data, info->si_pid, status);
}

static void
reap_all(struct mfg_children *children)
{
    for (;;) {
        siginfo_t info = {0};

        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0)
            return;
        report(children, &info);
        waitid(P_PID, (id_t)info.si_pid, &info, WEXITED | WNOHANG);
    }
}

static void
on_signal(void *data, uint32_t events)
{
    struct mfg_children *children = data;
    struct signalfd_siginfo info[8];

    while (read(children->signal_fd, info, sizeof(info)) > 0)
        ;
    reap_all(children);
}

bool
mfg_children_init(struct mfg_children *children, struct mfg_loop *loop)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    /* An inherited "ignore" would have the kernel reap behind our back. */
    signal(SIGCHLD, SIG_DFL);
    *children = (struct mfg_children){.signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)};
    return children->signal_fd >= 0 &&
           mfg_watch_add(&children->watch, loop, children->signal_fd, EPOLLIN, on_signal, children);
}

void
mfg_children_clear(struct mfg_children *children)
{
    mfg_watch_remove(&children->watch);
    if (children->signal_fd >= 0)
        close(children->signal_fd);
    children->signal_fd = -1;
}

void
mfg_children_add(struct mfg_children *children, struct mfg_child *child, pid_t pid,
                 void (*exited)(void *data, pid_t pid, int status), void *data)
{
    *child =
        (struct mfg_child){.next = children->first, .pid = pid, .exited = exited, .data = data};
    children->first = child;
}

void
mfg_children_remove(struct mfg_children *children, struct mfg_child *child)
{
    struct mfg_child **link = &children->first;

    while (*link && *link != child)
        link = &(*link)->next;
    if (*link)
        *link = child->next;
    child->pid = 0;
}

bool
mfg_children_has(const struct mfg_children *children, pid_t pid)
{
    for (const struct mfg_child *child = children->first; child; child = child->next)
        if (child->pid == pid)
            return true;
    return false;
}
