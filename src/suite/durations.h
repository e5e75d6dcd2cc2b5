/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * How long cases took in an earlier run, by its result (result-file.h): for shards that take the
 * same time, not the same number of cases.
 */
typedef struct MfDurations MfDurations;

/* MF_ERROR_HOST: the file cannot be read; MF_ERROR_CONFIG: it is no result of a suite. A case that
 * was not run has no duration. */
MfDurations *mf_durations_load(const char *path, GError **error);

void mf_durations_free(MfDurations *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfDurations, mf_durations_free)

/* Puts every one of 'cases' (of MfCase) into one of 'shards' parts, from 0: the longest first,
 * each into the part that has the least to do yet. A case without a duration counts as the median
 * of the others. The result has the part of each case, and depends on nothing but the arguments;
 * owned by the caller. */
guint *mf_durations_share_out(const MfDurations *self, const GPtrArray *cases, guint shards);
