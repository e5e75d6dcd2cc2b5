/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "run/metric.h"
#include "run/result.h"

/*
 * A metric of a run with all of its values: one for each repetition of the target's steps.
 */
typedef struct {
    char *payload; /* owned; "" for a scenario's own. The second invocation of a payload within the
                    * steps is another one: "fio (2)" */
    char *name;    /* owned; of the metric. Likewise where a payload has it twice: "iops (2)" */
    char *unit;    /* owned; or NULL */
    MfPolarity polarity;
    GArray *values; /* owned; of double, in their order, at least one, each finite */
    guint runs;     /* how many repetitions there were: more than values where some gave none */
} MfSeries;

/* Those of a run (NULL: none), in the order of their first values: of MfSeries, owned by the
 * caller. */
GPtrArray *mf_series_of(const MfResult *result);

/* Those that somebody named, who gave them a unit or a polarity, and if there are none all: the
 * first 'max' of them, borrowed. *ret_left_out is how many of all are missing. Owned by the
 * caller. */
GPtrArray *mf_series_pick(const GPtrArray *all, guint max, guint *ret_left_out);

/* Whether somebody named it. */
gboolean mf_series_is_named(const MfSeries *self);

/* The median of the values. */
double mf_series_median(const MfSeries *self);

/* How far the values are from their median, but for the farthest fifth of them: of fewer than five
 * values the largest distance, of one value 0. */
double mf_series_spread(const MfSeries *self);

/* "fio.iops", or the name alone. Owned by the caller. */
char *mf_series_label(const MfSeries *self);

/* "1234.5 +- 12 us": the median, the spread of several values, 'unit' (or NULL); "1234.5 us". Owned
 * by the caller. */
char *mf_series_describe(const MfSeries *self, const char *unit);

/* A number for people: six digits of it. Owned by the caller. */
char *mf_series_round(double value);
