/* SPDX-License-Identifier: Apache-2.0 */
#include "run/invocation.h"

#include <string.h>

#include "base/error.h"
#include "base/plain-text.h"
#include "run/check.h"
#include "run/metric-json.h"
#include "run/metric.h"
#include "run/tail.h"
#include "wire/frame.h"
#include "wire/guest-protocol.h"
#include "wire/json.h"

/* As shells have it. */
#define STATUS_OF_SIGNAL 128

/* The guest's reason why a payload could not be started goes into a message. */
#define REASON_MAX 4096

struct _MfInvocation {
    const MfPayload *payload; /* borrowed */
    GPtrArray *checks;        /* owned; of borrowed MfCheck */
    MfPayloadResult *result;  /* owned; until it is concluded */
    MfTail *kept[3];          /* owned; indexes 1 and 2, like the next two */
    guint64 received[3];
    gboolean output_ended[3];
    gboolean expired;
    char *reason;      /* owned; why it could not be started; or NULL */
    GPtrArray *cgroup; /* owned; of MfMetric; or NULL */
};

MfInvocation *
mf_invocation_new(const MfPayload *payload, GPtrArray *checks, guint index, guint repetition)
{
    MfInvocation *self = g_new0(MfInvocation, 1);
    gboolean reads = payload->output == MF_PAYLOAD_JSON;

    self->payload = payload;
    self->checks = g_ptr_array_ref(checks);
    self->result = mf_payload_result_new(payload->name, index, repetition);
    for (int fd = 1; fd <= 2; fd++)
        self->kept[fd] = mf_tail_new(reads ? MF_PAYLOAD_KEEP_MAX : MF_PAYLOAD_TAIL_MAX);
    return self;
}

void
mf_invocation_free(MfInvocation *self)
{
    if (!self)
        return;
    g_ptr_array_unref(self->checks);
    mf_payload_result_free(self->result);
    for (int fd = 1; fd <= 2; fd++)
        mf_tail_free(self->kept[fd]);
    g_free(self->reason);
    g_clear_pointer(&self->cgroup, g_ptr_array_unref);
    g_free(self);
}

gboolean
mf_invocation_take_output(MfInvocation *self, int fd, GBytes *chunk)
{
    gsize size = g_bytes_get_size(chunk);

    if (self->output_ended[fd] || self->received[fd] + size > MF_PAYLOAD_KEEP_MAX)
        return FALSE;
    self->output_ended[fd] = size == 0;
    self->received[fd] += size;
    mf_tail_append(self->kept[fd], chunk);
    return TRUE;
}

static gboolean
refuse(const MfInvocation *self, GError **error, const char *flaw)
{
    g_set_error(error, MF_ERROR, MF_ERROR_PROTOCOL, "The guest told of the end of payload '%s' %s.",
                self->payload->name, flaw);
    return FALSE;
}

/* One of "status", "signal" and "error". */
static gboolean
read_end(MfInvocation *self, const MfJson *report, GError **error)
{
    MfPayloadResult *result = self->result;
    gint64 number = 0;
    const char *reason = NULL;
    MfJson member;
    gboolean exited = mf_json_find(report, "status", &member);
    gboolean killed = mf_json_find(report, "signal", &member);
    gboolean failed = mf_json_find(report, "error", &member);

    if (exited + killed + failed != 1)
        return refuse(self, error,
                      "with something else than one of a status, a signal and an error");
    if (exited && !mf_json_get_int64(report, "status", 0, MF_EXIT_STATUS_MAX, &number, error))
        return FALSE;
    if (killed && !mf_json_get_int64(report, "signal", 1, MF_EXIT_SIGNAL_MAX, &number, error))
        return FALSE;
    if (failed && !mf_json_get_string(report, "error", &reason, error))
        return FALSE;
    if (failed) {
        self->reason = mf_plain_text(reason, MIN(strlen(reason), REASON_MAX));
        number = MF_EXIT_CANNOT_EXECUTE;
    }
    result->signal_number = killed ? (int)number : 0;
    result->status = killed ? STATUS_OF_SIGNAL + (int)number : (int)number;
    return TRUE;
}

