/* SPDX-License-Identifier: Apache-2.0 */
#include "report/json.h"

#include "report/crashes.h"
#include "report/payload-json.h"
#include "report/tally.h"
#include "report/text.h"
#include "wire/json.h"

/* Most bytes of a character's UTF-8 after its first. */
#define CONTINUATION_MAX 3

struct _MfReportJson {
    MfSink *sink;             /* borrowed */
    const MfReportHost *host; /* borrowed */
    gint64 wall_time_us;
};

/* Takes 'value'; NULL is null. */
static void
add(json_object *object, const char *name, json_object *value)
{
    json_object_object_add(object, name, value);
}

static json_object *
strings(char *const *texts)
{
    json_object *array = json_object_new_array();

    for (; texts && *texts; texts++)
        json_object_array_add(array, mf_json_new_text(*texts));
    return array;
}

static json_object *
microseconds(gint64 duration)
{
    return json_object_new_int64(duration);
}

/* The text of a tail that lacks its beginning does not begin within a character. */
static void
skip_cut_character(const char **data, gsize *size)
{
    for (guint i = 0; i<CONTINUATION_MAX && * size> 0; i++) {
        if (((guchar) * *data & 0xc0) != 0x80)
            return;
        ++*data;
        --*size;
    }
}

static json_object *
stream(const MfOutcomeReport *outcome, int number)
{
    json_object *object = json_object_new_object();
    gsize size = 0;
    const char *data =
        outcome->tail[number] ? g_bytes_get_data(outcome->tail[number], &size) : NULL;

    add(object, "bytes", json_object_new_uint64(outcome->bytes[number]));
    if (size < outcome->bytes[number])
        skip_cut_character(&data, &size);

    g_autofree char *text = g_utf8_make_valid(data ? data : "", (gssize)size);
    add(object, "tail", json_object_new_string(text));
    if (!g_utf8_validate_len(data ? data : "", size, NULL)) {
        g_autofree char *exact = g_base64_encode((const guchar *)data, size);

        add(object, "tail_base64", json_object_new_string(exact));
    }
    return object;
}

static json_object *
streams(const MfOutcomeReport *outcome)
{
    json_object *object = json_object_new_object();

    add(object, "stdout", stream(outcome, 1));
    add(object, "stderr", stream(outcome, 2));
    add(object, "console", stream(outcome, 0));
    return object;
}

/* What was asked for; the environment is not told, for it may hold secrets. */
static json_object *
target(const MfTarget *self)
{
    json_object *object = json_object_new_object();

    add(object, "arch", json_object_new_string(mf_arch_name(self->arch)));
    add(object, "accel", json_object_new_string(mf_accel_name(self->accel)));
    add(object, "cpus", json_object_new_int64(self->cpus));
    add(object, "memory", json_object_new_uint64(self->memory));
    add(object, "kernel", mf_json_new_text(self->kernel));
    add(object, "image", mf_json_new_text(self->image));
    add(object, "root", self->image ? NULL : mf_json_new_text(self->root));
    add(object, "command",
        self->shell  ? mf_json_new_text(self->shell)
        : self->argv ? strings(self->argv)
                     : NULL);
    return object;
}

static json_object *
phases(const MfResult *result)
{
    json_object *object = json_object_new_object();

    for (MfPhase phase = 0; phase < MF_N_PHASES; phase++)
        add(object, mf_phase_name(phase), microseconds(result->phase_us[phase]));
    return object;
}

static json_object *
marks(const MfResult *result)
{
    json_object *array = json_object_new_array();

    for (guint i = 0; i < result->marks->len; i++) {
        const MfMark *mark = &g_array_index(result->marks, MfMark, i);
        json_object *object = json_object_new_object();

        add(object, "name", json_object_new_string(mark->name));
        add(object, "side", json_object_new_string(mf_mark_side_name(mark->side)));
        add(object, "start_us", microseconds(mark->start_us));
        add(object, "end_us", microseconds(mark->end_us));
        json_object_array_add(array, object);
    }
    return array;
}

static json_object *
notes(const MfResult *result)
{
    json_object *array = json_object_new_array();

    for (guint i = 0; i < result->notes->len; i++)
        json_object_array_add(array, mf_json_new_text(g_ptr_array_index(result->notes, i)));
    return array;
}

