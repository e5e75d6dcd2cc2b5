/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* The last lines that somebody wrote, for a terminal with little room. Its costs do not grow with
 * what is written. */
typedef struct _MfWindow MfWindow;

/* The last bytes that are kept. */
#define MF_WINDOW_KEPT (16u << 10)

MfWindow *mf_window_new(void);
void mf_window_free(MfWindow *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfWindow, mf_window_free)

void mf_window_feed(MfWindow *self, GBytes *bytes);

/* At most 'lines' lines of at most 'columns' columns, without newlines, harmless as by
 * mf_text_clean(). Of a line that overwrites itself, as progress does, what is seen in the end. Of
 * char *, owned by the caller. */
GPtrArray *mf_window_get_lines(const MfWindow *self, guint lines, guint columns);