static gboolean
read_stream(MfInvocation *self, const MfJson *report, int fd, GError **error)
{
    MfPayloadResult *result = self->result;
    guint64 bytes = 0, discarded = 0;
    MfJson stream;

    if (!mf_json_get_object(report, fd == 1 ? "stdout" : "stderr", &stream, error) ||
        !mf_json_get_uint64(&stream, "bytes", 0, G_MAXINT64, &bytes, error) ||
        !mf_json_get_uint64(&stream, "discarded", 0, G_MAXINT64, &discarded, error))
        return FALSE;
    if (discarded > bytes || bytes - discarded != self->received[fd])
        return refuse(self, error, "with another count of its output than has come");
    result->bytes[fd] = bytes;
    result->discarded[fd] = discarded;
    return TRUE;
}

/* The statistics of its cgroup, each as a metric. */
static gboolean
read_cgroup(MfInvocation *self, const MfJson *report, GError **error)
{
    gboolean truncated = FALSE;
    MfJson cgroup;

    if (!mf_json_find(report, "cgroup", &cgroup))
        return TRUE;
    if (!mf_json_as_object(&cgroup, error))
        return FALSE;

    const char *text = json_object_to_json_string_ext(cgroup.value, JSON_C_TO_STRING_PLAIN);
    self->cgroup = mf_metrics_new();
    return mf_metric_json_read(text, strlen(text), "cgroup", 0, self->cgroup, &truncated, error);
}

static gboolean
read_report(MfInvocation *self, const MfJson *report, GError **error)
{
    MfPayloadResult *result = self->result;

    if (!mf_json_as_object(report, error) || !read_end(self, report, error))
        return FALSE;
    if (self->reason)
        return TRUE;
    return mf_json_get_bool(report, "timed-out", &result->timed_out, error) &&
           mf_json_get_bool(report, "killed", &result->killed, error) &&
           mf_json_get_int64(report, "duration-us", 0, G_MAXINT64, &result->duration_us, error) &&
           read_stream(self, report, 1, error) && read_stream(self, report, 2, error) &&
           read_cgroup(self, report, error);
}

gboolean
mf_invocation_take_end(MfInvocation *self, GBytes *json, GError **error)
{
    g_autoptr(json_object) value = NULL;
    gsize size;
    const char *text = g_bytes_get_data(json, &size);

    if (self->result->ended)
        return refuse(self, error, "twice");
    if (!mf_json_parse(text ? text : "", size, MF_FRAME_CHUNK_MAX, &value, error))
        return FALSE;

    g_autofree char *what = g_strdup_printf("the report on payload '%s'", self->payload->name);
    MfJson report = mf_json_top(value, what);
    if (!read_report(self, &report, error))
        return FALSE;
    /* What could not be started has none. */
    if (!self->reason && (!self->output_ended[1] || !self->output_ended[2]))
        return refuse(self, error, "before that of its output");
    self->result->ended = TRUE;
    return TRUE;
}

/* Owned by the caller. */
static char *
make_tail(GBytes *kept)
{
    gsize size;
    const char *data = g_bytes_get_data(kept, &size);
    gsize skipped = size > MF_PAYLOAD_TAIL_MAX ? size - MF_PAYLOAD_TAIL_MAX : 0;
    g_autofree char *text = mf_plain_text(data ? data + skipped : "", size - skipped);
    const char *start = text;

    /* What stands for bytes that are no text is longer than they were. */
    while (strlen(start) > MF_PAYLOAD_TAIL_MAX)
        start = g_utf8_next_char(start);
    return g_strdup(start);
}

static gboolean
has_metric(const GPtrArray *metrics, const char *name)
{
    for (guint i = 0; i < metrics->len; i++)
        if (g_str_equal(((const MfMetric *)g_ptr_array_index(metrics, i))->name, name))
            return TRUE;
    return FALSE;
}

/* Whether its output gave any; a control group's are of no output. */
static gboolean
has_measured(const GPtrArray *metrics)
{
    for (guint i = 0; i < metrics->len; i++)
        if (((const MfMetric *)g_ptr_array_index(metrics, i))->fd != 0)
            return TRUE;
    return FALSE;
}

