/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/shard.h"

#include <string.h>

#include "base/error.h"
#include "base/parse.h"
#include "suite/case.h"
#include "suite/select.h"

/* More than any system has. */
#define NUMBER_MAX 1000000000

typedef struct {
    const char *name;                 /* for people */
    const char *index, *total;        /* variables */
    const char *first_index, *stride; /* variables; NULL: 'first' and 1 */
    guint first;
} System;

/* What one of them says: which shard, from 1. */
typedef struct {
    const System *system; /* borrowed */
    guint shard, shards;
} Answer;

/* The first is the user's own word, the others are of one rank. */
static const System systems[] = {
    {"mayfly", "MAYFLY_SHARD_INDEX", "MAYFLY_SHARDS", NULL, NULL, 0},
    {"GitLab", "CI_NODE_INDEX", "CI_NODE_TOTAL", NULL, NULL, 1},
    {"Buildkite", "BUILDKITE_PARALLEL_JOB", "BUILDKITE_PARALLEL_JOB_COUNT", NULL, NULL, 0},
    {"CircleCI", "CIRCLE_NODE_INDEX", "CIRCLE_NODE_TOTAL", NULL, NULL, 0},
    {"Kubernetes", "JOB_COMPLETION_INDEX", "MAYFLY_SHARDS", NULL, NULL, 0},
    {"Slurm", "SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", "SLURM_ARRAY_TASK_MIN",
     "SLURM_ARRAY_TASK_STEP", 0},
};

char *
mf_shard_identify_suite(const GPtrArray *cases)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);

    for (guint i = 0; i < cases->len; i++) {
        const MfCase *the_case = cases->pdata[i];

        /* The NUL too, which ends an id. */
        g_checksum_update(sum, (const guchar *)the_case->id, (gssize)strlen(the_case->id) + 1);
    }
    return g_strconcat("sha256:", g_checksum_get_string(sum), NULL);
}

/* NULL for a variable that is not there, and for an empty one, which counts as none. */
static const char *
get(char *const *environment, const char *name)
{
    const char *value = g_environ_getenv((char **)environment, name);

    return value && *value ? value : NULL;
}

static gboolean
read_number(char *const *environment, const char *name, guint64 min, guint64 *ret_number,
            GError **error)
{
    const char *text = get(environment, name);
    g_autofree char *what = g_strconcat("value of ", name, NULL);

    if (text)
        return mf_parse_uint(text, what, min, NUMBER_MAX, ret_number, error);
    g_set_error(error, MF_ERROR, MF_ERROR_CONFIG, "The variable %s is not set.", name);
    return FALSE;
}

/* The same of a variable that need not be there. */
static gboolean
read_optional(char *const *environment, const char *name, guint64 min, guint64 fallback,
              guint64 *ret_number, GError **error)
{
    if (name && get(environment, name))
        return read_number(environment, name, min, ret_number, error);
    *ret_number = fallback;
    return TRUE;
}

static gboolean
read_system(const System *system, char *const *environment, guint *ret_shard, guint *ret_shards,
            GError **error)
{
    guint64 index, total, first, stride;

    if (!read_number(environment, system->index, 0, &index, error) ||
        !read_number(environment, system->total, 1, &total, error) ||
        !read_optional(environment, system->first_index, 0, system->first, &first, error) ||
        !read_optional(environment, system->stride, 1, 1, &stride, error))
        return FALSE;
    if (total > MF_SELECT_SHARDS_MAX) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "%s is %" G_GUINT64_FORMAT ", and there can be %d shards at most.",
                    system->total, total, MF_SELECT_SHARDS_MAX);
        return FALSE;
    }
    if (index < first || (index - first) % stride != 0 || (index - first) / stride >= total) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "%s is %" G_GUINT64_FORMAT ", which is none of %" G_GUINT64_FORMAT
                    " shards from %" G_GUINT64_FORMAT ": the indexes have to be without gaps.",
                    system->index, index, total, first);
        return FALSE;
    }
    *ret_shard = (guint)((index - first) / stride) + 1;
    *ret_shards = (guint)total;
    return TRUE;
}

static void
set_unknown(GError **error)
{
    g_autoptr(GString) names = g_string_new(NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(systems); i++)
        g_string_append_printf(names, "%s%s (%s)",
                               i == 0                           ? ""
                               : i + 1 == G_N_ELEMENTS(systems) ? " and "
                                                                : ", ",
                               systems[i].index, systems[i].name);
    g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                "Nothing says which shard this is: of %s none is set. Say it with --shard I/N.",
                names->str);
}

/* One that a job inherits from what started it, such as an array that a job of GitLab's submitted,
 * would give every task the same shard: nobody but the user can tell which of them is meant. */
static void
set_contradiction(const Answer *one, const Answer *other, GError **error)
{
    g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                "%s (%s) says that this is shard %u of %u, and %s (%s) that it is shard %u of %u: "
                "say it with --shard I/N, or with MAYFLY_SHARD_INDEX and MAYFLY_SHARDS.",
                one->system->index, one->system->name, one->shard, one->shards,
                other->system->index, other->system->name, other->shard, other->shards);
}

/* What the systems of CI and batch agree on: of 0 shards where none says anything. One of 1 says
 * only that its own jobs are not shared out. */
static gboolean
read_agreement(char *const *environment, Answer *ret_answer, GError **error)
{
    Answer found = {0};

    for (gsize i = 1; i < G_N_ELEMENTS(systems); i++) {
        Answer answer = {.system = &systems[i]};

        if (!get(environment, systems[i].index))
            continue;
        if (!read_system(&systems[i], environment, &answer.shard, &answer.shards, error))
            return FALSE;
        if (found.shards > 1 && answer.shards > 1 &&
            (found.shard != answer.shard || found.shards != answer.shards)) {
            set_contradiction(&found, &answer, error);
            return FALSE;
        }
        if (answer.shards > found.shards)
            found = answer;
    }
    *ret_answer = found;
    return TRUE;
}

gboolean
mf_shard_read_environment(char *const *environment, guint *ret_shard, guint *ret_shards,
                          GError **error)
{
    Answer answer;

    if (get(environment, systems[0].index))
        return read_system(&systems[0], environment, ret_shard, ret_shards, error);
    if (!read_agreement(environment, &answer, error))
        return FALSE;
    /* GitLab says that there is one job where there are not several, and no index then. */
    if (answer.shards == 0 && g_strcmp0(get(environment, "CI_NODE_TOTAL"), "1") == 0)
        answer.shard = answer.shards = 1;
    if (answer.shards == 0) {
        set_unknown(error);
        return FALSE;
    }
    *ret_shard = answer.shard;
    *ret_shards = answer.shards;
    return TRUE;
}
