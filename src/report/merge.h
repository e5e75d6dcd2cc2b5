/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <json.h>

#include "suite/event.h"

/*
 * The results of the shards of one suite, joined into the result of the whole. Every member of
 * every case is kept as it is, also those that this program does not know.
 */
typedef struct MfMerge MfMerge;

MfMerge *mf_merge_new(void);
void mf_merge_free(MfMerge *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfMerge, mf_merge_free)

/* Adds what is at 'path': a result, or a directory with results in it or below it, where JSON that
 * is no suite's result is passed over. MF_ERROR_HOST, MF_ERROR_CONFIG. */
gboolean mf_merge_add(MfMerge *self, const char *path, GError **error);

/* Adds a result. 'name' is what messages call it. */
gboolean
mf_merge_add_document(MfMerge *self, const char *name, json_object *document, GError **error);

/* After the last one: whether they are of one suite, each shard at most once and no case twice.
 * What is not there makes the whole an interrupted suite. MF_ERROR_CONFIG. */
gboolean mf_merge_check(MfMerge *self, GError **error);

/* The whole: data/mayfly-result.schema.json. Owned by the caller. MF_ERROR_CONFIG as below. */
json_object *mf_merge_to_json(MfMerge *self, GError **error);

/* Tells it to a reader, as a suite that has run would be: for reports that are not JSON. Fails when
 * a case is not what the schema says: MF_ERROR_CONFIG. */
gboolean mf_merge_play(MfMerge *self, MfEventFunc func, gpointer user_data, GError **error);
