/* SPDX-License-Identifier: Apache-2.0 */
#include "run/scenario.h"

#include "run/check.h"
#include "run/scenario-metric.h"
#include "run/snapshots.h"

struct _MfScenario {
    GObject parent;
    const MfTarget *target; /* borrowed */
    MfStream *stream;       /* owned */
    MfSnapshots *snapshots; /* owned */
    GPtrArray *metrics;     /* owned; of MfMetric, in the order of their first values */
    GHashTable *by_name;    /* owned; name -> index in 'metrics', plus 1; the names are theirs */
    guint bad_metrics, left_out;
    guint timer;
    gint64 dumping_since; /* by the monotonic clock; 0: the guest does not stand still */
    gboolean ended;
};

G_DEFINE_FINAL_TYPE(MfScenario, mf_scenario, G_TYPE_OBJECT)

enum { SIGNAL_OVERDUE, SIGNAL_LOG, N_SIGNALS };
static guint signals[N_SIGNALS];

static void rearm(MfScenario *self);

static void
mf_scenario_dispose(GObject *object)
{
    MfScenario *self = MF_SCENARIO(object);

    mf_scenario_end(self);
    g_clear_object(&self->snapshots);
    g_clear_object(&self->stream);
    g_clear_pointer(&self->by_name, g_hash_table_unref);
    g_clear_pointer(&self->metrics, g_ptr_array_unref);
    G_OBJECT_CLASS(mf_scenario_parent_class)->dispose(object);
}

