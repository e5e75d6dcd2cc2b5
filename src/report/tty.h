/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "report/output-policy.h"
#include "report/sink.h"
#include "suite/event.h"

/*
 * A suite on a terminal: what has finished scrolls by as in the plain report, and below it a block
 * of lines, drawn anew now and then, shows what is running: its phases with the time they take,
 * and the last lines of its output.
 *
 * The cursor stays visible, every line ends without colours, and no mode of the terminal stays
 * changed from one write to the next, so that there is nothing to be put back however the program
 * ends.
 */
typedef struct _MfReportTty MfReportTty;

typedef struct {
    MfSink *sink; /* borrowed; the terminal */
    int fd;       /* asked for its size before each drawing; -1: the size is as it was set */
    guint rows, columns;
    gboolean colours;
    MfOutputPolicy policy;
} MfReportTtyOptions;

/* Most lines of output that are shown of one running case. */
#define MF_REPORT_TTY_WINDOW 10

MfReportTty *mf_report_tty_new(const MfReportTtyOptions *options);

/* Takes the block away. */
void mf_report_tty_free(MfReportTty *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfReportTty, mf_report_tty_free)

/* An MfEventFunc; 'self' is an MfReportTty. What has finished is shown at once; the block is drawn
 * by the main loop, when it has changed and every second. */
void mf_report_tty_feed(const MfEvent *event, gpointer self);

/* The terminal has another size: draws the block anew. */
void mf_report_tty_set_size(MfReportTty *self, guint rows, guint columns);

/* Draws the block as it is at 'time_us' of the suite. */
void mf_report_tty_draw(MfReportTty *self, gint64 time_us);
