/* SPDX-License-Identifier: Apache-2.0 */
#include "report/compare.h"

#include <math.h>

#include "report/tally.h"

/* What is compared of a target of one side. */
typedef struct {
    char *id;            /* owned; the same in every run */
    char *name;          /* owned */
    const char *outcome; /* static */
    gboolean passed;
    GPtrArray *series;    /* owned; of MfSeries */
    GHashTable *by_label; /* owned; to the series */
    gboolean matched;     /* by one of the other side */
} Side;

struct MfComparison {
    GPtrArray *sides[2];  /* owned; of Side: before and after */
    char *interrupted[2]; /* owned; or NULL */
    GArray *changes;      /* owned; of MfChange, which borrow from the sides */
    GArray *targets;      /* owned; of MfTargetChange, likewise */
    double threshold;
    gboolean worse;
};

/* Where what is played goes. */
typedef struct {
    GPtrArray *sides;
    char **interrupted;
} Collecting;

const char *
mf_change_name(MfChangeKind kind)
{
    static const char *const names[] = {"same",    "better", "worse",  "different",
                                        "missing", "new",    "partial"};

    G_STATIC_ASSERT(G_N_ELEMENTS(names) == MF_N_CHANGES);
    return names[kind];
}

static void
side_free(gpointer data)
{
    Side *side = data;

    g_free(side->id);
    g_free(side->name);
    g_hash_table_unref(side->by_label);
    g_ptr_array_unref(side->series);
    g_free(side);
}

static Side *
new_side(const MfCase *kase, const MfOutcomeReport *outcome)
{
    Side *side = g_new0(Side, 1);

    side->id = g_strdup(kase->id);
    side->name = g_strdup(kase->name);
    side->outcome = mf_tally_outcome_name(outcome);
    side->passed = outcome && outcome->outcome == MF_OUTCOME_PASS;
    side->series = mf_series_of(outcome ? outcome->result : NULL);
    side->by_label = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < side->series->len; i++)
        g_hash_table_insert(side->by_label, mf_series_label(side->series->pdata[i]),
                            side->series->pdata[i]);
    return side;
}

static void
collect(const MfEvent *event, gpointer data)
{
    Collecting *self = data;

    if (event->kind != MF_EVENT_SUITE_FINISHED)
        return;
    for (guint i = 0; i < event->cases->len; i++)
        g_ptr_array_add(self->sides, new_side(event->cases->pdata[i], event->outcomes->pdata[i]));
    *self->interrupted = g_strdup(event->interrupted);
}

/* By the medians and the noise; sets ratio and noise too. */
static MfChangeKind
judge(MfChange *change, double threshold)
{
    double before = mf_series_median(change->before);
    double after = mf_series_median(change->after);
    double spreads = mf_series_spread(change->before) + mf_series_spread(change->after);
    gboolean repeated =
        MIN(change->before->values->len, change->after->values->len) >= MF_COMPARE_REPEATED;

    if (threshold < 0)
        threshold = repeated ? MF_COMPARE_THRESHOLD_REPEATED : MF_COMPARE_THRESHOLD_NO_REPEATED;
    change->noise = fmax(threshold * fabs(before), spreads);
    change->ratio = before == 0 ? NAN : (after - before) / fabs(before);
    if (fabs(after - before) <= change->noise)
        return MF_CHANGE_SAME;
    if (change->polarity == MF_POLARITY_UNKNOWN)
        return MF_CHANGE_DIFFERENT;
    return (after > before) == (change->polarity == MF_POLARITY_HIGHER) ? MF_CHANGE_BETTER
                                                                        : MF_CHANGE_WORSE;
}

/* 1 s and 1000 ms are not to be compared as numbers. */
static gboolean
has_other_unit(const MfSeries *before, const MfSeries *after)
{
    return before && after && before->unit && after->unit &&
           !g_str_equal(before->unit, after->unit);
}

/* Above 0 when a larger part of the repetitions of 'after' has the metric, below when a smaller
 * one. */
static int
compare_parts(const MfSeries *before, const MfSeries *after)
{
    guint64 old_part = (guint64)before->values->len * after->runs;
    guint64 new_part = (guint64)after->values->len * before->runs;

    return new_part < old_part ? -1 : new_part > old_part;
}

/* Of a metric that both sides have, in the same unit. */
static MfChangeKind
judge_both(MfChange *change, double threshold)
{
    MfChangeKind kind = judge(change, threshold);

    return kind != MF_CHANGE_WORSE && compare_parts(change->before, change->after) != 0
               ? MF_CHANGE_PARTIAL
               : kind;
}

/* Whether the new result has the metric less often, or not at all. */
static gboolean
is_lost(const MfChange *change)
{
    return change->kind == MF_CHANGE_MISSING ||
           (change->kind == MF_CHANGE_PARTIAL && compare_parts(change->before, change->after) < 0);
}

