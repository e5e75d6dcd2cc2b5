/* SPDX-License-Identifier: Apache-2.0 */
#include "report/case-read.h"

#include <string.h>

#include "report/payload-json.h"
#include "suite/result-file.h"

/* A name of each of several values: an index, or a refusal. */
typedef const char *(*NameFunc)(guint value);

static const char *
verdict_name(guint value)
{
    return mf_verdict_name((MfVerdict)value);
}

static const char *
phase_name(guint value)
{
    return mf_phase_name((MfPhase)value);
}

static const char *
outcome_name(guint value)
{
    return mf_outcome_name((MfOutcome)value);
}

static const char *
accel_name(guint value)
{
    return mf_accel_name((MfAccel)value);
}

static const char *
subtest_name(guint value)
{
    return mf_subtest_status_name((MfSubtestStatus)value);
}

static const char *
splat_name(guint value)
{
    return mf_splat_kind_name((MfSplatKind)value);
}

static gboolean
get_name(const MfJson *object, const char *member, NameFunc name, guint count, guint *ret_value,
         GError **error)
{
    const char *text;
    MfJson json;

    if (!mf_json_get(object, member, &json, error) || !mf_json_as_string(&json, &text, error))
        return FALSE;
    for (guint i = 0; i < count; i++) {
        if (g_str_equal(text, name(i))) {
            *ret_value = i;
            return TRUE;
        }
    }
    return mf_json_refuse(&json, "one of the names of the schema", error);
}

/* Whether the member is there and not null. */
static gboolean
has(const MfJson *object, const char *member)
{
    MfJson json;

    return mf_json_find(object, member, &json) && json.value;
}

/* A text or null. */
static gboolean
get_text(const MfJson *object, const char *member, char **ret_text, GError **error)
{
    const char *text;

    if (!has(object, member)) {
        *ret_text = NULL;
        return TRUE;
    }
    if (!mf_json_get_string(object, member, &text, error))
        return FALSE;
    *ret_text = g_strdup(text);
    return TRUE;
}

/* A number or null, which is 0. */
static gboolean
get_number(const MfJson *object, const char *member, gint64 max, gint64 *ret_number, GError **error)
{
    *ret_number = 0;
    return !has(object, member) || mf_json_get_int64(object, member, 0, max, ret_number, error);
}

/* Adds the texts of an array, or of null, which has none, to 'texts' (of owned char *). */
static gboolean
get_texts(const MfJson *object, const char *member, GPtrArray *texts, GError **error)
{
    MfJson array;
    gsize count;

    if (!has(object, member))
        return TRUE;
    if (!mf_json_get_array(object, member, &array, &count, error))
        return FALSE;
    for (gsize i = 0; i < count; i++) {
        MfJson element = mf_json_element(&array, i);
        const char *text;

        if (!mf_json_as_string(&element, &text, error))
            return FALSE;
        g_ptr_array_add(texts, g_strdup(text));
    }
    return TRUE;
}

static gboolean
read_tags(const MfJson *json, MfCase *kase, GError **error)
{
    g_autoptr(GPtrArray) tags = g_ptr_array_new_with_free_func(g_free);

    if (!get_texts(json, "tags", tags, error))
        return FALSE;
    g_ptr_array_add(tags, NULL);
    kase->tags = (char **)g_ptr_array_steal(tags, NULL);
    return TRUE;
}

static MfCase *
read_case(const MfJson *json, GError **error)
{
    g_autoptr(MfCase) kase = g_new0(MfCase, 1);
    const char *name, *id;
    gint64 line;

    if (!mf_json_get_string(json, "name", &name, error) ||
        !mf_json_get_string(json, "id", &id, error) ||
        !get_text(json, "file", &kase->file, error) ||
        !get_number(json, "line", G_MAXINT, &line, error) || !read_tags(json, kase, error))
        return NULL;
    kase->name = g_strdup(name);
    kase->id = g_strdup(id);
    kase->line = (guint)line;
    return g_steal_pointer(&kase);
}

