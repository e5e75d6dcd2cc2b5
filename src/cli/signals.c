/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/signals.h"

#include <glib-unix.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

gboolean
mf_signal_is_ending(int signal_number)
{
    return signal_number == SIGINT || signal_number == SIGTERM || signal_number == SIGHUP ||
           signal_number == SIGQUIT;
}

gboolean
mf_signal_echo_is(MfSignalEcho *self, int signal_number, gint64 now)
{
    if (self->number == signal_number && now - self->time < MF_SIGNAL_ECHO_WITHIN)
        return TRUE;
    self->number = signal_number;
    self->time = now;
    return FALSE;
}

typedef struct {
    MfSignalFunc func;
    gpointer data;
    int fd;
} Watch;

static gboolean
on_signal(int fd, GIOCondition condition, gpointer data)
{
    const Watch *watch = data;
    struct signalfd_siginfo info;

    if (read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
        watch->func((int)info.ssi_signo, watch->data);
    return G_SOURCE_CONTINUE;
}

static void
free_watch(gpointer data)
{
    Watch *watch = data;

    close(watch->fd);
    g_free(watch);
}

guint
mf_signals_watch(MfSignalFunc func, gpointer data)
{
    static const int watched[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGTERM, SIGTSTP,
                                  SIGCONT, SIGUSR1, SIGUSR2, SIGWINCH};
    Watch *watch = g_new0(Watch, 1);
    sigset_t set;

    sigemptyset(&set);
    for (gsize i = 0; i < G_N_ELEMENTS(watched); i++)
        sigaddset(&set, watched[i]);
    sigprocmask(SIG_BLOCK, &set, NULL);
    watch->func = func;
    watch->data = data;
    watch->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return g_unix_fd_add_full(G_PRIORITY_HIGH, watch->fd, G_IO_IN, on_signal, watch, free_watch);
}

static void
on_cancelling_signal(int signal_number, gpointer data)
{
    MfSignalCancel *cancel = data;

    if (signal_number == SIGTSTP) {
        mf_signals_stop_here();
    } else if (mf_signal_is_ending(signal_number)) {
        cancel->caught = signal_number;
        g_cancellable_cancel(cancel->cancellable);
    }
}

guint
mf_signals_watch_cancel(MfSignalCancel *cancel)
{
    return mf_signals_watch(on_cancelling_signal, cancel);
}

void
mf_signals_stop_here(void)
{
    sigset_t stop;

    /* Watched, it is blocked: it waits for being let through. */
    sigemptyset(&stop);
    sigaddset(&stop, SIGTSTP);
    raise(SIGTSTP);
    sigprocmask(SIG_UNBLOCK, &stop, NULL);
    sigprocmask(SIG_BLOCK, &stop, NULL);
}
