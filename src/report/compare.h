/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "report/merge.h"
#include "report/series.h"

/*
 * Two results of a suite, an old and a new one, metric by metric.
 *
 * A change is one when the medians of both sides are farther apart than the noise: both sides'
 * spreads together (mf_series_spread()), and at least the threshold's part of the old median. So
 * with up to four values on each side it takes more than their largest deviations together to make
 * a change, and an outlier among five or more does not hide one. A side with fewer than
 * MF_COMPARE_REPEATED values says little of its noise; then the default threshold is larger.
 *
 * Medians say nothing of the repetitions that gave no value. Where these are another part of all on
 * each side, only a change for the worse is believed.
 */
typedef enum {
    MF_CHANGE_SAME,      /* within the noise */
    MF_CHANGE_BETTER,    /* by its polarity */
    MF_CHANGE_WORSE,     /* likewise */
    MF_CHANGE_DIFFERENT, /* beyond the noise, and nobody said which is better; or of another unit */
    MF_CHANGE_MISSING,   /* only the old result has it */
    MF_CHANGE_NEW,       /* only the new one does */
    MF_CHANGE_PARTIAL,   /* not worse, but a larger part of one side's repetitions lacks it */
    MF_N_CHANGES,
} MfChangeKind;

const char *mf_change_name(MfChangeKind kind); /* "same", "better", "worse", ... */

#define MF_COMPARE_REPEATED              3
#define MF_COMPARE_THRESHOLD_REPEATED    0.01
#define MF_COMPARE_THRESHOLD_NO_REPEATED 0.05

/* A metric, of which a side may be NULL. Unit and polarity are those of the new side, else of the
 * old one. */
typedef struct {
    MfChangeKind kind;
    const char *target;             /* borrowed; its name */
    const MfSeries *before, *after; /* borrowed; at most one is NULL */
    const char *unit;               /* borrowed; or NULL */
    MfPolarity polarity;
    double ratio; /* of the change to the old median: 0.1 is 10 % more; NaN: it was 0, or a side is
                   * missing */
    double noise; /* in the metric's unit; NaN when a side is missing */
} MfChange;

/* A target that ended otherwise, or that a side does not have. */
typedef struct {
    const char *name;           /* borrowed */
    const char *before, *after; /* static; outcomes, as mf_tally_outcome_name(); NULL: not there */
    gboolean worse;             /* it passed, and does not any more */
} MfTargetChange;

typedef struct MfComparison MfComparison;

/* Compares two checked results. 'threshold' is a part, or negative for the default. MF_ERROR_CONFIG
 * when a case is not what the schema says. */
MfComparison *mf_compare(MfMerge *before, MfMerge *after, double threshold, GError **error);
void mf_comparison_free(MfComparison *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfComparison, mf_comparison_free)

/* Of MfChange, by targets in their order; and of MfTargetChange. Borrowed. */
const GArray *mf_comparison_get_changes(const MfComparison *self);
const GArray *mf_comparison_get_targets(const MfComparison *self);

/* Why a side is not whole, a sentence; or NULL. Borrowed. */
const char *mf_comparison_get_interrupted(const MfComparison *self, gboolean after);

/* Whether the new result is worse: a metric is, or has another unit, a target does not pass any
 * more, or a metric that somebody gave a unit or a polarity is missing, be it from more of the
 * repetitions only. */
gboolean mf_comparison_is_worse(const MfComparison *self);

/* Whether somebody gave the metric a unit or a polarity, on one of the sides. */
gboolean mf_change_is_named(const MfChange *self);
