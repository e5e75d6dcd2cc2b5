/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* Turns the signals that end or inform a program (HUP, INT, QUIT, TERM, USR1, USR2, WINCH) into
 * calls from the main loop. Children start with them unblocked. */
typedef void (*MfSignalFunc)(int signal_number, gpointer data);

/* To be called once, before the loop runs. Returns the source's id. */
guint mf_signals_watch(MfSignalFunc func, gpointer data);
