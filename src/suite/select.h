/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

#include "suite/case.h"
#include "suite/durations.h"

/* Which of a file's cases somebody wants. Every condition that is given has to hold. */
typedef struct {
    const char *filter;           /* -f: a GRegex that matches somewhere in the name; or NULL */
    const char *const *tags;      /* --tag: at least one of these; NULL or empty: any or none */
    const char *const *failed;    /* --failed: the ids that mf_select_load_failed() gave; or NULL */
    guint shard, shards;          /* --shard: the 'shard'-th, from 1, of 'shards'; 0 of 0: all */
    const MfDurations *durations; /* --durations: for shards that take equally long; or NULL */
} MfSelection;

#define MF_SELECT_SHARDS_MAX 1000

/* The cases (borrowed, in the order they have in 'cases', of MfCase) that 'selection' wants; maybe
 * none. The array is owned by the caller. MF_ERROR_CONFIG: the filter is no regular expression.
 *
 * A shard is a part of what the other conditions leave, and every case is in exactly one. Without
 * durations no shard has two cases more than another, and a case that is added or removed moves few
 * others. */
GPtrArray *mf_select_cases(const GPtrArray *cases, const MfSelection *selection, GError **error);

/* Why 'selection' has none of 'cases', to go on with after "None is to be run: ". Owned by the
 * caller. */
char *mf_select_explain_none(const GPtrArray *cases, const MfSelection *selection);

/* "2/3" of --shard. MF_ERROR_CONFIG. */
gboolean
mf_select_parse_shard(const char *text, guint *ret_shard, guint *ret_shards, GError **error);

/* A regular expression that matches 'name' and no other case's. Owned by the caller. */
char *mf_select_exact_filter(const char *name);

/*
 * The ids of the cases of the config file 'config_path' (absolute) that did not pass when they last
 * ran, kept in the cache: what --failed runs. Whoever runs a suite saves them at its end, an empty
 * list too; cases that were to run and were not, since the run was interrupted, belong to them. Of
 * a run of some of the cases, 'ran' are the ids of those: what is known of others is kept. NULL:
 * all.
 */
gboolean mf_select_save_failed(const char *config_path, const char *const *ids,
                               const char *const *ran, GError **error);

/* The same, owned by the caller; NULL without an error when no run of the file is known.
 * MF_ERROR_HOST. */
char **mf_select_load_failed(const char *config_path, GError **error);
