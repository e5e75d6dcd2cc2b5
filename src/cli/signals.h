/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

/* Turns the signals that end, stop or inform a program (HUP, INT, QUIT, TERM, TSTP, CONT, USR1,
 * USR2, WINCH) into calls from the main loop. Children start with them unblocked. */
typedef void (*MfSignalFunc)(int signal_number, gpointer data);

/* Whether it is one that ends a program: HUP, INT, QUIT, TERM. */
gboolean mf_signal_is_ending(int signal_number);

/*
 * One wish to end that arrives as two signals: timeout(1) signals its child and then the group that
 * is in, and so do shells and service managers. Taken for two, the second would kill what the first
 * asked to end. All zero at first.
 */
#define MF_SIGNAL_ECHO_WITHIN (G_USEC_PER_SEC / 2)

typedef struct {
    int number;
    gint64 time; /* when it came, the first time */
} MfSignalEcho;

/* Whether the signal, which comes at 'now' (microseconds, monotonic), is the one before once more;
 * if not, it is remembered. */
gboolean mf_signal_echo_is(MfSignalEcho *self, int signal_number, gint64 now);

/* To be called once, before the loop runs. Returns the source's id. */
guint mf_signals_watch(MfSignalFunc func, gpointer data);

/* An operation that a signal which ends programs cancels. */
typedef struct {
    GCancellable *cancellable; /* borrowed */
    int caught;                /* the signal; 0 for none */
} MfSignalCancel;

/* mf_signals_watch() for that. */
guint mf_signals_watch_cancel(MfSignalCancel *cancel);

/* Does what SIGTSTP does when nobody watches it; returns when the program is continued. */
void mf_signals_stop_here(void);
