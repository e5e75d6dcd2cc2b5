/* SPDX-License-Identifier: Apache-2.0 */
#include "run/metric.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/plain-text.h"
#include "run/metric-json.h"

const char *
mf_polarity_name(MfPolarity polarity)
{
    static const char *const names[] = {"", "higher", "lower"};

    G_STATIC_ASSERT(G_N_ELEMENTS(names) == MF_N_POLARITIES);
    return names[polarity];
}

gboolean
mf_polarity_parse(const char *text, MfPolarity *ret_polarity, GError **error)
{
    for (MfPolarity polarity = MF_POLARITY_HIGHER; polarity < MF_N_POLARITIES; polarity++) {
        if (g_str_equal(text, mf_polarity_name(polarity))) {
            *ret_polarity = polarity;
            return TRUE;
        }
    }
    g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                "'%s' is no polarity; say which is better, 'higher' or 'lower'.", text);
    return FALSE;
}

/* Names that need nothing done are nearly all. */
static gboolean
is_plain(const char *name)
{
    gsize length = 0;

    for (; name[length] >= 0x20 && name[length] < 0x7f; length++)
        ;
    return !name[length] && length <= MF_METRIC_NAME_MAX;
}

static char *
make_plain(const char *name)
{
    if (is_plain(name))
        return g_strdup(name);

    char *plain = g_strdelimit(mf_plain_text(name, strlen(name)), "\n\t", ' ');

    mf_plain_cut(plain, MF_METRIC_NAME_MAX);
    return plain;
}

MfMetric *
mf_metric_new(const char *name, double value, int fd)
{
    MfMetric *self = g_new0(MfMetric, 1);

    self->name = make_plain(name);
    self->value = value;
    self->fd = fd;
    return self;
}

void
mf_metric_free(MfMetric *self)
{
    if (!self)
        return;
    g_free(self->name);
    g_free(self->unit);
    g_free(self);
}

MfMetricHint *
mf_metric_hint_new(const char *name, const char *unit, MfPolarity polarity)
{
    MfMetricHint *self = g_new(MfMetricHint, 1);

    *self = (MfMetricHint){.name = g_strdup(name), .unit = g_strdup(unit), .polarity = polarity};
    return self;
}

void
mf_metric_hint_free(MfMetricHint *self)
{
    if (!self)
        return;
    g_free(self->name);
    g_free(self->unit);
    g_free(self);
}

GPtrArray *
mf_metrics_new(void)
{
    return g_ptr_array_new_with_free_func((GDestroyNotify)mf_metric_free);
}

/* Adds what the text has. *ret_problem is written only where there is one. */
static void
add_from_stream(GBytes *bytes, int fd, GPtrArray *metrics, char **ret_problem)
{
    g_autoptr(GError) error = NULL;
    gsize size = 0;
    const char *text = bytes ? g_bytes_get_data(bytes, &size) : NULL;

    if (!text || mf_metric_json_extract(text, size, fd, metrics, &error))
        return;
    *ret_problem = g_strdup_printf("The payload's %s has JSON that cannot be used. %s",
                                   fd == 1 ? "stdout" : "stderr", error->message);
}

GPtrArray *
mf_metrics_from_output(GBytes *out, GBytes *err, char **ret_problem)
{
    GPtrArray *metrics = mf_metrics_new();
    g_autofree char *problem = NULL;
    g_autofree char *ignored = NULL;

    add_from_stream(out, 1, metrics, &problem);
    if (metrics->len == 0) {
        add_from_stream(err, 2, metrics, &ignored);
        if (metrics->len > 0 && !problem)
            problem = g_steal_pointer(&ignored);
    }
    *ret_problem = g_steal_pointer(&problem);
    return metrics;
}

void
mf_metrics_apply_hints(GPtrArray *metrics, const GPtrArray *hints)
{
    g_autoptr(GHashTable) by_name = g_hash_table_new(g_str_hash, g_str_equal);

    if (!hints || hints->len == 0)
        return;
    for (guint i = 0; i < hints->len; i++) {
        MfMetricHint *hint = hints->pdata[i];

        g_hash_table_replace(by_name, hint->name, hint);
    }
    for (guint i = 0; i < metrics->len; i++) {
        MfMetric *metric = metrics->pdata[i];
        const MfMetricHint *hint = g_hash_table_lookup(by_name, metric->name);

        if (!hint)
            continue;
        g_free(metric->unit);
        metric->unit = g_strdup(hint->unit);
        metric->polarity = hint->polarity;
    }
}
