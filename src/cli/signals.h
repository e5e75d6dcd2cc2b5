/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* Turns the signals that end, stop or inform a program (HUP, INT, QUIT, TERM, TSTP, CONT, USR1,
 * USR2, WINCH) into calls from the main loop. Children start with them unblocked. */
typedef void (*MfSignalFunc)(int signal_number, gpointer data);

/* To be called once, before the loop runs. Returns the source's id. */
guint mf_signals_watch(MfSignalFunc func, gpointer data);

/* Does what SIGTSTP does when nobody watches it; returns when the program is continued. */
void mf_signals_stop_here(void);
