/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "report/sink.h"
#include "suite/event.h"

/*
 * A suite in the Test Anything Protocol, version 13: a test point when a case has finished, in that
 * order, with YAML below it. A case that was never started is a skipped one whose YAML says
 * "outcome: not-run", and the stream then ends with "Bail out!".
 */
typedef struct _MfReportTap MfReportTap;

/* 'sink' is borrowed for the object's life. */
MfReportTap *mf_report_tap_new(MfSink *sink);
void mf_report_tap_free(MfReportTap *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfReportTap, mf_report_tap_free)

/* An MfEventFunc; 'self' is an MfReportTap. */
void mf_report_tap_feed(const MfEvent *event, gpointer self);
