/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "report/host.h"
#include "report/sink.h"
#include "suite/event.h"

/*
 * A suite as JUnit XML, the dialect that Jenkins, GitLab and their like read; properties carry what
 * it has no word for: outcome, verdict, status, phase, timings.
 */
typedef struct _MfReportJunit MfReportJunit;

/* Both are borrowed for the object's life; the document is written with the suite's end. */
MfReportJunit *mf_report_junit_new(MfSink *sink, const MfReportHost *host);
void mf_report_junit_free(MfReportJunit *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfReportJunit, mf_report_junit_free)

/* An MfEventFunc; 'self' is an MfReportJunit. */
void mf_report_junit_feed(const MfEvent *event, gpointer self);
