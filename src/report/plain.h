/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "report/output-policy.h"
#include "report/sink.h"
#include "suite/event.h"

/*
 * A suite for a person who reads a log: a line for each case when it has finished, an explanation
 * below it when it did not pass, and a summary.
 */
typedef struct _MfReportPlain MfReportPlain;

/* 'sink' is borrowed for the object's life. */
MfReportPlain *mf_report_plain_new(MfSink *sink, MfOutputPolicy policy);
void mf_report_plain_free(MfReportPlain *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfReportPlain, mf_report_plain_free)

/* An MfEventFunc; 'self' is an MfReportPlain. */
void mf_report_plain_feed(const MfEvent *event, gpointer self);
