/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * The caller's terminal, which becomes raw while a command in the guest has one of its own, and is
 * put back on every way out of the program: by the owner, at exit(), and by the signals that a
 * program dies of. There is one at most.
 */
typedef struct _MfTerminal MfTerminal;

/* NULL when 'fd' (borrowed) is not a terminal. */
MfTerminal *mf_terminal_new(int fd);

/* Puts the terminal back first. */
void mf_terminal_free(MfTerminal *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfTerminal, mf_terminal_free)

/* Every key is a byte, and nothing is echoed. A job in the background leaves the terminal alone:
 * it is to be called again when the job is continued. */
void mf_terminal_make_raw(MfTerminal *self);

/* As it was before it became raw. */
void mf_terminal_restore(MfTerminal *self);

/* FALSE when it has no size, such as a serial line. */
gboolean mf_terminal_get_size(MfTerminal *self, guint16 *ret_rows, guint16 *ret_columns);

/* Whether there is one that is raw: lines written to it need a carriage return. */
gboolean mf_terminal_is_raw(void);
