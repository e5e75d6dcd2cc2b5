/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/shard.h"

#include "base/error.h"
#include "suite/case.h"

#define VARIABLES_MAX 6

static const struct {
    const char *variables[VARIABLES_MAX];
    guint shard, shards;
} right[] = {
    {{"MAYFLY_SHARD_INDEX=0", "MAYFLY_SHARDS=3"}, 1, 3},
    {{"MAYFLY_SHARD_INDEX=2", "MAYFLY_SHARDS=3"}, 3, 3},
    {{"CI_NODE_INDEX=1", "CI_NODE_TOTAL=4"}, 1, 4},
    {{"CI_NODE_INDEX=4", "CI_NODE_TOTAL=4"}, 4, 4},
    {{"CI_NODE_TOTAL=1"}, 1, 1},
    {{"BUILDKITE_PARALLEL_JOB=0", "BUILDKITE_PARALLEL_JOB_COUNT=2"}, 1, 2},
    {{"BUILDKITE_PARALLEL_JOB=1", "BUILDKITE_PARALLEL_JOB_COUNT=2"}, 2, 2},
    {{"CIRCLE_NODE_INDEX=0", "CIRCLE_NODE_TOTAL=1"}, 1, 1},
    {{"CIRCLE_NODE_INDEX=6", "CIRCLE_NODE_TOTAL=7"}, 7, 7},
    {{"JOB_COMPLETION_INDEX=0", "MAYFLY_SHARDS=5"}, 1, 5},
    {{"JOB_COMPLETION_INDEX=4", "MAYFLY_SHARDS=5"}, 5, 5},
    {{"SLURM_ARRAY_TASK_ID=0", "SLURM_ARRAY_TASK_COUNT=4", "SLURM_ARRAY_TASK_MIN=0"}, 1, 4},
    {{"SLURM_ARRAY_TASK_ID=13", "SLURM_ARRAY_TASK_COUNT=4", "SLURM_ARRAY_TASK_MIN=10"}, 4, 4},
    {{"SLURM_ARRAY_TASK_ID=7", "SLURM_ARRAY_TASK_COUNT=4", "SLURM_ARRAY_TASK_MIN=1",
      "SLURM_ARRAY_TASK_STEP=2"},
     4,
     4},
    /* The user's own word overrides the others, which may say the same. */
    {{"MAYFLY_SHARD_INDEX=0", "MAYFLY_SHARDS=3", "CI_NODE_INDEX=1", "CI_NODE_TOTAL=4"}, 1, 3},
    {{"JOB_COMPLETION_INDEX=1", "CI_NODE_INDEX=2", "CI_NODE_TOTAL=5", "MAYFLY_SHARDS=5"}, 2, 5},
    /* Jobs that are not shared out say nothing of those that they start. */
    {{"CIRCLE_NODE_INDEX=0", "CIRCLE_NODE_TOTAL=1", "JOB_COMPLETION_INDEX=4", "MAYFLY_SHARDS=5"},
     5,
     5},
    {{"CI_NODE_INDEX=3", "CI_NODE_TOTAL=4", "CIRCLE_NODE_INDEX=0", "CIRCLE_NODE_TOTAL=1"}, 3, 4},
    {{"MAYFLY_SHARD_INDEX=1", "JOB_COMPLETION_INDEX=4", "MAYFLY_SHARDS=5"}, 2, 5},
    /* An empty variable is none. */
    {{"MAYFLY_SHARD_INDEX=", "CIRCLE_NODE_INDEX=0", "CIRCLE_NODE_TOTAL=2"}, 1, 2},
    {{"MAYFLY_SHARD_INDEX=999", "MAYFLY_SHARDS=1000"}, 1000, 1000},
};