static gboolean
read_stream(const MfJson *streams, const char *name, MfOutcomeReport *outcome, int number,
            GError **error)
{
    MfJson json;
    const char *text;

    if (!mf_json_get_object(streams, name, &json, error) ||
        !mf_json_get_uint64(&json, "bytes", 0, G_MAXUINT64, &outcome->bytes[number], error))
        return FALSE;
    if (has(&json, "tail_base64")) {
        gsize size;
        guchar *exact;

        if (!mf_json_get_string(&json, "tail_base64", &text, error))
            return FALSE;
        exact = g_base64_decode(text, &size);
        outcome->tail[number] = g_bytes_new_take(exact, size);
        return TRUE;
    }
    if (!mf_json_get_string(&json, "tail", &text, error))
        return FALSE;
    if (*text)
        outcome->tail[number] = g_bytes_new(text, strlen(text));
    return TRUE;
}

static gboolean
read_streams(const MfJson *json, MfOutcomeReport *outcome, GError **error)
{
    MfJson streams;

    return !has(json, "output") || (mf_json_get_object(json, "output", &streams, error) &&
                                    read_stream(&streams, "stdout", outcome, 1, error) &&
                                    read_stream(&streams, "stderr", outcome, 2, error) &&
                                    read_stream(&streams, "console", outcome, 0, error));
}

static gboolean
read_phases(const MfJson *json, MfResult *result, GError **error)
{
    MfJson phases;

    if (!mf_json_get_object(json, "phases_us", &phases, error))
        return FALSE;
    for (MfPhase phase = 0; phase < MF_N_PHASES; phase++)
        if (!mf_json_get_int64(&phases, mf_phase_name(phase), 0, G_MAXINT64,
                               &result->phase_us[phase], error))
            return FALSE;
    return TRUE;
}

static gboolean
read_splat(const MfJson *json, MfResult *result, GError **error)
{
    MfSplat *splat = g_new0(MfSplat, 1);
    guint kind = 0;
    gint64 count = 0;

    g_ptr_array_add(result->splats, splat);
    if (!get_name(json, "kind", splat_name, MF_N_SPLATS, &kind, error) ||
        !get_text(json, "title", &splat->title, error) ||
        !get_text(json, "fingerprint", &splat->fingerprint, error) ||
        !get_text(json, "report", &splat->report, error) ||
        !mf_json_get_int64(json, "count", 0, G_MAXINT, &count, error) ||
        !mf_json_get_bool(json, "fails", &splat->fails, error))
        return FALSE;
    splat->kind = (MfSplatKind)kind;
    splat->count = (guint)count;
    return TRUE;
}

