/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <json.h>

#include "suite/origin.h"

/*
 * The matrix of a target: its member 'matrix', a table of arrays. Each is an axis: a key of the
 * target ("kernel", or "vm.memory", as a dotted key or a quoted one) and the values it takes in
 * turn; an axis "variables.NAME" gives a variable its values. The target is run once for every
 * combination. An axis without values is not there.
 *
 *   exclude   an array of tables: combinations that have all the values of one are left out
 *   include   an array of tables, read one after the other: its values are added to every
 *             combination with which it shares no axis, or the axes' values; when there is none,
 *             it is a combination of its own
 *
 * A kernel may be a pattern (glob(7)): of files, and if there are none, of the catalog's names. It
 * stands for all that match, in the order of their versions. In 'exclude', and in the values that
 * an 'include' is compared by, it is a pattern too.
 *
 * A value that the target has from a higher layer than the file (see MfOriginKind) wins over the
 * matrix: it is then the only value of its axis.
 *
 * The strings are texts with variables (suite/variables.h), and so are those of the results.
 */

/* Combinations that a matrix may make. */
#define MF_MATRIX_COMBINATIONS_MAX 1024

/* A table of 'exclude', and whether any target had a combination for it. */
typedef struct {
    MfOrigin place; /* of its first value */
    gboolean matched;
} MfMatrixExclusion;

typedef struct {
    const char *directory; /* borrowed; of the config file: where a relative pattern looks */
    /* The names of the catalog's kernels; owned by the caller; or NULL with an error. */
    char **(*list_kernels)(gpointer data, GError **error);
    gpointer data;
    /* Borrowed; of MfMatrixExclusion, or NULL: those that are met are noted there, but for the ones
     * with a pattern of kernels, which are for what there may be. A target whose matrix has lost an
     * axis to a higher layer counts as a match. */
    GArray *exclusions;
} MfMatrixSources;

/* The combinations of 'target' in a stable order, the first axis of the file changing slowest: an
 * array, owned by the caller, of copies without 'matrix', with the values in their places (their
 * origin's kind is MF_ORIGIN_MATRIX) and behind the name, "NAME [kernel=6.1, vm.memory=2G]". A
 * target without a matrix is its only combination, and keeps its name.
 *
 * MF_ERROR_CONFIG at the place of what is wrong; MF_ERROR_HOST: the catalog cannot be read. */
GPtrArray *mf_matrix_expand(json_object *target, const MfMatrixSources *sources, GError **error);