/* What the guest's kernel complained of. */
static json_object *
splats(const MfResult *result)
{
    json_object *array = json_object_new_array();

    for (guint i = 0; i < result->splats->len; i++) {
        const MfSplat *splat = g_ptr_array_index(result->splats, i);
        json_object *object = json_object_new_object();

        add(object, "kind", mf_json_new_text(mf_splat_kind_name(splat->kind)));
        add(object, "title", mf_json_new_text(splat->title));
        add(object, "fingerprint", mf_json_new_text(splat->fingerprint));
        add(object, "count", json_object_new_int64(splat->count));
        add(object, "fails", json_object_new_boolean(splat->fails));
        add(object, "report", mf_json_new_text(splat->report));
        json_object_array_add(array, object);
    }
    return array;
}

/* What the target consists of itself; null when it was not asked to tell. */
static json_object *
subtests(const MfSubtests *self)
{
    json_object *object, *counts, *tests, *problems;

    if (!self)
        return NULL;
    object = json_object_new_object();
    add(object, "counts", counts = json_object_new_object());
    add(object, "problems", problems = json_object_new_array());
    add(object, "tests", tests = json_object_new_array());
    for (MfSubtestStatus status = 0; status < MF_N_SUBTEST_STATUSES; status++)
        add(counts, mf_subtest_status_name(status), json_object_new_int64(self->counts[status]));
    for (guint i = 0; i < self->problems->len; i++)
        json_object_array_add(problems, mf_json_new_text(g_ptr_array_index(self->problems, i)));
    for (guint i = 0; i < self->tests->len; i++) {
        const MfSubtest *test = g_ptr_array_index(self->tests, i);
        json_object *one = json_object_new_object();

        add(one, "name", mf_json_new_text(test->name));
        add(one, "status", mf_json_new_text(mf_subtest_status_name(test->status)));
        add(one, "message", mf_json_new_text(test->message));
        json_object_array_add(tests, one);
    }
    return object;
}

/* Every member is there for every case, null where it has no meaning. */
static void
add_result(json_object *object, const MfResult *result)
{
    gboolean exited = result && result->verdict == MF_VERDICT_EXITED;
    gboolean signalled = result && result->verdict == MF_VERDICT_SIGNALLED;

    add(object, "verdict", result ? mf_json_new_text(mf_verdict_name(result->verdict)) : NULL);
    add(object, "status", exited ? json_object_new_int(result->status) : NULL);
    add(object, "signal", signalled ? json_object_new_int(result->signal_number) : NULL);
    add(object, "phase", result ? mf_json_new_text(mf_phase_name(result->phase)) : NULL);
    add(object, "message", result ? mf_json_new_text(result->message) : NULL);
    add(object, "notes", result ? notes(result) : NULL);
    add(object, "accel",
        result && result->accel != MF_ACCEL_AUTO ? mf_json_new_text(mf_accel_name(result->accel))
                                                 : NULL);
    add(object, "boot_id", result ? mf_json_new_text(result->boot_id) : NULL);
    add(object, "output_held", result ? json_object_new_boolean(result->output_held) : NULL);
    add(object, "evidence", result ? mf_json_new_text(result->console_tail) : NULL);
    add(object, "splats", result ? splats(result) : NULL);
    add(object, "subtests", result ? subtests(result->subtests) : NULL);
    add(object, "payloads", result ? mf_payload_json_write(result->payloads) : NULL);
    add(object, "metrics", result ? mf_payload_json_write_metrics(result->metrics) : NULL);
    add(object, "phases_us", result ? phases(result) : NULL);
    add(object, "marks", result ? marks(result) : NULL);
}

json_object *
mf_report_json_case(const MfCase *kase, const MfOutcomeReport *outcome)
{
    json_object *object = json_object_new_object();

    add(object, "schema_version", json_object_new_int(MF_REPORT_JSON_VERSION));
    add(object, "kind", json_object_new_string("case"));
    add(object, "name", mf_json_new_text(kase->name));
    add(object, "id", mf_json_new_text(kase->id));
    add(object, "file", mf_json_new_text(kase->file));
    add(object, "line", kase->line ? json_object_new_int64(kase->line) : NULL);
    add(object, "tags", strings(kase->tags));
    add(object, "target", kase->target ? target(kase->target) : NULL);
    add(object, "outcome", json_object_new_string(mf_tally_outcome_name(outcome)));
    add(object, "reason", outcome ? mf_json_new_text(outcome->reason) : NULL);
    add(object, "attempts", json_object_new_int64(outcome ? outcome->attempts : 0));
    add(object, "started_us", outcome ? microseconds(outcome->started_us) : NULL);
    add(object, "duration_us", outcome ? microseconds(outcome->duration_us) : NULL);
    add_result(object, outcome ? outcome->result : NULL);
    add(object, "output", outcome && outcome->result ? streams(outcome) : NULL);
    add(object, "run_dir", outcome ? mf_json_new_text(outcome->run_dir) : NULL);
    return object;
}

