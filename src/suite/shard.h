/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* A part of a suite that was shared out to several hosts. */
typedef struct {
    guint index;       /* from 1; 0: this is no part, but all of it */
    guint count;       /* of parts */
    guint targets;     /* that all parts have together */
    const char *suite; /* borrowed; mf_shard_identify_suite() of those; NULL when not known */
} MfShard;

/* What tells a suite with the targets 'cases' (of MfCase) from one with others, or with the same in
 * another order: a sum of their ids alone, so that it is the same on every host. Owned by the
 * caller. */
char *mf_shard_identify_suite(const GPtrArray *cases);

/*
 * What "--shard auto" means, by the variables of 'environment' (NAME=VALUE) that a CI system or a
 * batch system sets for one of several jobs: a pure function. The first of these, where it is
 * there, overrides the others, which have to agree; but a system with 1 job gives way:
 *
 *     MAYFLY_SHARD_INDEX (from 0), MAYFLY_SHARDS             any system, such as a GitHub matrix
 *     CI_NODE_INDEX (from 1), CI_NODE_TOTAL                  GitLab ('parallel')
 *     BUILDKITE_PARALLEL_JOB (from 0), ..._JOB_COUNT         Buildkite
 *     CIRCLE_NODE_INDEX (from 0), CIRCLE_NODE_TOTAL          CircleCI
 *     JOB_COMPLETION_INDEX (from 0), MAYFLY_SHARDS           an Indexed Job of Kubernetes
 *     SLURM_ARRAY_TASK_ID (from ..._TASK_MIN, by ..._TASK_STEP), ..._TASK_COUNT   a Slurm array
 *
 * MF_ERROR_CONFIG: none is there, they do not agree, or what is there cannot be.
 */
gboolean mf_shard_read_environment(char *const *environment, guint *ret_shard, guint *ret_shards,
                                   GError **error);