static void
add_change(MfComparison *self, const char *target, const MfSeries *before, const MfSeries *after)
{
    MfChange change = {
        .target = target, .before = before, .after = after, .ratio = NAN, .noise = NAN};
    gboolean other_unit = has_other_unit(before, after);

    if (after) {
        change.unit = after->unit;
        change.polarity = after->polarity;
    }
    if (before && !change.unit)
        change.unit = before->unit;
    if (before && change.polarity == MF_POLARITY_UNKNOWN)
        change.polarity = before->polarity;
    change.kind = !before      ? MF_CHANGE_NEW
                  : !after     ? MF_CHANGE_MISSING
                  : other_unit ? MF_CHANGE_DIFFERENT
                               : judge_both(&change, self->threshold);
    self->worse |= change.kind == MF_CHANGE_WORSE || other_unit ||
                   (is_lost(&change) && mf_change_is_named(&change));
    g_array_append_val(self->changes, change);
}

/* The metrics of a target, those of the old result first; either side may be NULL. */
static void
compare_metrics(MfComparison *self, const Side *before, const Side *after)
{
    for (guint i = 0; before && i < before->series->len; i++) {
        const MfSeries *series = before->series->pdata[i];
        g_autofree char *label = mf_series_label(series);

        add_change(self, before->name, series,
                   after ? g_hash_table_lookup(after->by_label, label) : NULL);
    }
    for (guint i = 0; after && i < after->series->len; i++) {
        const MfSeries *series = after->series->pdata[i];
        g_autofree char *label = mf_series_label(series);

        if (!before || !g_hash_table_contains(before->by_label, label))
            add_change(self, after->name, NULL, series);
    }
}

/* At most one side is NULL. */
static void
compare_targets(MfComparison *self, const char *name, const Side *before, const Side *after)
{
    MfTargetChange change = {
        .name = name,
        .before = before ? before->outcome : NULL,
        .after = after ? after->outcome : NULL,
        .worse = before && before->passed && !(after && after->passed),
    };

    self->worse |= change.worse;
    if (g_strcmp0(change.before, change.after) != 0)
        g_array_append_val(self->targets, change);
    compare_metrics(self, before, after);
}

static void
compare_sides(MfComparison *self)
{
    g_autoptr(GHashTable) after = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < self->sides[1]->len; i++) {
        Side *side = self->sides[1]->pdata[i];

        g_hash_table_insert(after, side->id, side);
    }
    for (guint i = 0; i < self->sides[0]->len; i++) {
        const Side *side = self->sides[0]->pdata[i];
        Side *other = g_hash_table_lookup(after, side->id);

        compare_targets(self, side->name, side, other);
        if (other)
            other->matched = TRUE;
    }
    for (guint i = 0; i < self->sides[1]->len; i++) {
        const Side *side = self->sides[1]->pdata[i];

        if (!side->matched)
            compare_targets(self, side->name, NULL, side);
    }
}

MfComparison *
mf_compare(MfMerge *before, MfMerge *after, double threshold, GError **error)
{
    g_autoptr(MfComparison) self = g_new0(MfComparison, 1);
    MfMerge *const merges[] = {before, after};

    self->changes = g_array_new(FALSE, FALSE, sizeof(MfChange));
    self->targets = g_array_new(FALSE, FALSE, sizeof(MfTargetChange));
    self->threshold = threshold;
    for (gsize i = 0; i < G_N_ELEMENTS(merges); i++)
        self->sides[i] = g_ptr_array_new_with_free_func(side_free);
    for (gsize i = 0; i < G_N_ELEMENTS(merges); i++) {
        Collecting collecting = {self->sides[i], &self->interrupted[i]};

        if (!mf_merge_play(merges[i], collect, &collecting, error))
            return NULL;
    }
    compare_sides(self);
    return g_steal_pointer(&self);
}

void
mf_comparison_free(MfComparison *self)
{
    if (!self)
        return;
    g_array_unref(self->changes);
    g_array_unref(self->targets);
    for (gsize i = 0; i < G_N_ELEMENTS(self->sides); i++) {
        g_ptr_array_unref(self->sides[i]);
        g_free(self->interrupted[i]);
    }
    g_free(self);
}

const GArray *
mf_comparison_get_changes(const MfComparison *self)
{
    return self->changes;
}

const GArray *
mf_comparison_get_targets(const MfComparison *self)
{
    return self->targets;
}

const char *
mf_comparison_get_interrupted(const MfComparison *self, gboolean after)
{
    return self->interrupted[after ? 1 : 0];
}

gboolean
mf_comparison_is_worse(const MfComparison *self)
{
    return self->worse;
}

gboolean
mf_change_is_named(const MfChange *self)
{
    return self->unit || self->polarity != MF_POLARITY_UNKNOWN;
}
