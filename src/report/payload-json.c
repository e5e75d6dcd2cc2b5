/* SPDX-License-Identifier: Apache-2.0 */
#include "report/payload-json.h"

#include <math.h>

#include "run/metric.h"
#include "run/payload-result.h"

/* Takes 'value'; NULL is null. */
static void
add(json_object *object, const char *name, json_object *value)
{
    json_object_object_add(object, name, value);
}

static json_object *
flag(gboolean value)
{
    return json_object_new_boolean(value);
}

/*
 * Writing
 */

static json_object *
write_metric(const MfMetric *self)
{
    static const char *const streams[] = {NULL, "stdout", "stderr"};
    gboolean known = self->polarity != MF_POLARITY_UNKNOWN;
    json_object *object = json_object_new_object();

    add(object, "name", mf_json_new_text(self->name));
    add(object, "value", mf_json_new_number(self->value));
    add(object, "unit", mf_json_new_text(self->unit));
    add(object, "polarity", known ? mf_json_new_text(mf_polarity_name(self->polarity)) : NULL);
    add(object, "stream", mf_json_new_text(streams[self->fd]));
    return object;
}

json_object *
mf_payload_json_write_metrics(const GPtrArray *metrics)
{
    json_object *array = metrics ? json_object_new_array() : NULL;

    for (guint i = 0; metrics && i < metrics->len; i++)
        json_object_array_add(array, write_metric(metrics->pdata[i]));
    return array;
}

static json_object *
write_stream(const MfPayloadResult *self, int stream, const char *tail)
{
    json_object *object = json_object_new_object();

    add(object, "bytes", json_object_new_uint64(self->bytes[stream]));
    add(object, "discarded", json_object_new_uint64(self->discarded[stream]));
    add(object, "tail", mf_json_new_text(tail ? tail : ""));
    return object;
}

static json_object *
write_payload(const MfPayloadResult *self)
{
    gboolean signalled = self->ended && self->signal_number != 0;
    json_object *object = json_object_new_object();
    json_object *details = json_object_new_array();

    for (guint i = 0; i < self->details->len; i++)
        json_object_array_add(details, mf_json_new_text(self->details->pdata[i]));
    add(object, "name", mf_json_new_text(self->name));
    add(object, "index", json_object_new_int64(self->index));
    add(object, "repetition", json_object_new_int64(self->repetition));
    add(object, "start_us", json_object_new_int64(self->start_us));
    add(object, "passed", flag(self->passed));
    add(object, "details", details);
    add(object, "status", self->ended ? json_object_new_int(self->status) : NULL);
    add(object, "signal", signalled ? json_object_new_int(self->signal_number) : NULL);
    add(object, "timed_out", flag(self->timed_out));
    add(object, "killed", flag(self->killed));
    add(object, "not_collected", flag(self->not_collected));
    add(object, "duration_us", self->ended ? json_object_new_int64(self->duration_us) : NULL);
    add(object, "metrics", mf_payload_json_write_metrics(self->metrics));
    add(object, "stdout", write_stream(self, 1, self->stdout_tail));
    add(object, "stderr", write_stream(self, 2, self->stderr_tail));
    return object;
}

json_object *
mf_payload_json_write(const GPtrArray *payloads)
{
    json_object *array = payloads ? json_object_new_array() : NULL;

    for (guint i = 0; payloads && i < payloads->len; i++)
        json_object_array_add(array, write_payload(payloads->pdata[i]));
    return array;
}

/*
 * Reading
 */

static gboolean
has(const MfJson *object, const char *member)
{
    MfJson json;

    return mf_json_find(object, member, &json) && json.value;
}

static gboolean
get_text(const MfJson *object, const char *member, char **to, GError **error)
{
    const char *text;

    if (!mf_json_get_string(object, member, &text, error))
        return FALSE;
    g_free(*to);
    *to = g_strdup(text);
    return TRUE;
}

static gboolean
get_uint(const MfJson *object, const char *member, guint *ret_number, GError **error)
{
    guint64 number;

    if (!mf_json_get_uint64(object, member, 0, G_MAXINT, &number, error))
        return FALSE;
    *ret_number = (guint)number;
    return TRUE;
}

static gboolean
read_stream_name(const MfJson *json, MfMetric *metric, GError **error)
{
    const char *name;
    MfJson stream;

    if (!has(json, "stream"))
        return TRUE;
    if (!mf_json_get(json, "stream", &stream, error) || !mf_json_as_string(&stream, &name, error))
        return FALSE;
    metric->fd = g_str_equal(name, "stdout") ? 1 : g_str_equal(name, "stderr") ? 2 : 0;
    return metric->fd != 0 || mf_json_refuse(&stream, "'stdout' or 'stderr'", error);
}

static gboolean
read_polarity(const MfJson *json, MfMetric *metric, GError **error)
{
    const char *name;
    MfJson polarity;

    if (!has(json, "polarity"))
        return TRUE;
    if (!mf_json_get(json, "polarity", &polarity, error) ||
        !mf_json_as_string(&polarity, &name, error))
        return FALSE;
    return mf_polarity_parse(name, &metric->polarity, NULL) ||
           mf_json_refuse(&polarity, "'higher' or 'lower'", error);
}