static void
mf_scenario_class_init(MfScenarioClass *class)
{
    G_OBJECT_CLASS(class)->dispose = mf_scenario_dispose;
    signals[SIGNAL_OVERDUE] = g_signal_new("overdue", MF_TYPE_SCENARIO, G_SIGNAL_RUN_LAST, 0, NULL,
                                           NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
    signals[SIGNAL_LOG] = g_signal_new("log", MF_TYPE_SCENARIO, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                       NULL, G_TYPE_NONE, 1, G_TYPE_BYTES);
}

static void
mf_scenario_init(MfScenario *self)
{
    self->metrics = mf_metrics_new();
    self->by_name = g_hash_table_new(g_str_hash, g_str_equal);
}

static gboolean
on_timer(gpointer data)
{
    g_autoptr(MfScenario) self = g_object_ref(data);

    self->timer = 0;
    /* What moved the watchdog may have come after this was due. */
    if (mf_stream_get_time_left(self->stream) != 0) {
        rearm(self);
        return G_SOURCE_REMOVE;
    }

    g_autofree char *message = mf_stream_explain_overdue(self->stream);
    mf_scenario_end(self);
    g_signal_emit(self, signals[SIGNAL_OVERDUE], 0, message);
    return G_SOURCE_REMOVE;
}

/* Whenever the watchdog may have moved. */
static void
rearm(MfScenario *self)
{
    gint64 left = mf_stream_get_time_left(self->stream);

    g_clear_handle_id(&self->timer, g_source_remove);
    if (!self->ended && !self->dumping_since && left >= 0)
        self->timer = g_timeout_add((guint)MIN(left, G_MAXINT), on_timer, self);
}

/* A guest that stands still for a dump does not use its time up. */
static void
on_dumping(MfScenario *self)
{
    gint64 now = g_get_monotonic_time();

    if (mf_snapshots_is_dumping(self->snapshots)) {
        self->dumping_since = now;
    } else if (self->dumping_since) {
        mf_stream_give_time(self->stream, now - self->dumping_since);
        self->dumping_since = 0;
    }
    rearm(self);
}

static void
on_answered(MfScenario *self, guint id, guint status, const char *reason)
{
    mf_stream_send_answer(self->stream, id, status, reason);
}

static void
on_requested(MfScenario *self, const MfSnapshotRequest *request)
{
    mf_snapshots_take(self->snapshots, request);
}

/* 'metric' is taken. */
static void
keep_metric(MfScenario *self, MfMetric *metric)
{
    guint index = GPOINTER_TO_UINT(g_hash_table_lookup(self->by_name, metric->name));

    if (index > 0) {
        MfMetric *known = g_ptr_array_index(self->metrics, index - 1);

        known->value = metric->value;
        known->polarity = metric->polarity;
        g_free(known->unit);
        known->unit = g_steal_pointer(&metric->unit);
        mf_metric_free(metric);
    } else if (self->metrics->len == MF_SCENARIO_METRICS_MAX) {
        self->left_out++;
        mf_metric_free(metric);
    } else {
        g_ptr_array_add(self->metrics, metric);
        g_hash_table_insert(self->by_name, metric->name, GUINT_TO_POINTER(self->metrics->len));
    }
}

static void
on_metric(MfScenario *self, GBytes *json)
{
    g_autoptr(GError) error = NULL;
    MfMetric *metric =
        mf_scenario_metric_parse(g_bytes_get_data(json, NULL), g_bytes_get_size(json), &error);

    if (metric) {
        keep_metric(self, metric);
        return;
    }
    g_debug("%s", error->message);
    self->bad_metrics++;
}

static void
on_log(MfScenario *self, GBytes *text)
{
    g_signal_emit(self, signals[SIGNAL_LOG], 0, text);
}

MfScenario *
mf_scenario_new(const MfTarget *target, MfQmp *qmp, MfConsole *console, MfStream *stream)
{
    MfScenario *self = g_object_new(MF_TYPE_SCENARIO, NULL);

    self->target = target;
    self->stream = g_object_ref(stream);
    self->snapshots = mf_snapshots_new(qmp, console, target->crash_dir, target->snapshots);
    mf_stream_set_watchdog(stream, target->watchdog_ms);
    g_signal_connect_object(self->snapshots, "answered", G_CALLBACK(on_answered), self,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(self->snapshots, "dumping", G_CALLBACK(on_dumping), self,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(stream, "scenario-moved", G_CALLBACK(rearm), self, G_CONNECT_SWAPPED);
    g_signal_connect_object(stream, "scenario-metric", G_CALLBACK(on_metric), self,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(stream, "scenario-log", G_CALLBACK(on_log), self, G_CONNECT_SWAPPED);
    g_signal_connect_object(stream, "snapshot-requested", G_CALLBACK(on_requested), self,
                            G_CONNECT_SWAPPED);
    return self;
}

void
mf_scenario_end(MfScenario *self)
{
    self->ended = TRUE;
    g_clear_handle_id(&self->timer, g_source_remove);
    if (self->snapshots)
        mf_snapshots_stop(self->snapshots);
}

/* Of a command that was cut short, the metrics may be missing for that. */
static void
judge_metrics(const MfScenario *self, MfResult *result)
{
    g_autoptr(GPtrArray) details = NULL;

    if (result->verdict != MF_VERDICT_EXITED && result->verdict != MF_VERDICT_SIGNALLED)
        return;
    details = mf_checks_judge_scenario(self->target->checks, self->metrics);
    for (guint i = 0; i < details->len; i++)
        mf_result_add_message(result, g_ptr_array_index(details, i));
    if (details->len > 0)
        result->passed = FALSE;
}

void
mf_scenario_conclude(MfScenario *self, MfResult *result)
{
    mf_snapshots_add_notes(self->snapshots, result->notes);
    if (self->left_out)
        g_ptr_array_add(result->notes,
                        g_strdup_printf("The scenario told of more metrics than the %d that are "
                                        "kept: %u values were left out.",
                                        MF_SCENARIO_METRICS_MAX, self->left_out));
    if (self->bad_metrics)
        g_ptr_array_add(
            result->notes,
            g_strdup_printf("%u metrics of the scenario were not understood.", self->bad_metrics));
    judge_metrics(self, result);
    g_clear_pointer(&self->by_name, g_hash_table_unref);
    if (self->metrics && self->metrics->len > 0)
        result->metrics = g_steal_pointer(&self->metrics);
}
