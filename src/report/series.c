/* SPDX-License-Identifier: Apache-2.0 */
#include "report/series.h"

#include <math.h>
#include <string.h>

#include "run/payload-result.h"

/* No name has it. */
#define KEY_SEPARATOR "\n"

/* While the values of a run are sorted into series. */
typedef struct {
    GPtrArray *all;      /* of MfSeries */
    GHashTable *by_key;  /* to MfSeries: payload and metric */
    GHashTable *counted; /* to how often it was met in this repetition */
} Sorting;

static void
series_free(gpointer data)
{
    MfSeries *self = data;

    g_free(self->payload);
    g_free(self->name);
    g_free(self->unit);
    g_array_unref(self->values);
    g_free(self);
}

/* The name as it is; "name (2)" for the second of that name among those that have 'scope'. */
static char *
number_name(GHashTable *counted, const char *scope, const char *name)
{
    char *key = g_strconcat(scope, KEY_SEPARATOR, name, NULL);
    guint count = GPOINTER_TO_UINT(g_hash_table_lookup(counted, key)) + 1;

    g_hash_table_insert(counted, key, GUINT_TO_POINTER(count));
    return count == 1 ? g_strdup(name) : g_strdup_printf("%s (%u)", name, count);
}

static MfSeries *
get_series(Sorting *self, const char *payload, const char *name)
{
    g_autofree char *key = g_strconcat(payload, KEY_SEPARATOR, name, NULL);
    MfSeries *series = g_hash_table_lookup(self->by_key, key);

    if (series)
        return series;
    series = g_new0(MfSeries, 1);
    series->payload = g_strdup(payload);
    series->name = g_strdup(name);
    series->values = g_array_new(FALSE, FALSE, sizeof(double));
    series->runs = 1;
    g_ptr_array_add(self->all, series);
    g_hash_table_insert(self->by_key, g_steal_pointer(&key), series);
    return series;
}

/* Of one invocation of a payload. What is no number has no place on a scale. */
static void
sort_metrics(Sorting *self, const char *payload, const GPtrArray *metrics)
{
    g_autoptr(GHashTable) counted = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (guint i = 0; i < metrics->len; i++) {
        const MfMetric *metric = metrics->pdata[i];
        g_autofree char *name = number_name(counted, "", metric->name);

        if (!isfinite(metric->value) || g_str_equal(metric->name, MF_METRIC_TRUNCATED))
            continue;

        MfSeries *series = get_series(self, payload, name);
        g_array_append_val(series->values, metric->value);
        if (metric->unit) {
            g_free(series->unit);
            series->unit = g_strdup(metric->unit);
        }
        if (metric->polarity != MF_POLARITY_UNKNOWN)
            series->polarity = metric->polarity;
    }
}

static int
compare_payloads(gconstpointer a, gconstpointer b)
{
    const MfPayloadResult *left = *(MfPayloadResult *const *)a;
    const MfPayloadResult *right = *(MfPayloadResult *const *)b;

    if (left->repetition != right->repetition)
        return left->repetition < right->repetition ? -1 : 1;
    return left->index < right->index ? -1 : left->index > right->index;
}

/* In the order in which they started, whatever ended first. */
static void
sort_payloads(Sorting *self, const GPtrArray *payloads)
{
    guint runs = 0;
    g_autoptr(GPtrArray) ordered = g_ptr_array_new();
    g_autoptr(GHashTable) counted = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (guint i = 0; i < payloads->len; i++)
        g_ptr_array_add(ordered, payloads->pdata[i]);
    g_ptr_array_sort(ordered, compare_payloads);
    for (guint i = 0; i < ordered->len; i++) {
        const MfPayloadResult *payload = ordered->pdata[i];
        g_autofree char *repetition = g_strdup_printf("%u", payload->repetition);
        g_autofree char *name = number_name(counted, repetition, payload->name);

        sort_metrics(self, name, payload->metrics);
        runs = payload->repetition + 1;
    }
    for (guint i = 0; i < self->all->len; i++)
        ((MfSeries *)self->all->pdata[i])->runs = runs;
}

GPtrArray *
mf_series_of(const MfResult *result)
{
    g_autoptr(GHashTable) by_key = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    Sorting self = {
        .all = g_ptr_array_new_with_free_func(series_free),
        .by_key = by_key,
    };

    if (result && result->payloads)
        sort_payloads(&self, result->payloads);
    if (result && result->metrics)
        sort_metrics(&self, "", result->metrics);
    return self.all;
}

gboolean
mf_series_is_named(const MfSeries *self)
{
    return self->unit || self->polarity != MF_POLARITY_UNKNOWN;
}

GPtrArray *
mf_series_pick(const GPtrArray *all, guint max, guint *ret_left_out)
{
    GPtrArray *picked = g_ptr_array_new();
    gboolean named = FALSE;

    for (guint i = 0; i < all->len; i++)
        named |= mf_series_is_named(all->pdata[i]);
    for (guint i = 0; i < all->len && picked->len < max; i++)
        if (!named || mf_series_is_named(all->pdata[i]))
            g_ptr_array_add(picked, all->pdata[i]);
    *ret_left_out = all->len - picked->len;
    return picked;
}

static int
compare_doubles(gconstpointer a, gconstpointer b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;

    return left < right ? -1 : left > right;
}

static double
median_of(const GArray *sorted)
{
    guint middle = sorted->len / 2;
    double upper = g_array_index(sorted, double, middle);

    if (sorted->len % 2 == 1)
        return upper;
    /* Halved before they are added, so that two large ones do not become infinite. */
    return g_array_index(sorted, double, middle - 1) / 2 + upper / 2;
}

double
mf_series_median(const MfSeries *self)
{
    g_autoptr(GArray) sorted = g_array_copy(self->values);

    g_array_sort(sorted, compare_doubles);
    return median_of(sorted);
}

double
mf_series_spread(const MfSeries *self)
{
    g_autoptr(GArray) distances = g_array_copy(self->values);
    double median = mf_series_median(self);

    for (guint i = 0; i < distances->len; i++) {
        double *value = &g_array_index(distances, double, i);

        *value = fabs(*value - median);
    }
    g_array_sort(distances, compare_doubles);
    return g_array_index(distances, double, distances->len - 1 - distances->len / 5);
}

char *
mf_series_label(const MfSeries *self)
{
    return g_strdup_printf("%s%s%s", self->payload, *self->payload ? "." : "", self->name);
}

char *
mf_series_round(double value)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];

    /* Beyond six digits before the point all of them, since nobody likes to read 1.23457e+08. */
    const char *format = fabs(value) >= 1e6 && fabs(value) < 1e15 ? "%.0f" : "%.6g";
    return g_strdup(g_ascii_formatd(text, sizeof(text), format, value));
}

char *
mf_series_describe(const MfSeries *self, const char *unit)
{
    g_autofree char *median = mf_series_round(mf_series_median(self));
    g_autofree char *spread = mf_series_round(mf_series_spread(self));
    gboolean several = self->values->len > 1;

    return g_strdup_printf("%s%s%s%s%s", median, several ? " +- " : "", several ? spread : "",
                           unit ? " " : "", unit ? unit : "");
}
