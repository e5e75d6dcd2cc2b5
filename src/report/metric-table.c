/* SPDX-License-Identifier: Apache-2.0 */
#include "report/metric-table.h"

#include "report/markdown.h"
#include "report/series.h"
#include "report/tally.h"
#include "report/text.h"

struct _MfReportMetrics {
    MfSink *sink; /* borrowed */
};

static void
append_cell(GString *to, const char *text)
{
    g_string_append_c(to, ' ');
    mf_markdown_append(to, text);
    g_string_append(to, " |");
}

static void
append_row(GString *to, const char *target, const MfSeries *series)
{
    g_autofree char *median = mf_series_round(mf_series_median(series));
    g_autofree char *spread = mf_series_round(mf_series_spread(series));
    g_autofree char *count = g_strdup_printf("%u", series->values->len);

    g_string_append_c(to, '|');
    append_cell(to, target);
    append_cell(to, series->payload);
    append_cell(to, series->name);
    append_cell(to, median);
    append_cell(to, series->values->len > 1 ? spread : "");
    append_cell(to, count);
    append_cell(to, series->unit ? series->unit : "");
    append_cell(to, mf_polarity_name(series->polarity));
    g_string_append_c(to, '\n');
}

/* Returns how many of the target's metrics there is no row for, since it is one of too many. */
static guint
append_target(GString *to, const MfCase *kase, const MfOutcomeReport *outcome)
{
    g_autoptr(GPtrArray) all = mf_series_of(outcome->result);
    gboolean passed = outcome->outcome == MF_OUTCOME_PASS;
    g_autofree char *name =
        passed ? g_strdup(kase->name)
               : g_strdup_printf("%s (%s)", kase->name, mf_tally_outcome_name(outcome));
    guint left_out;
    g_autoptr(GPtrArray) picked = mf_series_pick(all, MF_METRIC_TABLE_ROWS_MAX, &left_out);

    for (guint i = 0; i < picked->len; i++)
        append_row(to, name, picked->pdata[i]);
    return left_out;
}

void
mf_metric_table_append(GString *to, const MfEvent *finished)
{
    g_autoptr(GString) rows = g_string_new(NULL);
    guint left_out = 0;

    for (guint i = 0; i < finished->cases->len; i++) {
        const MfOutcomeReport *outcome = finished->outcomes->pdata[i];

        if (outcome)
            left_out += append_target(rows, finished->cases->pdata[i], outcome);
    }
    if (rows->len == 0)
        return;
    g_string_append(to, "### Metrics\n\n"
                        "| Target | Payload | Metric | Median | Spread | Runs | Unit | Better |\n"
                        "|---|---|---|---:|---:|---:|---|---|\n");
    g_string_append_len(to, rows->str, (gssize)rows->len);
    if (left_out > 0) {
        g_autofree char *count = mf_text_count(left_out, "more metric");

        g_string_append_printf(to, "\n%s in the JSON report.\n", count);
    }
}

MfReportMetrics *
mf_report_metrics_new(MfSink *sink)
{
    MfReportMetrics *self = g_new0(MfReportMetrics, 1);

    self->sink = sink;
    return self;
}

void
mf_report_metrics_free(MfReportMetrics *self)
{
    g_free(self);
}

void
mf_report_metrics_feed(const MfEvent *event, gpointer data)
{
    MfReportMetrics *self = data;
    g_autoptr(GString) text = g_string_new(NULL);

    if (event->kind != MF_EVENT_SUITE_FINISHED)
        return;
    mf_metric_table_append(text, event);
    if (text->len == 0)
        g_string_append(text, "No target has metrics.\n");
    mf_sink_write_text(self->sink, text->str);
}
