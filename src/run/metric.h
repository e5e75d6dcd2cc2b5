/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * A number that a run came to: how fast, how late, how much. It has a name, such as
 * "jobs.0.read.iops", and as long as nobody says so, neither a unit nor a better direction.
 */

typedef enum {
    MF_POLARITY_UNKNOWN,
    MF_POLARITY_HIGHER, /* the higher, the better */
    MF_POLARITY_LOWER,
    MF_N_POLARITIES,
} MfPolarity;

/* "", "higher", "lower"; parse fails with MF_ERROR_CONFIG, also on "". */
const char *mf_polarity_name(MfPolarity polarity);
gboolean mf_polarity_parse(const char *text, MfPolarity *ret_polarity, GError **error);

typedef struct {
    char *name; /* owned; one line of plain text */
    double value;
    MfPolarity polarity;
    char *unit; /* owned; or NULL */
    int fd;     /* found in the payload's stdout (1) or stderr (2); 0: elsewhere */
} MfMetric;

/* The name is made fit to be shown, and cut after MF_METRIC_NAME_MAX bytes. */
MfMetric *mf_metric_new(const char *name, double value, int fd);
void mf_metric_free(MfMetric *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfMetric, mf_metric_free)

/* What is known of all metrics of that name, before there are any. */
typedef struct {
    char *name; /* owned */
    char *unit; /* owned; or NULL */
    MfPolarity polarity;
} MfMetricHint;

MfMetricHint *mf_metric_hint_new(const char *name, const char *unit, MfPolarity polarity);
void mf_metric_hint_free(MfMetricHint *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfMetricHint, mf_metric_hint_free)

/* Whoever writes the output may be hostile, so that there are limits to what it comes to. */
#define MF_METRICS_MAX       100000      /* numbers in one document */
#define MF_METRICS_BYTES_MAX (16u << 20) /* of their names */
#define MF_METRIC_NAME_MAX   1024        /* bytes */
#define MF_METRIC_UNIT_MAX   64          /* bytes */

/* Marks that numbers are missing, since they are nested deeper than MF_METRIC_DEPTH_MAX. */
#define MF_METRIC_TRUNCATED "__walk_json_leaves_truncated"

/* An array that owns its metrics. */
GPtrArray *mf_metrics_new(void);

/*
 * The numbers in a payload's output, of MfMetric, owned by the caller: of the JSON document that
 * its stdout is, else of the first one within it; only where that gives none, of its stderr. Either
 * may be NULL. What is found where is in run/metric-json.h.
 *
 * *ret_problem is NULL, or a sentence, owned by the caller: what of the JSON could not be read, so
 * that metrics are missing: of stdout, whatever stderr gives, or of an stderr that gives metrics.
 * One that gives none makes no problem: brackets are no promise in a log.
 */
GPtrArray *mf_metrics_from_output(GBytes *out, GBytes *err, char **ret_problem);

/* Gives each metric the unit and polarity of the hint of its name; of several such hints the last
 * wins. */
void mf_metrics_apply_hints(GPtrArray *metrics, const GPtrArray *hints);