static MfMetric *
read_metric(const MfJson *json, GError **error)
{
    const char *name;
    double value = NAN;

    if (!mf_json_get_string(json, "name", &name, error) ||
        (has(json, "value") && !mf_json_get_number(json, "value", &value, error)))
        return NULL;

    g_autoptr(MfMetric) metric = mf_metric_new(name, value, 0);
    if ((has(json, "unit") && !get_text(json, "unit", &metric->unit, error)) ||
        !read_polarity(json, metric, error) || !read_stream_name(json, metric, error))
        return NULL;
    return g_steal_pointer(&metric);
}

/* Adds those of an array; null and none are the same. */
static gboolean
read_metrics(const MfJson *json, GPtrArray *metrics, GError **error)
{
    MfJson array;
    gsize count;

    if (!mf_json_get_array(json, "metrics", &array, &count, error))
        return FALSE;
    for (gsize i = 0; i < count; i++) {
        MfJson element = mf_json_element(&array, i);
        MfMetric *metric = read_metric(&element, error);

        if (!metric)
            return FALSE;
        g_ptr_array_add(metrics, metric);
    }
    return TRUE;
}

static gboolean
read_details(const MfJson *json, MfPayloadResult *payload, GError **error)
{
    MfJson array;
    gsize count;

    if (!mf_json_get_array(json, "details", &array, &count, error))
        return FALSE;
    for (gsize i = 0; i < count; i++) {
        MfJson element = mf_json_element(&array, i);
        const char *text;

        if (!mf_json_as_string(&element, &text, error))
            return FALSE;
        g_ptr_array_add(payload->details, g_strdup(text));
    }
    return TRUE;
}

static gboolean
read_stream(const MfJson *json, const char *name, MfPayloadResult *payload, int stream, char **tail,
            GError **error)
{
    MfJson object;

    return mf_json_get_object(json, name, &object, error) &&
           mf_json_get_uint64(&object, "bytes", 0, G_MAXUINT64, &payload->bytes[stream], error) &&
           mf_json_get_uint64(&object, "discarded", 0, G_MAXUINT64, &payload->discarded[stream],
                              error) &&
           get_text(&object, "tail", tail, error);
}

/* How it ended, if that is known. */
static gboolean
read_end(const MfJson *json, MfPayloadResult *payload, GError **error)
{
    gint64 number = 0;

    payload->ended = has(json, "status");
    if (!payload->ended)
        return TRUE;
    if (!mf_json_get_int64(json, "status", 0, 255, &number, error) ||
        !mf_json_get_int64(json, "duration_us", 0, G_MAXINT64, &payload->duration_us, error))
        return FALSE;
    payload->status = (int)number;
    if (!has(json, "signal"))
        return TRUE;
    if (!mf_json_get_int64(json, "signal", 1, 127, &number, error))
        return FALSE;
    payload->signal_number = (int)number;
    return TRUE;
}

static MfPayloadResult *
read_payload(const MfJson *json, GError **error)
{
    guint index;
    guint repetition;
    const char *name;

    if (!mf_json_get_string(json, "name", &name, error) ||
        !get_uint(json, "index", &index, error) ||
        !get_uint(json, "repetition", &repetition, error))
        return NULL;

    g_autoptr(MfPayloadResult) payload = mf_payload_result_new(name, index, repetition);
    if (!mf_json_get_bool(json, "passed", &payload->passed, error) ||
        !mf_json_get_int64(json, "start_us", 0, G_MAXINT64, &payload->start_us, error) ||
        !mf_json_get_bool(json, "timed_out", &payload->timed_out, error) ||
        !mf_json_get_bool(json, "killed", &payload->killed, error) ||
        !mf_json_get_bool(json, "not_collected", &payload->not_collected, error) ||
        !read_end(json, payload, error) || !read_details(json, payload, error) ||
        !read_metrics(json, payload->metrics, error) ||
        !read_stream(json, "stdout", payload, 1, &payload->stdout_tail, error) ||
        !read_stream(json, "stderr", payload, 2, &payload->stderr_tail, error))
        return NULL;
    return g_steal_pointer(&payload);
}

static gboolean
read_payloads(const MfJson *kase, MfResult *result, GError **error)
{
    MfJson array;
    gsize count;

    result->payloads = g_ptr_array_new_with_free_func((GDestroyNotify)mf_payload_result_free);
    if (!mf_json_get_array(kase, "payloads", &array, &count, error))
        return FALSE;
    for (gsize i = 0; i < count; i++) {
        MfJson element = mf_json_element(&array, i);
        MfPayloadResult *payload = read_payload(&element, error);

        if (!payload)
            return FALSE;
        g_ptr_array_add(result->payloads, payload);
    }
    return TRUE;
}

gboolean
mf_payload_json_read(const MfJson *kase, MfResult *result, GError **error)
{
    if (has(kase, "payloads") && !read_payloads(kase, result, error))
        return FALSE;
    if (!has(kase, "metrics"))
        return TRUE;
    result->metrics = mf_metrics_new();
    return read_metrics(kase, result->metrics, error);
}
