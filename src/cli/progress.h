/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * One line on a terminal that says what is going on and how much of it is done. On anything but a
 * terminal it is silent, or, when 'verbose', one plain line per activity.
 */
typedef struct MfProgress MfProgress;

/* Writes to 'fd' (borrowed), which is normally standard error. */
MfProgress *mf_progress_new(int fd, gboolean verbose);

/* Leaves the line empty. */
void mf_progress_free(MfProgress *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfProgress, mf_progress_free)

/* 'fraction' is from 0 to 1, negative when it is not known. */
void mf_progress_update(MfProgress *self, const char *activity, double fraction);

/* The line for a terminal of so many columns, which it fills to all but the last. Owned by the
 * caller. */
char *mf_progress_line(const char *activity, double fraction, guint columns);
