/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib-object.h>

#include "machine/console.h"
#include "run/result.h"
#include "run/stream.h"

/*
 * Notes when what happened in a run, for a picture of where its time went. What the guest tells
 * with a clock of its own, the kernel's log, is put on the host's: no line can have been received
 * before it was written, so the least delay of all gives when the guest's clock began.
 */
#define MF_TYPE_MARKS (mf_marks_get_type())
G_DECLARE_FINAL_TYPE(MfMarks, mf_marks, MF, MARKS, GObject)

/* 'started' is the beginning of the run's time: monotonic, microseconds. */
MfMarks *mf_marks_new(gint64 started);

/* 'name' (static) happens now on the host. */
void mf_marks_note_host(MfMarks *self, const char *name);

/* Follows a guest by what it says, from now on and as long as these live. */
void mf_marks_watch(MfMarks *self, MfConsole *console, MfStream *stream);

/* Adds everything so far to 'result'. */
void mf_marks_add_to_result(const MfMarks *self, MfResult *result);

/* The guest's time (microseconds since its kernel began) at the beginning of a line of the kernel's
 * log, "[    1.204313] text"; -1 when there is none. *ret_text is behind it. */
gint64 mf_marks_read_stamp(const char *line, const char *end, const char **ret_text);