static gboolean
read_splats(const MfJson *json, MfResult *result, GError **error)
{
    MfJson array;
    gsize count;

    if (!has(json, "splats"))
        return TRUE;
    if (!mf_json_get_array(json, "splats", &array, &count, error))
        return FALSE;
    for (gsize i = 0; i < count; i++) {
        MfJson element = mf_json_element(&array, i);

        if (!read_splat(&element, result, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
read_subtest(const MfJson *json, MfSubtests *subtests, GError **error)
{
    MfSubtest *test = g_new0(MfSubtest, 1);
    guint status = 0;
    const char *name;

    g_ptr_array_add(subtests->tests, test);
    if (!mf_json_get_string(json, "name", &name, error) ||
        !get_name(json, "status", subtest_name, MF_N_SUBTEST_STATUSES, &status, error) ||
        !get_text(json, "message", &test->message, error))
        return FALSE;
    test->name = g_strdup(name);
    test->status = (MfSubtestStatus)status;
    return TRUE;
}

/* The counts are of all, those that are not listed too. */
static gboolean
read_subtest_counts(const MfJson *json, MfSubtests *subtests, GError **error)
{
    MfJson counts;
    gint64 count = 0;

    if (!mf_json_get_object(json, "counts", &counts, error))
        return FALSE;
    for (MfSubtestStatus status = 0; status < MF_N_SUBTEST_STATUSES; status++) {
        if (!mf_json_get_int64(&counts, mf_subtest_status_name(status), 0, G_MAXINT, &count, error))
            return FALSE;
        subtests->counts[status] = (guint)count;
    }
    return TRUE;
}

static gboolean
read_subtests(const MfJson *json, MfResult *result, GError **error)
{
    MfJson object, tests;
    gsize count;

    if (!has(json, "subtests"))
        return TRUE;
    result->subtests = mf_subtests_new();
    if (!mf_json_get_object(json, "subtests", &object, error) ||
        !read_subtest_counts(&object, result->subtests, error) ||
        !get_texts(&object, "problems", result->subtests->problems, error) ||
        !mf_json_get_array(&object, "tests", &tests, &count, error))
        return FALSE;
    for (gsize i = 0; i < count; i++) {
        MfJson element = mf_json_element(&tests, i);

        if (!read_subtest(&element, result->subtests, error))
            return FALSE;
    }
    return TRUE;
}

static MfResult *
read_result(const MfJson *json, MfOutcome outcome, GError **error)
{
    g_autoptr(MfResult) result = mf_result_new();
    guint verdict = 0, phase = 0, accel = MF_ACCEL_AUTO;
    gint64 status, signal_number;

    if (!get_name(json, "verdict", verdict_name, MF_VERDICT_CANCELLED + 1, &verdict, error) ||
        !get_name(json, "phase", phase_name, MF_N_PHASES, &phase, error) ||
        !get_number(json, "status", 255, &status, error) ||
        !get_number(json, "signal", G_MAXINT, &signal_number, error) ||
        !get_text(json, "message", &result->message, error) ||
        !get_text(json, "evidence", &result->console_tail, error) ||
        !get_text(json, "boot_id", &result->boot_id, error) ||
        (has(json, "accel") &&
         !get_name(json, "accel", accel_name, MF_ACCEL_TCG + 1, &accel, error)) ||
        !get_texts(json, "notes", result->notes, error) ||
        !mf_json_get_bool(json, "output_held", &result->output_held, error) ||
        !read_phases(json, result, error) || !read_splats(json, result, error) ||
        !read_subtests(json, result, error) || !mf_payload_json_read(json, result, error))
        return NULL;
    result->verdict = (MfVerdict)verdict;
    result->phase = (MfPhase)phase;
    result->accel = (MfAccel)accel;
    result->status = (int)status;
    result->signal_number = (int)signal_number;
    result->passed = outcome == MF_OUTCOME_PASS;
    return g_steal_pointer(&result);
}

/* *ret_outcome is NULL for a case that was never started. */
static gboolean
read_outcome(const MfJson *json, MfOutcomeReport **ret_outcome, GError **error)
{
    g_autoptr(MfOutcomeReport) outcome = g_new0(MfOutcomeReport, 1);
    gint64 attempts;
    guint value = 0;
    const char *name;

    *ret_outcome = NULL;
    if (!mf_json_get_string(json, "outcome", &name, error))
        return FALSE;
    if (g_str_equal(name, "not-run"))
        return TRUE;
    if (!get_name(json, "outcome", outcome_name, MF_OUTCOME_SKIP + 1, &value, error) ||
        !get_text(json, "reason", &outcome->reason, error) ||
        !get_text(json, "run_dir", &outcome->run_dir, error) ||
        !get_number(json, "attempts", G_MAXINT, &attempts, error) ||
        !get_number(json, "started_us", MF_RESULT_FILE_TIME_MAX, &outcome->started_us, error) ||
        !get_number(json, "duration_us", MF_RESULT_FILE_TIME_MAX, &outcome->duration_us, error) ||
        !read_streams(json, outcome, error))
        return FALSE;
    outcome->outcome = (MfOutcome)value;
    outcome->attempts = (guint)attempts;
    if (has(json, "verdict")) {
        outcome->result = read_result(json, outcome->outcome, error);
        if (!outcome->result)
            return FALSE;
    }
    *ret_outcome = g_steal_pointer(&outcome);
    return TRUE;
}

gboolean
mf_case_read(const MfJson *json, MfCase **ret_case, MfOutcomeReport **ret_outcome, GError **error)
{
    g_autoptr(MfCase) kase = read_case(json, error);

    if (!kase || !read_outcome(json, ret_outcome, error))
        return FALSE;
    *ret_case = g_steal_pointer(&kase);
    return TRUE;
}