static const struct {
    const char *variables[VARIABLES_MAX];
    const char *message; /* a pattern */
} wrong[] = {
    {{NULL}, "Nothing says which shard this is: of MAYFLY_SHARD_INDEX (mayfly),*(Slurm)*I/N."},
    {{"CI_NODE_TOTAL=2"}, "Nothing says which shard this is*"},
    {{"MAYFLY_SHARDS=3"}, "Nothing says which shard this is*"},
    {{"MAYFLY_SHARD_INDEX=0"}, "The variable MAYFLY_SHARDS is not set."},
    {{"JOB_COMPLETION_INDEX=0"}, "The variable MAYFLY_SHARDS is not set."},
    {{"SLURM_ARRAY_TASK_ID=1", "SLURM_ARRAY_TASK_MIN=1"}, "*SLURM_ARRAY_TASK_COUNT is not set."},
    {{"CI_NODE_INDEX=one", "CI_NODE_TOTAL=2"}, "*CI_NODE_INDEX*"},
    {{"CI_NODE_INDEX=1", "CI_NODE_TOTAL=two"}, "*CI_NODE_TOTAL*"},
    {{"CI_NODE_INDEX=0", "CI_NODE_TOTAL=2"}, "CI_NODE_INDEX is 0, which is none of 2 shards*"},
    {{"CI_NODE_INDEX=3", "CI_NODE_TOTAL=2"}, "CI_NODE_INDEX is 3, which is none of 2 shards*"},
    {{"CIRCLE_NODE_INDEX=2", "CIRCLE_NODE_TOTAL=2"}, "CIRCLE_NODE_INDEX is 2,*"},
    {{"CIRCLE_NODE_INDEX=-1", "CIRCLE_NODE_TOTAL=2"}, "*CIRCLE_NODE_INDEX*"},
    {{"CIRCLE_NODE_INDEX=0", "CIRCLE_NODE_TOTAL=0"}, "*CIRCLE_NODE_TOTAL*"},
    {{"MAYFLY_SHARD_INDEX=0", "MAYFLY_SHARDS=1001"}, "MAYFLY_SHARDS is 1001, and*1000*"},
    /* Of a job of GitLab's that submitted an array. */
    {{"CI_NODE_INDEX=1", "CI_NODE_TOTAL=4", "SLURM_ARRAY_TASK_ID=2", "SLURM_ARRAY_TASK_COUNT=4",
      "SLURM_ARRAY_TASK_MIN=1"},
     "CI_NODE_INDEX (GitLab) says that this is shard 1 of 4, and SLURM_ARRAY_TASK_ID (Slurm) that "
     "it is shard 2 of 4: say it with --shard I/N, or with MAYFLY_SHARD_INDEX and MAYFLY_SHARDS."},
    {{"JOB_COMPLETION_INDEX=1", "CI_NODE_INDEX=2", "CI_NODE_TOTAL=2", "MAYFLY_SHARDS=5"},
     "CI_NODE_INDEX (GitLab) says that this is shard 2 of 2, and JOB_COMPLETION_INDEX *"},
    /* An array with gaps: 1,5,9 has no equal steps that are told. */
    {{"SLURM_ARRAY_TASK_ID=9", "SLURM_ARRAY_TASK_COUNT=3", "SLURM_ARRAY_TASK_MIN=1"}, "*gaps."},
    {{"SLURM_ARRAY_TASK_ID=4", "SLURM_ARRAY_TASK_COUNT=3", "SLURM_ARRAY_TASK_MIN=1",
      "SLURM_ARRAY_TASK_STEP=2"},
     "*gaps."},
    {{"SLURM_ARRAY_TASK_ID=1", "SLURM_ARRAY_TASK_COUNT=3", "SLURM_ARRAY_TASK_MIN=2"}, "*gaps."},
};

static void
test_each_system_says_which_shard_it_is(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(right); i++) {
        g_autoptr(GError) error = NULL;
        guint shard = 0, shards = 0;

        mf_shard_read_environment((char *const *)right[i].variables, &shard, &shards, &error);
        g_assert_no_error(error);
        g_assert_cmpuint(shard, ==, right[i].shard);
        g_assert_cmpuint(shards, ==, right[i].shards);
    }
}

static void
test_what_cannot_be_is_refused_with_its_variable(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GError) error = NULL;
        guint shard = 7, shards = 7;

        g_assert_false(
            mf_shard_read_environment((char *const *)wrong[i].variables, &shard, &shards, &error));
        g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
        if (!g_pattern_match_simple(wrong[i].message, error->message))
            g_error("'%s' is not '%s'.", error->message, wrong[i].message);
        g_assert_cmpuint(shard + shards, ==, 14);
    }
}

static char *
identify(const char *const *ids)
{
    g_autoptr(GPtrArray) cases = g_ptr_array_new_with_free_func((GDestroyNotify)mf_case_free);

    for (; *ids; ids++) {
        MfCase *the_case = g_new0(MfCase, 1);

        the_case->id = g_strdup(*ids);
        g_ptr_array_add(cases, the_case);
    }
    return mf_shard_identify_suite(cases);
}

static void
test_a_suite_is_known_by_its_targets_and_their_order(void)
{
    static const char *const suites[][4] = {
        {"a", "b", "c"}, {"a", "b", "d"}, {"a", "c", "b"}, {"a", "b"}, {"ab", "c"}, {"abc"}, {NULL},
    };
    g_autoptr(GHashTable) known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(suites); i++) {
        g_autofree char *again = identify(suites[i]);

        g_assert_true(g_hash_table_add(known, identify(suites[i])));
        g_assert_true(g_hash_table_contains(known, again));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/shard/each system says which shard it is",
                    test_each_system_says_which_shard_it_is);
    g_test_add_func("/shard/what cannot be is refused with its variable",
                    test_what_cannot_be_is_refused_with_its_variable);
    g_test_add_func("/shard/a suite is known by its targets and their order",
                    test_a_suite_is_known_by_its_targets_and_their_order);
    return g_test_run();
}
