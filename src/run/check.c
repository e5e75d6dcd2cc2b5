/* SPDX-License-Identifier: Apache-2.0 */
#include "run/check.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/parse.h"
#include "base/plain-text.h"
#include "run/metric.h"

/* Of the end of stderr, what is looked at. */
#define STDERR_READ_MAX (64u << 10)

static MfCheck *
new_check(MfCheckKind kind, const char *metric)
{
    MfCheck *self = g_new0(MfCheck, 1);

    self->kind = kind;
    self->metric = g_strdup(metric);
    return self;
}

MfCheck *
mf_check_new_exit_code(int code)
{
    MfCheck *self = new_check(MF_CHECK_EXIT_CODE, NULL);

    self->code = code;
    return self;
}

MfCheck *
mf_check_new_exists(const char *metric)
{
    return new_check(MF_CHECK_EXISTS, metric);
}

static MfCheck *
new_bounded(MfCheckKind kind, const char *metric, double low, double high, GError **error)
{
    if (isnan(low) || isnan(high)) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "A check of the metric '%s' has a bound that is no number, which no value can "
                    "keep.",
                    metric);
        return NULL;
    }

    MfCheck *self = new_check(kind, metric);
    self->low = low;
    self->high = high;
    return self;
}

MfCheck *
mf_check_new_min(const char *metric, double low, GError **error)
{
    return new_bounded(MF_CHECK_MIN, metric, low, 0, error);
}

MfCheck *
mf_check_new_max(const char *metric, double high, GError **error)
{
    return new_bounded(MF_CHECK_MAX, metric, 0, high, error);
}

MfCheck *
mf_check_new_range(const char *metric, double low, double high, GError **error)
{
    if (low > high) {
        g_autofree char *lowest = mf_format_number(low);
        g_autofree char *highest = mf_format_number(high);

        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "The range of the metric '%s' is [%s, %s], but lo must be <= hi.", metric,
                    lowest, highest);
        return NULL;
    }
    return new_bounded(MF_CHECK_RANGE, metric, low, high, error);
}

void
mf_check_free(MfCheck *self)
{
    if (!self)
        return;
    g_free(self->metric);
    g_free(self);
}

char *
mf_check_tail(const char *text, gsize max)
{
    gsize length = strlen(text);
    const char *from = text + length - MIN(length, max);

    while ((*from & 0xc0) == 0x80)
        from++;
    return g_strconcat(from > text ? "..." : "", from, NULL);
}

/* Owned by the caller. */
static char *
describe_end(const MfCheckFacts *facts, int expected)
{
    if (facts->signal_number)
        return g_strdup_printf("The payload was killed by signal %d (%s), expected exit code %d",
                               facts->signal_number, g_strsignal(facts->signal_number), expected);
    return g_strdup_printf("The payload exited with code %d, expected %d", facts->exit_code,
                           expected);
}

/* Whether the exit code is one of those that are asked for; else adds the one failure. */
static gboolean
judge_exit_code(const MfCheckFacts *facts, int expected, GPtrArray *details)
{
    gsize size = 0;
    const char *data = facts->stderr_tail ? g_bytes_get_data(facts->stderr_tail, &size) : NULL;

    if (facts->exit_code == expected)
        return TRUE;

    /* More than enough of 16 MiB, even where little of it can be shown. */
    gsize skipped = size > STDERR_READ_MAX ? size - STDERR_READ_MAX : 0;
    g_autofree char *text = mf_plain_text(data ? data + skipped : "", size - skipped);
    g_autofree char *tail = mf_check_tail(g_strstrip(text), MF_CHECK_STDERR_MAX);
    g_autofree char *end = describe_end(facts, expected);
    g_ptr_array_add(details, g_strconcat(end, *tail ? "; stderr:\n" : ".", tail, NULL));
    return FALSE;
}

