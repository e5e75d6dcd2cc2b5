/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <json.h>

#include "suite/matrix.h"

#define MF_MATRIX_EXCLUDE "exclude"
#define MF_MATRIX_INCLUDE "include"

/* A key of a target with values for it: an axis of the matrix, or a key of one of its 'include' and
 * 'exclude' tables, which has one value. */
typedef struct {
    char *path;        /* owned; the key, dotted */
    char **steps;      /* owned; its parts */
    GPtrArray *values; /* owned; of json_object, owned */
    gboolean fixed;    /* the value is the target's own, from a higher layer */
} MfMatrixAxis;

/* Whether a matrix is a table at all. MF_ERROR_CONFIG. */
gboolean mf_matrix_axis_check_table(json_object *matrix, GError **error);

/* The axes of the matrix table, its 'include' and 'exclude' left out, in the order of the file: of
 * MfMatrixAxis, owned by the caller. Values that are there twice are there once. Where 'target' has
 * a value from a higher layer, that is the only one. */
GPtrArray *mf_matrix_axis_read_all(json_object *matrix, json_object *target,
                                   const MfMatrixSources *sources, GError **error);

/* The tables of 'include' or 'exclude' ('key'), each an array of MfMatrixAxis with one value: of
 * GPtrArray, owned by the caller; empty when the matrix has none. */
GPtrArray *mf_matrix_axis_read_tables(json_object *matrix, const char *key, GError **error);

/* What the matrix, or one that is a layer of it, says of keys, without a look at any kernel: a tree
 * for each value that a key may take, with nothing else in it. Of json_object, owned by the caller.
 * MF_ERROR_CONFIG: what should be a table or an array is none. */
GPtrArray *mf_matrix_axis_list_settings(json_object *matrix, GError **error);

/* The one of 'axes' with that path, or NULL. Borrowed. */
const MfMatrixAxis *mf_matrix_axis_find(const GPtrArray *axes, const char *path);

/* Puts 'value' (taken) there; tables on the way are made. */
void mf_matrix_axis_put(const MfMatrixAxis *axis, json_object *tree, json_object *value);

/* The target's own value, if it is from a higher layer than 'value' is. Borrowed; or NULL. */
json_object *
mf_matrix_axis_outranks(const MfMatrixAxis *axis, json_object *target, json_object *value);

/* Whether 'value' is what 'wanted' says: equal, or a kernel that matches the pattern. */
gboolean mf_matrix_axis_matches(const MfMatrixAxis *axis, json_object *wanted, json_object *value);

/* The values that 'axis' has when those that are patterns of kernels are replaced by what they
 * match. Of json_object, owned by the caller; without repetitions. */
GPtrArray *
mf_matrix_axis_expand(const MfMatrixAxis *axis, const MfMatrixSources *sources, GError **error);
