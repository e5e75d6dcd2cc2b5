/* SPDX-License-Identifier: Apache-2.0 */
#include "report/plain.h"

#include "report/live.h"
#include "report/prose.h"

struct _MfReportPlain {
    MfSink *sink; /* borrowed */
    MfOutputPolicy policy;
    MfLive *live; /* owned */
    guint finished;
};

MfReportPlain *
mf_report_plain_new(MfSink *sink, MfOutputPolicy policy)
{
    MfReportPlain *self = g_new0(MfReportPlain, 1);

    self->sink = sink;
    self->policy = policy;
    self->live = mf_live_new();
    return self;
}

void
mf_report_plain_free(MfReportPlain *self)
{
    if (!self)
        return;
    mf_live_free(self->live);
    g_free(self);
}

static void
append_finished(MfReportPlain *self, const MfEvent *event, GString *to)
{
    const MfCase *kase = g_ptr_array_index(event->cases, event->index);

    mf_prose_append_headline(to, event, ++self->finished, FALSE);
    mf_prose_append_detail(to, kase, event->outcome, self->policy);
}

void
mf_report_plain_feed(const MfEvent *event, gpointer data)
{
    MfReportPlain *self = data;
    g_autoptr(GString) text = g_string_new(NULL);

    if (self->policy == MF_OUTPUT_LIVE)
        mf_live_feed(self->live, event, text);
    if (event->kind == MF_EVENT_SUITE_STARTED)
        mf_prose_append_opening(text, event);
    else if (event->kind == MF_EVENT_CASE_FINISHED)
        append_finished(self, event, text);
    else if (event->kind == MF_EVENT_SUITE_FINISHED)
        mf_prose_append_closing(text, event, FALSE);
    /* At once, so that two programs that share the output do not mix within a line. */
    if (text->len > 0)
        mf_sink_write(self->sink, text->str, text->len);
}