static gboolean
judge_exit_codes(const GPtrArray *checks, const MfCheckFacts *facts, GPtrArray *details)
{
    gboolean asked = FALSE;

    for (guint i = 0; checks && i < checks->len; i++) {
        const MfCheck *check = checks->pdata[i];

        if (check->kind != MF_CHECK_EXIT_CODE)
            continue;
        asked = TRUE;
        if (!judge_exit_code(facts, check->code, details))
            return FALSE;
    }
    return asked || judge_exit_code(facts, 0, details);
}

static gboolean
holds(const MfCheck *check, double value)
{
    switch (check->kind) {
    case MF_CHECK_MIN:
        return value >= check->low;
    case MF_CHECK_MAX:
        return value <= check->high;
    case MF_CHECK_RANGE:
        return value >= check->low && value <= check->high;
    default:
        return TRUE;
    }
}

/* Of a value that the check does not hold for. Owned by the caller. */
static char *
describe_failure(const MfCheck *check, double value)
{
    g_autofree char *shown = mf_format_number(value);
    g_autofree char *low = mf_format_number(check->low);
    g_autofree char *high = mf_format_number(check->high);

    if (isnan(value))
        return g_strdup_printf("The metric '%s' cannot be judged: its value is NaN.",
                               check->metric);
    if (check->kind == MF_CHECK_MIN)
        return g_strdup_printf("The metric '%s' = %s is below minimum %s.", check->metric, shown,
                               low);
    if (check->kind == MF_CHECK_MAX)
        return g_strdup_printf("The metric '%s' = %s exceeds maximum %s.", check->metric, shown,
                               high);
    return g_strdup_printf("The metric '%s' = %s is outside [%s, %s].", check->metric, shown, low,
                           high);
}

/* The values of each name, in their order. */
static GHashTable *
index_metrics(const GPtrArray *metrics)
{
    GHashTable *by_name =
        g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)g_ptr_array_unref);

    for (guint i = 0; metrics && i < metrics->len; i++) {
        MfMetric *metric = metrics->pdata[i];
        GPtrArray *same = g_hash_table_lookup(by_name, metric->name);

        if (!same) {
            same = g_ptr_array_new();
            g_hash_table_insert(by_name, metric->name, same);
        }
        g_ptr_array_add(same, metric);
    }
    return by_name;
}

/* One failure at most, of the first value that the check does not hold for. 'missing' is what to
 * say where there is none. */
static void
judge_metric(const MfCheck *check, GHashTable *by_name, const char *missing, GPtrArray *details)
{
    const GPtrArray *same = g_hash_table_lookup(by_name, check->metric);

    if (!same) {
        g_ptr_array_add(details, g_strdup_printf("The metric '%s' %s.", check->metric, missing));
        return;
    }
    for (guint i = 0; i < same->len; i++) {
        const MfMetric *metric = same->pdata[i];

        if (!holds(check, metric->value)) {
            g_ptr_array_add(details, describe_failure(check, metric->value));
            return;
        }
    }
}

static void
judge_metrics(const GPtrArray *checks, const GPtrArray *metrics, const char *missing,
              GPtrArray *details)
{
    g_autoptr(GHashTable) by_name = index_metrics(metrics);

    for (guint i = 0; checks && i < checks->len; i++) {
        const MfCheck *check = checks->pdata[i];

        if (check->kind != MF_CHECK_EXIT_CODE)
            judge_metric(check, by_name, missing, details);
    }
}

GPtrArray *
mf_checks_judge(const GPtrArray *checks, const MfCheckFacts *facts)
{
    GPtrArray *details = g_ptr_array_new_with_free_func(g_free);

    if (!judge_exit_codes(checks, facts, details))
        return details;
    if (facts->problem)
        g_ptr_array_add(details, g_strdup(facts->problem));
    judge_metrics(checks, facts->metrics, "was not found in payload output", details);
    return details;
}

GPtrArray *
mf_checks_judge_scenario(const GPtrArray *checks, const GPtrArray *metrics)
{
    GPtrArray *details = g_ptr_array_new_with_free_func(g_free);

    judge_metrics(checks, metrics, "was not told of by the scenario", details);
    return details;
}