/* A benchmark that passes, and does not measure any more, should not do so in silence. */
static void
note_missing(MfInvocation *self)
{
    MfPayloadResult *result = self->result;
    const GPtrArray *hints = self->payload->hints;

    if (!result->passed || result->killed)
        return;
    if (self->payload->output == MF_PAYLOAD_JSON && !has_measured(result->metrics)) {
        result->missing = g_strdup_printf("Payload '%s' gave no metrics: its output has no JSON "
                                          "with a number in it.",
                                          result->name);
        return;
    }
    for (guint i = 0; i < hints->len && !result->missing; i++) {
        const MfMetricHint *hint = g_ptr_array_index(hints, i);

        if (!has_metric(result->metrics, hint->name))
            result->missing =
                g_strdup_printf("Payload '%s' gave no metric '%s'.", result->name, hint->name);
    }
}

/* Those that it is judged by, of borrowed MfCheck: where its end was our doing, 'accepted' stands
 * for that. Owned by the caller. */
static GPtrArray *
choose_checks(const MfInvocation *self, MfCheck *accepted)
{
    const MfPayloadResult *result = self->result;
    GPtrArray *checks = g_ptr_array_new();
    gboolean asked = FALSE;

    for (guint i = 0; i < self->checks->len; i++) {
        MfCheck *check = g_ptr_array_index(self->checks, i);
        gboolean of_end = check->kind == MF_CHECK_EXIT_CODE;

        if (of_end && result->timed_out)
            continue;
        asked |= of_end;
        g_ptr_array_add(checks, check);
    }
    if ((result->timed_out || result->killed) && !asked)
        g_ptr_array_add(checks, accepted);
    return checks;
}

static void
judge(MfInvocation *self, GBytes *out, GBytes *err)
{
    MfPayloadResult *result = self->result;
    g_autofree char *problem = NULL;
    g_autoptr(MfCheck) accepted = mf_check_new_exit_code(result->status);
    g_autoptr(GPtrArray) checks = NULL;

    if (self->expired && result->killed)
        result->timed_out = TRUE;
    if (self->payload->output == MF_PAYLOAD_JSON) {
        g_ptr_array_unref(result->metrics);
        result->metrics = mf_metrics_from_output(out, err, &problem);
    }
    if (self->cgroup)
        g_ptr_array_extend_and_steal(result->metrics, g_steal_pointer(&self->cgroup));
    mf_metrics_apply_hints(result->metrics, self->payload->hints);
    if (result->timed_out)
        mf_payload_result_fail(result, "It was killed, since its time was over.");
    checks = choose_checks(self, accepted);

    const MfCheckFacts facts = {.exit_code = result->status,
                                .signal_number = result->signal_number,
                                .metrics = result->metrics,
                                .problem = problem,
                                .stderr_tail = err};
    g_autoptr(GPtrArray) details = mf_checks_judge(checks, &facts);
    for (guint i = 0; i < details->len; i++)
        mf_payload_result_fail(result, "%s", (const char *)g_ptr_array_index(details, i));
    note_missing(self);
}

void
mf_invocation_expire(MfInvocation *self)
{
    self->expired = TRUE;
}

MfPayloadResult *
mf_invocation_conclude(MfInvocation *self)
{
    MfPayloadResult *result = self->result;
    g_autoptr(GBytes) out = mf_tail_get(self->kept[1]);
    g_autoptr(GBytes) err = mf_tail_get(self->kept[2]);

    result->stdout_tail = make_tail(out);
    result->stderr_tail = make_tail(err);
    g_ptr_array_unref(result->metrics);
    result->metrics = mf_metrics_new();
    if (!result->ended) {
        for (int fd = 1; fd <= 2; fd++)
            result->bytes[fd] = self->received[fd];
        mf_payload_result_fail(result, "The guest did not tell of its end.");
    } else if (self->reason) {
        mf_payload_result_fail(result, "It could not be started: %s%s", self->reason,
                               g_str_has_suffix(self->reason, ".") ? "" : ".");
    } else {
        judge(self, out, err);
    }
    return g_steal_pointer(&self->result);
}