static json_object *
host(const MfReportHost *self)
{
    json_object *object = json_object_new_object();

    add(object, "name", mf_json_new_text(self->name));
    add(object, "kernel", mf_json_new_text(self->kernel));
    add(object, "arch", mf_json_new_text(self->arch));
    add(object, "cpus", json_object_new_int64(self->cpus));
    return object;
}

static json_object *
counts(const MfEvent *finished)
{
    json_object *object = json_object_new_object();
    MfTally tally = mf_tally_of(finished);

    add(object, "total", json_object_new_int64(tally.total));
    for (MfOutcome outcome = 0; outcome < G_N_ELEMENTS(tally.outcomes); outcome++)
        add(object, mf_outcome_name(outcome), json_object_new_int64(tally.outcomes[outcome]));
    add(object, "not-run", json_object_new_int64(tally.not_run));
    return object;
}

/* null for a suite that is all there is. */
static json_object *
shard(const MfShard *self)
{
    json_object *object;

    if (self->index == 0)
        return NULL;
    object = json_object_new_object();
    add(object, "index", json_object_new_int64(self->index));
    add(object, "count", json_object_new_int64(self->count));
    add(object, "targets", json_object_new_int64(self->targets));
    add(object, "suite", mf_json_new_text(self->suite));
    return object;
}

/* Each fault once; the cases by their ids. */
static json_object *
crashes(const MfEvent *finished)
{
    g_autoptr(GPtrArray) all = mf_crashes_of(finished);
    json_object *array = json_object_new_array();

    for (guint i = 0; i < all->len; i++) {
        const MfCrash *crash = g_ptr_array_index(all, i);
        json_object *object = json_object_new_object();
        json_object *cases = json_object_new_array();

        for (guint j = 0; j < crash->cases->len; j++)
            json_object_array_add(cases, mf_json_new_text(((MfCase *)crash->cases->pdata[j])->id));
        add(object, "kind", mf_json_new_text(mf_splat_kind_name(crash->splat->kind)));
        add(object, "title", mf_json_new_text(crash->splat->title));
        add(object, "fingerprint", mf_json_new_text(crash->splat->fingerprint));
        add(object, "count", json_object_new_int64(crash->count));
        add(object, "cases", cases);
        json_object_array_add(array, object);
    }
    return array;
}

json_object *
mf_report_json_suite(const MfReportHost *report_host, gint64 wall_time_us, const MfEvent *finished)
{
    json_object *object = json_object_new_object();
    json_object *cases = json_object_new_array();
    g_autofree char *started = mf_text_time(wall_time_us);

    for (guint i = 0; i < finished->cases->len; i++)
        json_object_array_add(
            cases, mf_report_json_case(finished->cases->pdata[i], finished->outcomes->pdata[i]));
    add(object, "schema_version", json_object_new_int(MF_REPORT_JSON_VERSION));
    add(object, "kind", json_object_new_string("suite"));
    add(object, "mayfly", mf_json_new_text(report_host->mayfly));
    add(object, "host", host(report_host));
    add(object, "started", mf_json_new_text(started));
    add(object, "duration_us", microseconds(finished->time_us));
    add(object, "jobs", json_object_new_int64(finished->jobs));
    add(object, "shard", shard(&finished->shard));
    add(object, "interrupted", mf_json_new_text(finished->interrupted));
    add(object, "counts", counts(finished));
    add(object, "crashes", crashes(finished));
    add(object, "cases", cases);
    return object;
}

MfReportJson *
mf_report_json_new(MfSink *sink, const MfReportHost *report_host)
{
    MfReportJson *self = g_new0(MfReportJson, 1);

    self->sink = sink;
    self->host = report_host;
    return self;
}

void
mf_report_json_free(MfReportJson *self)
{
    g_free(self);
}

void
mf_report_json_feed(const MfEvent *event, gpointer data)
{
    MfReportJson *self = data;

    if (event->kind == MF_EVENT_SUITE_STARTED) {
        self->wall_time_us = event->wall_time_us;
    } else if (event->kind == MF_EVENT_SUITE_FINISHED) {
        g_autoptr(json_object) document =
            mf_report_json_suite(self->host, self->wall_time_us, event);
        g_autofree char *text = mf_json_to_text(document);

        mf_sink_write_text(self->sink, text);
    }
}
