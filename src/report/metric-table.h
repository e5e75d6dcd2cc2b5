/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "report/sink.h"
#include "suite/event.h"

/* Rows of one target in the table. */
#define MF_METRIC_TABLE_ROWS_MAX 100

/* Appends the metrics of a suite as a Markdown table, with a heading; nothing when there are none.
 * Of a target that names some, by a unit or a polarity, only those are in it; behind the name of
 * one that did not pass is how it ended. Of MF_EVENT_SUITE_FINISHED. */
void mf_metric_table_append(GString *to, const MfEvent *finished);

/* A report that is that table. The sink is borrowed for the object's life. */
typedef struct _MfReportMetrics MfReportMetrics;

MfReportMetrics *mf_report_metrics_new(MfSink *sink);
void mf_report_metrics_free(MfReportMetrics *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfReportMetrics, mf_report_metrics_free)

/* An MfEventFunc; 'self' is an MfReportMetrics. */
void mf_report_metrics_feed(const MfEvent *event, gpointer self);
