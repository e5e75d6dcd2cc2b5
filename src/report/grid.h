/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "report/host.h"
#include "report/sink.h"
#include "suite/event.h"

/* A suite's end as a table of personas and scenarios (grid-table.h), in one of its forms. */
typedef struct _MfReportGrid MfReportGrid;

typedef enum {
    MF_GRID_TEXT,
    MF_GRID_JSON,
    MF_GRID_MARKDOWN,
    MF_GRID_PAGE,
} MfGridForm;

/* Both are borrowed for the object's life. */
MfReportGrid *mf_report_grid_new(MfSink *sink, MfGridForm form, const MfReportHost *host);
void mf_report_grid_free(MfReportGrid *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfReportGrid, mf_report_grid_free)

/* How many columns a text may take; 0, as at first, for any number. */
void mf_report_grid_set_columns(MfReportGrid *self, guint columns);

/* An MfEventFunc; 'self' is an MfReportGrid. */
void mf_report_grid_feed(const MfEvent *event, gpointer self);
