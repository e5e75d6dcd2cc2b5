/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/terminal.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

struct _MfTerminal {
    int fd; /* borrowed */
    struct termios before;
    volatile sig_atomic_t raw;
};

/* Where exit() and the signal handler find it. */
static MfTerminal *the_terminal;

/* A program that dies of one of these says so itself; the terminal comes first. */
static const int deadly[] = {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP};

gboolean
mf_terminal_is_raw(void)
{
    return the_terminal && the_terminal->raw;
}

/* Safe in a signal handler. */
void
mf_terminal_restore(MfTerminal *self)
{
    sigset_t stop, mask;

    if (!self || !self->raw)
        return;
    /* Blocked, it does not stop a program that is in the background by now. */
    sigemptyset(&stop);
    sigaddset(&stop, SIGTTOU);
    sigprocmask(SIG_BLOCK, &stop, &mask);
    /* At once: a terminal that is held by Ctrl-S must not hold the end up. */
    while (tcsetattr(self->fd, TCSANOW, &self->before) < 0 && errno == EINTR)
        continue;
    sigprocmask(SIG_SETMASK, &mask, NULL);
    self->raw = FALSE;
}

static void
restore_at_exit(void)
{
    mf_terminal_restore(the_terminal);
}

/* Its default action was put back before it ran: raised again, it takes effect on return. */
static void
on_deadly_signal(int number)
{
    mf_terminal_restore(the_terminal);
    raise(number);
}

static void
watch_ways_out(void)
{
    static gboolean watching;
    struct sigaction action = {.sa_handler = on_deadly_signal, .sa_flags = (int)SA_RESETHAND};

    if (watching)
        return;
    watching = TRUE;
    atexit(restore_at_exit);
    for (gsize i = 0; i < G_N_ELEMENTS(deadly); i++)
        sigaction(deadly[i], &action, NULL);
}

MfTerminal *
mf_terminal_new(int fd)
{
    g_return_val_if_fail(!the_terminal, NULL);

    if (!isatty(fd))
        return NULL;
    the_terminal = g_new0(MfTerminal, 1);
    the_terminal->fd = fd;
    return the_terminal;
}

void
mf_terminal_free(MfTerminal *self)
{
    if (!self)
        return;
    mf_terminal_restore(self);
    the_terminal = NULL;
    g_free(self);
}

void
mf_terminal_make_raw(MfTerminal *self)
{
    struct termios settings;

    /* Who was stopped and goes on in the background has lost it: the shell put it back. */
    if (tcgetpgrp(self->fd) != getpgrp()) {
        self->raw = FALSE;
        return;
    }
    watch_ways_out();
    if (!self->raw && tcgetattr(self->fd, &self->before) < 0)
        return;
    settings = self->before;
    cfmakeraw(&settings);
    self->raw = TRUE;
    /* No flush: what was typed ahead is for the command. */
    if (tcsetattr(self->fd, TCSANOW, &settings) < 0)
        self->raw = FALSE;
}

gboolean
mf_terminal_get_size(MfTerminal *self, guint16 *ret_rows, guint16 *ret_columns)
{
    struct winsize size;

    if (ioctl(self->fd, TIOCGWINSZ, &size) < 0 || size.ws_row == 0 || size.ws_col == 0)
        return FALSE;
    *ret_rows = size.ws_row;
    *ret_columns = size.ws_col;
    return TRUE;
}
