/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * Where a report goes. What goes wrong is remembered and told once, at the end, so that a report
 * that cannot be written disturbs neither the run nor the other reports.
 */
typedef struct _MfSink MfSink;

typedef enum {
    MF_SINK_WHOLE,  /* a file is there in the end, complete, or nothing of it is */
    MF_SINK_LIVE,   /* what is written is there at once */
    MF_SINK_APPEND, /* as LIVE, behind what was there before */
} MfSinkMode;

/* 'path' "-" is the standard output; what is no regular file (a pipe, /dev/stdout) is written to in
 * place. MF_ERROR_HOST when it is clear already that nothing can be written there. */
MfSink *mf_sink_open(const char *path, MfSinkMode mode, GError **error);

/* Of a descriptor, borrowed. */
MfSink *mf_sink_new_fd(int fd);

/* Without a close before it, nothing is written to a whole file. */
void mf_sink_free(MfSink *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfSink, mf_sink_free)

/* What is reported on begins now: a whole file of an earlier run is removed, so that nobody takes
 * it for this run's when this one is killed. */
void mf_sink_begin(MfSink *self);

void mf_sink_write(MfSink *self, const char *data, gsize size);
void mf_sink_write_text(MfSink *self, const char *text);

/* The end. MF_ERROR_HOST or MF_ERROR_LOST with the first thing that went wrong. */
gboolean mf_sink_close(MfSink *self, GError **error);
