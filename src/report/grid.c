/* SPDX-License-Identifier: Apache-2.0 */
#include "report/grid.h"

#include "report/grid-table.h"

struct _MfReportGrid {
    MfSink *sink;             /* borrowed */
    const MfReportHost *host; /* borrowed */
    MfGridForm form;
    guint columns;
};

MfReportGrid *
mf_report_grid_new(MfSink *sink, MfGridForm form, const MfReportHost *host)
{
    MfReportGrid *self = g_new0(MfReportGrid, 1);

    self->sink = sink;
    self->host = host;
    self->form = form;
    return self;
}

void
mf_report_grid_free(MfReportGrid *self)
{
    g_free(self);
}

void
mf_report_grid_set_columns(MfReportGrid *self, guint columns)
{
    self->columns = columns;
}

static char *
render(const MfReportGrid *self, const MfGridTable *table)
{
    switch (self->form) {
    case MF_GRID_JSON:
        return mf_grid_table_to_json(table, self->host->mayfly);
    case MF_GRID_MARKDOWN:
        return mf_grid_table_to_markdown(table);
    case MF_GRID_PAGE:
        return mf_grid_table_to_page(table, self->host->mayfly);
    case MF_GRID_TEXT:
        break;
    }
    return mf_grid_table_to_text(table, self->columns);
}

void
mf_report_grid_feed(const MfEvent *event, gpointer data)
{
    const MfReportGrid *self = data;

    if (event->kind != MF_EVENT_SUITE_FINISHED)
        return;

    g_autoptr(MfGridTable) table = mf_grid_table_new(event);
    g_autofree char *text = render(self, table);
    mf_sink_write_text(self->sink, text);
}
